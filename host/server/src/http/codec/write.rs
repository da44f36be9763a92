//! Predictions as JSON, written straight into the answer's bytes.

use wasmlops_core::table::{Batch, Schema};

use super::view::{ColumnView, json};

/// What the names of probability columns start with; the class follows.
const PROBABILITY: &str = "probability.";

/// Appends the list of predictions: one object a row with its id, what the model's output columns say, and under
/// `probabilities` those of classes by class.
pub fn predictions(out: &mut Vec<u8>, id: &str, schema: &Schema, rows: &Batch) {
    let layout = Layout::of(schema, rows);
    let count = usize::try_from(rows.num_rows).unwrap_or_default();
    out.push(b'[');
    for row in 0..count {
        if row > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":");
        match count {
            1 => json(out, id),
            _ => json(out, &format!("{id}.{row}")),
        }
        layout.write(out, row);
        out.push(b'}');
    }
    out.push(b']');
}

struct Layout<'a> {
    plain: Vec<(&'a str, ColumnView<'a>)>,
    probabilities: Vec<(&'a str, ColumnView<'a>)>,
}

impl<'a> Layout<'a> {
    fn of(schema: &'a Schema, rows: &'a Batch) -> Self {
        let mut layout = Self { plain: Vec::new(), probabilities: Vec::new() };
        for (field, column) in schema.fields.iter().zip(&rows.columns) {
            let view = ColumnView::new(field.data_type, column);
            match field.name.strip_prefix(PROBABILITY) {
                Some(class) => layout.probabilities.push((class, view)),
                None => layout.plain.push((&field.name, view)),
            }
        }
        layout
    }

    fn write(&self, out: &mut Vec<u8>, row: usize) {
        for (name, view) in &self.plain {
            out.push(b',');
            // `id` is the row's own.
            json(out, if *name == "id" { "output.id" } else { name });
            out.push(b':');
            view.write_json(row, out);
        }
        if self.probabilities.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"probabilities\":{");
        for (index, (class, view)) in self.probabilities.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            json(out, class);
            out.push(b':');
            view.write_json(row, out);
        }
        out.push(b'}');
    }
}
