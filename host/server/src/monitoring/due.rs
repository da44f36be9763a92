//! Which window a monitor looks at next, and whether it is full.

use std::time::Duration;

use wasmlops_core::config::{MonitorConfig, WindowConfig};
use wasmlops_core::run::Micros;
use wasmlops_package::Digest;
use wasmlops_store::WindowRow;

use crate::error::Result;
use crate::host::Host;
use crate::inference::{self, Waiting, WindowData, WindowSpec};
use crate::models::ModelVersion;
use crate::serving::control;

/// Rows beyond the labels that a window by labels asks for: it is judged from the rows that lie so near.
const MOST_UNLABELLED: u64 = 50_000;

/// A full window. Times are microseconds since 1970-01-01T00:00:00Z.
pub struct DueWindow {
    /// Counts the monitor's windows from 1.
    pub seq: i64,
    /// Of the inference log: the first row, and the one after the last.
    pub from_row: i64,
    pub to_row: i64,
    pub starts: Micros,
    pub ends: Micros,
    pub data: WindowData,
    /// The version that answered last in the window, and what it is.
    pub version: u64,
    pub model: ModelVersion,
    /// The rows of the window before.
    pub previous: Option<Digest>,
}

/// The monitor's next window, if it is full. Each row of the log is in one window at the most; those of a stretch of time
/// with too few of them are in none.
pub async fn next(host: &Host, monitor: &MonitorConfig) -> Result<Option<DueWindow>> {
    let last = host.store.windows(&monitor.name.value, 1).await?.into_iter().next();
    let mut from_row = last.as_ref().map_or(0, |window| window.to_row);
    loop {
        let waiting = inference::rows_since(host, &monitor.endpoint, from_row).await?;
        // A cap may have removed what nobody has looked at yet.
        from_row = waiting.first_seq.max(from_row);
        let Some(span) = span(&monitor.window, &last, &waiting, host.clock.now()) else { return Ok(None) };
        let spec = match span {
            Span::Rows { rows } => WindowSpec::Rows { from_seq: from_row, to_seq: from_row + rows },
            Span::Time { start, end } => WindowSpec::Time { start, end },
        };
        let data = inference::window(host, &monitor.endpoint, spec, true).await?;
        if is_full(&monitor.window, &data) {
            return due(host, monitor, last, span, data).await;
        }
        match span {
            Span::Time { .. } if data.to_seq > from_row => from_row = data.to_seq,
            _ => return Ok(None),
        }
    }
}

fn is_full(window: &WindowConfig, data: &WindowData) -> bool {
    match *window {
        WindowConfig::Rows(rows) => data.rows >= rows,
        WindowConfig::Time { min_rows, .. } => data.rows >= min_rows.max(1),
        WindowConfig::Labels(labels) => data.labelled >= labels,
    }
}

async fn due(
    host: &Host,
    monitor: &MonitorConfig,
    last: Option<WindowRow>,
    span: Span,
    data: WindowData,
) -> Result<Option<DueWindow>> {
    // Without an answer there is no version to hold the window against.
    let Some(version) = data.versions.last().copied() else { return Ok(None) };
    let (starts, ends) = match span {
        Span::Rows { .. } => (data.first_time, data.last_time + 1),
        Span::Time { start, end } => (start, end),
    };
    Ok(Some(DueWindow {
        seq: last.as_ref().map_or(1, |window| window.seq + 1),
        from_row: data.from_seq,
        to_row: data.to_seq,
        starts,
        ends,
        version,
        model: control::model_of(host, &monitor.endpoint, version).await?,
        previous: last.map(|window| window.digest),
        data,
    }))
}

/// The part of the log that a window covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Span {
    Rows { rows: i64 },
    Time { start: Micros, end: Micros },
}

/// The span of the next window, if it has passed. Windows by time lie at whole multiples of their length, and stretches
/// without rows have none.
fn span(config: &WindowConfig, last: &Option<WindowRow>, waiting: &Waiting, now: Micros) -> Option<Span> {
    match *config {
        WindowConfig::Rows(rows) if waiting.rows >= rows => Some(Span::Rows { rows: i64::try_from(rows).ok()? }),
        WindowConfig::Rows(_) => None,
        // Whether the labels are there is only known from the rows themselves.
        WindowConfig::Labels(labels) if waiting.rows >= labels => {
            Some(Span::Rows { rows: i64::try_from(waiting.rows.min(labels.saturating_add(MOST_UNLABELLED))).ok()? })
        }
        WindowConfig::Labels(_) => None,
        WindowConfig::Time { length, .. } => {
            let length = micros(length).max(1);
            let first = waiting.first_time?;
            let after_last = last.as_ref().map_or(Micros::MIN, |window| window.ends);
            let start = (first.div_euclid(length) * length).max(after_last);
            let end = start.checked_add(length)?;
            (end <= now).then_some(Span::Time { start, end })
        }
    }
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Micros = 60_000_000;

    fn waiting(rows: u64, first_time: Micros) -> Waiting {
        Waiting { rows, first_seq: 0, first_time: Some(first_time) }
    }

    #[test]
    fn a_window_by_rows_is_due_when_it_is_full() {
        let config = WindowConfig::Rows(200);
        assert_eq!(span(&config, &None, &waiting(199, 0), 0), None);
        assert_eq!(span(&config, &None, &waiting(700, 0), 0), Some(Span::Rows { rows: 200 }));
    }

    #[test]
    fn a_window_by_time_is_due_when_it_has_passed() {
        let config = WindowConfig::Time { length: Duration::from_secs(60), min_rows: 1 };
        let at = 10 * MINUTE + 5;
        assert_eq!(span(&config, &None, &waiting(1, at), 11 * MINUTE - 1), None);
        let whole = Span::Time { start: 10 * MINUTE, end: 11 * MINUTE };
        assert_eq!(span(&config, &None, &waiting(1, at), 11 * MINUTE), Some(whole));
        assert_eq!(span(&config, &None, &Waiting { rows: 0, first_seq: 0, first_time: None }, 11 * MINUTE), None);
    }
}
