//! Batches that are not what they say: each is refused with the reason, and leaves nothing behind.

use super::*;

fn i32s(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn texts(values: &[u8], offsets: &[i32]) -> Column {
    Column { values: values.to_vec(), offsets: Some(i32s(offsets)), ..Column::default() }
}

fn codes(codes: &[i32], values: &[u8], offsets: &[i32]) -> Column {
    let dictionary = Some(Dictionary { offsets: i32s(offsets), values: values.to_vec() });
    Column { values: i32s(codes), dictionary, ..Column::default() }
}

/// The error for two rows of one column.
#[track_caller]
fn refused(data_type: DataType, column: Column) -> String {
    refused_rows(data_type, column, 2)
}

#[track_caller]
fn refused_rows(data_type: DataType, column: Column, num_rows: u64) -> String {
    let mut builder = TableBuilder::new(Schema::new(vec![field("x", data_type)]).unwrap());
    let error = builder.push(Batch { num_rows, columns: vec![column] }).unwrap_err();
    assert_eq!((builder.num_rows(), builder.bytes()), (0, 0));
    error.to_string()
}

#[test]
fn lengths() {
    let values = |bytes: usize| Column { values: vec![0; bytes], ..Column::default() };
    assert_eq!(refused(DataType::F64, values(15)), "column `x`: values of 2 rows must have 16 bytes, found 15");
    assert_eq!(refused(DataType::F32, values(16)), "column `x`: values of 2 rows must have 8 bytes, found 16");
    assert_eq!(refused(DataType::Bool, values(0)), "column `x`: values of 2 rows must have 1 bytes, found 0");
    for data_type in [DataType::F64, DataType::Bool, DataType::Categorical] {
        let mut column = values(16);
        column.dictionary =
            (data_type == DataType::Categorical).then(|| Dictionary { offsets: i32s(&[0]), values: vec![] });
        assert!(refused_rows(data_type, column, u64::MAX).contains("values of 18446744073709551615 rows must have"));
    }
    let column = Column { validity: Some(vec![0, 0]), ..values(16) };
    assert_eq!(refused(DataType::F64, column), "column `x`: validity of 2 rows must have 1 bytes, found 2");
    assert_eq!(
        refused(DataType::Utf8, texts(b"", &[0, 0])),
        "column `x`: offsets of 2 rows must have 12 bytes, found 8"
    );
    assert!(refused_rows(DataType::Utf8, texts(b"", &[0]), u64::MAX).contains("must have 73786976294838206464 bytes"));
}

#[test]
fn buffers_that_are_missing_or_do_not_belong() {
    assert_eq!(refused(DataType::Utf8, Column::default()), "column `x` of type utf8 has no offsets");
    assert_eq!(refused(DataType::Categorical, Column::default()), "column `x` of type categorical has no dictionary");
    let unused = "column `x` of type s64 has offsets, which that type does not use";
    assert_eq!(refused(DataType::S64, texts(b"", &[0])), unused);
}

#[test]
fn offsets() {
    let wrong = |index: usize| {
        format!("column `x`: offsets must start at 0, never fall and end within 3 bytes; entry {index} does not")
    };
    for (offsets, index) in [([1, 2, 3], 0), ([0, 3, 2], 2), ([0, -1, 3], 1), ([0, 1, 4], 2), ([-1, 0, 1], 0)] {
        assert_eq!(refused(DataType::Utf8, texts(b"abc", &offsets)), wrong(index));
        assert_eq!(refused(DataType::Binary, texts(b"abc", &offsets)), wrong(index));
    }
}

#[test]
fn text() {
    let wrong = |index: usize| {
        format!("column `x`: text is not UTF-8 at entry {index}\nhint: use `binary` for bytes that are no text")
    };
    assert_eq!(refused(DataType::Utf8, texts(b"a\xff", &[0, 1, 2])), wrong(1));
    assert_eq!(refused(DataType::Utf8, texts("ä".as_bytes(), &[0, 1, 2])), wrong(1));
    let mut builder = TableBuilder::new(Schema::new(vec![field("x", DataType::Binary)]).unwrap());
    builder.push(Batch { num_rows: 2, columns: vec![texts(b"a\xff", &[0, 1, 2])] }).unwrap();
}

#[test]
fn dictionaries_and_codes() {
    let outside = |code: i32| format!("column `x`: row 1 has code {code}, and the dictionary holds 2 texts");
    assert_eq!(refused(DataType::Categorical, codes(&[0, 2], b"ab", &[0, 1, 2])), outside(2));
    assert_eq!(refused(DataType::Categorical, codes(&[0, -1], b"ab", &[0, 1, 2])), outside(-1));
    let twice = codes(&[0, 1], b"aa", &[0, 1, 2]);
    assert_eq!(refused(DataType::Categorical, twice), "column `x`: dictionary holds `a` twice");
    let cut = codes(&[0, 1], "ä".as_bytes(), &[0, 1, 2]);
    assert!(refused(DataType::Categorical, cut).starts_with("column `x`: dictionary is not UTF-8 at entry 1"));
    assert!(refused(DataType::Categorical, codes(&[0, 1], b"a", &[0, 1, 2])).contains("dictionary offsets must start"));
    assert!(
        refused(DataType::Categorical, codes(&[0, 0], b"", &[])).contains("dictionary offsets of 0 rows must have 4")
    );
}

#[test]
fn nulls_where_there_may_be_none() {
    let schema = Schema::new(vec![Field { nullable: false, ..field("x", DataType::S64) }]).unwrap();
    let column = |bits| Column { values: vec![0; 80], validity: Some(bits), ..Column::default() };
    let mut builder = TableBuilder::new(schema);
    let batch = Batch { num_rows: 10, columns: vec![column(vec![0xff, 0b01])] };
    assert_eq!(builder.push(batch).unwrap_err(), TableError::Null { column: "x".into(), row: 9 });
    // What lies behind the last row does not count.
    builder.push(Batch { num_rows: 10, columns: vec![column(vec![0xff, 0b11])] }).unwrap();
}

#[test]
fn a_refused_batch_leaves_nothing_behind() {
    let schema = Schema::new(vec![field("a", DataType::S64), field("b", DataType::Utf8)]).unwrap();
    let rows = vec![vec![Cell::S64(1), Cell::Text("x".into())]];
    let good = wire(&schema, &rows, &Layout::default());
    let mut bad = good.clone();
    bad.columns[1].values = vec![0xff];
    let mut builder = TableBuilder::new(schema.clone());
    builder.push(good).unwrap();
    assert!(builder.push(bad).is_err());
    assert_eq!(builder.finish().unwrap(), table(&schema, &rows, &[], &Layout::default()));

    let mut builder = TableBuilder::new(schema);
    let refused = builder.push(Batch { num_rows: 0, columns: vec![] }).unwrap_err();
    assert_eq!(refused, TableError::ColumnCount { expected: 2, found: 0 });
    let refused = TableBuilder::new(Schema::default()).push(Batch { num_rows: 1, columns: vec![] });
    assert_eq!(refused.unwrap_err(), TableError::NoColumns);
}
