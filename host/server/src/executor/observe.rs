//! Monitors: a window of rows, perhaps against a reference.

use wasmlops_core::artifact::media_type;
use wasmlops_core::call::{Call, Value, Window};
use wasmlops_core::run::Failure;
use wasmlops_core::table::Table;

use super::{Attempt, failure, host_failure};

/// The column of a window that says when each row was answered, in microseconds since 1970-01-01T00:00:00Z.
const TIME: &str = "_time";

impl Attempt<'_> {
    pub(super) fn observe(&mut self) -> Result<(), Failure> {
        let rows = self.table(self.required("window")?)?;
        let reference = self.input("reference").map(|input| self.table(input)).transpose()?;
        let (start, end) = span(&rows)?.unzip();
        let window = Window { rows, start, end };
        let answer = self.main(Call::Observe { config: self.config(), window, reference })?;
        let Value::Findings(findings) = answer else { return Err(failure::odd_answer()) };
        self.made_json("findings", media_type::REPORT, &findings)
    }
}

/// From the first row's time to just after the last row's; nothing for rows without times.
fn span(rows: &Table) -> Result<Option<(i64, i64)>, Failure> {
    let Some(column) = rows.schema().index_of(TIME) else { return Ok(None) };
    let column = u32::try_from(column).map_err(host_failure)?;
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut done = 0;
    while done < rows.num_rows() {
        let batch = rows.read(&[column], done, rows.num_rows() - done).map_err(host_failure)?;
        for time in batch.columns[0].values.as_chunks::<8>().0 {
            let time = i64::from_le_bytes(*time);
            (first, last) = (first.min(time), last.max(time));
        }
        done += batch.num_rows;
    }
    Ok((first <= last).then(|| (first, last.saturating_add(1))))
}
