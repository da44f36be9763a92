//! The model that is judged, for validators that ask it about other rows than those they were given. It needs no grant
//! and no capability; a component that is no validator may not use this. In native tests [`crate::testing::lend_model`]
//! stands for the model.

use crate::bindings::validator::wasmlops::plugin::models as host;
use crate::error::{Error, Result};
use crate::kinds::Evaluation;
use crate::table::Batch;

/// What the candidate says of `rows`: all columns of [`Evaluation::features`] in their order and with their types,
/// before any transform. The answer has the columns of [`Evaluation::candidate`], one row for each row. About
/// [`crate::BATCH_ROWS`] rows at a time cross fastest, and 64 MiB are the most.
///
/// Errors: `invalid-input` for rows that do not fit; what the model's components refuse; `exhausted` and `internal`
/// where the model broke off, after which it answers nothing more.
pub fn predict(evaluation: &Evaluation, rows: Batch) -> Result<Batch> {
    let given = rows.num_rows;
    let answer = if cfg!(target_family = "wasm") {
        let output = evaluation.candidate.schema();
        let columns: Vec<usize> = (0..output.fields.len()).collect();
        Batch::from_wire(output, &columns, host::predict(&rows.into_wire())?)
    } else {
        crate::testing::ask_model(&rows)?
    };
    if answer.num_rows != given || answer.columns.len() != evaluation.candidate.schema().fields.len() {
        return Err(Error::internal("the model's answer has another form than its predictions"));
    }
    Ok(answer)
}
