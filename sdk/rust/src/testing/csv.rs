//! Tables as text, for golden cases: a header of `name:type`, commas, no quoting, an empty field for null.

use crate::column::{Column, ColumnBuilder};
use crate::schema::DataType;
use crate::table::Table;

/// # Panics
/// Where the text is no such table: it is part of a test.
pub fn table_from_csv(text: &str) -> Table {
    let mut lines = text.lines();
    let header: Vec<(&str, DataType)> = lines.next().expect("a header").split(',').map(field).collect();
    let mut columns: Vec<ColumnBuilder> = header.iter().map(|&(_, data_type)| ColumnBuilder::new(data_type)).collect();
    for (number, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), columns.len(), "row {number}: `{line}`");
        for ((column, cell), (_, data_type)) in columns.iter_mut().zip(cells).zip(&header) {
            push(column, *data_type, cell);
        }
    }
    Table::from_columns(header.iter().map(|&(name, _)| name).zip(columns.into_iter().map(ColumnBuilder::finish)))
}

fn field(cell: &str) -> (&str, DataType) {
    let (name, data_type) = cell.split_once(':').expect("a header cell is `name:type`");
    let data_type = serde_json::from_value(data_type.into()).expect("a data type such as `f64`");
    (name, data_type)
}

fn push(column: &mut ColumnBuilder, data_type: DataType, cell: &str) {
    if cell.is_empty() {
        return column.push_null();
    }
    match data_type {
        DataType::Bool => column.push_bool(cell.parse().expect("a bool")),
        DataType::S64 | DataType::Timestamp => column.push_s64(cell.parse().expect("a whole number")),
        DataType::F64 => column.push_f64(cell.parse().expect("a number")),
        DataType::F32 => column.push_f32(cell.parse().expect("a number")),
        DataType::Utf8 | DataType::Categorical => column.push_text(cell),
        DataType::Binary => column.push_bytes(cell.as_bytes()),
    }
}

/// The inverse of [`table_from_csv`].
///
/// # Panics
/// Never for a table in memory.
pub fn table_to_csv(table: &Table) -> String {
    let header: Vec<String> =
        table.schema().fields.iter().map(|field| format!("{}:{}", field.name, field.data_type.name())).collect();
    let all: Vec<usize> = (0..header.len()).collect();
    let columns = table.columns(&all).expect("a table in memory can be read");
    let cell = |column: &Column, row| if column.is_null(row) { String::new() } else { column.display(row) };
    let row = |row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(",");
    let rows = (0..table.num_rows()).map(row);
    std::iter::once(header.join(",")).chain(rows).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let text = "age:s64,weight:f64,sex:categorical,ok:bool\n41,70.5,f,true\n,,,\n";
        assert_eq!(table_to_csv(&table_from_csv(text)), text);
    }
}
