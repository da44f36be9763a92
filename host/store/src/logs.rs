//! What guests said. Covered by their step's audit record: a line is no change.

use sqlx::Row;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::error::StoreError;
use crate::script::{Insert, Script};
use crate::store::Store;

const DEFAULT_LIMIT: u32 = 1000;
const MAX_LIMIT: u32 = 100_000;

/// A line of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRow {
    pub step_key: String,
    pub attempt: i64,
    /// Within the attempt; given by whoever collects the lines. The same number again is ignored.
    pub seq: i64,
    /// Microseconds since 1970.
    pub time: i64,
    pub level: String,
    pub message: String,
    /// JSON.
    pub fields: String,
}

/// Which lines. They come in the order of time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogQuery {
    pub run: String,
    pub step_key: Option<String>,
    /// Only what follows this line.
    pub after: Option<LogCursor>,
    /// 0 stands for 1,000; at most 100,000.
    pub limit: u32,
}

/// The place of a line in its run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LogCursor {
    pub time: i64,
    pub step_key: String,
    pub attempt: i64,
    pub seq: i64,
}

impl LogRow {
    pub fn cursor(&self) -> LogCursor {
        LogCursor { time: self.time, step_key: self.step_key.clone(), attempt: self.attempt, seq: self.seq }
    }
}

impl Store {
    /// # Errors
    /// [`StoreError::RunNotFound`].
    pub async fn append_logs(&self, run: &str, lines: Vec<LogRow>) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let mut script = Script::new();
                insert_lines(&mut script, &run, lines);
                tx.run(script).await.map_err(|error| error.or_unknown_run(run))
            })
        })
        .await
    }

    pub async fn logs(&self, query: &LogQuery) -> Result<Vec<LogRow>, StoreError> {
        let limit = if query.limit == 0 { DEFAULT_LIMIT } else { query.limit.min(MAX_LIMIT) };
        let (time, step_key, attempt, seq) = match &query.after {
            Some(after) => (after.time, after.step_key.as_str(), after.attempt, after.seq),
            None => (i64::MIN, "", 0, 0),
        };
        let sql = match query.step_key {
            Some(_) => {
                "SELECT step_key, attempt, seq, time, level, message, fields FROM log_lines
                 WHERE run = $1 AND (time, step_key, attempt, seq) > ($2, $3, $4, $5) AND step_key = $7
                 ORDER BY time, step_key, attempt, seq LIMIT $6"
            }
            None => {
                "SELECT step_key, attempt, seq, time, level, message, fields FROM log_lines
                 WHERE run = $1 AND (time, step_key, attempt, seq) > ($2, $3, $4, $5)
                 ORDER BY time, step_key, attempt, seq LIMIT $6"
            }
        };
        let mut select = sqlx::query::<Sqlite>(sql).bind(&query.run).bind(time).bind(step_key).bind(attempt);
        select = select.bind(seq).bind(limit);
        if let Some(step_key) = &query.step_key {
            select = select.bind(step_key);
        }
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(log_row).collect::<Result<_, _>>()?)
    }
}

fn insert_lines(script: &mut Script, run: &str, lines: Vec<LogRow>) {
    let insert = Insert {
        head: "INSERT INTO log_lines (run, step_key, attempt, seq, time, level, message, fields)",
        row: "(?, ?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (run, step_key, attempt, seq) DO NOTHING",
    };
    script.insert(insert, lines, |values, line| {
        values.bind(run).bind(line.step_key).bind(line.attempt).bind(line.seq).bind(line.time);
        values.bind(line.level).bind(line.message).bind(line.fields);
    });
}

fn log_row(row: &SqliteRow) -> Result<LogRow, sqlx::Error> {
    Ok(LogRow {
        step_key: row.try_get("step_key")?,
        attempt: row.try_get("attempt")?,
        seq: row.try_get("seq")?,
        time: row.try_get("time")?,
        level: row.try_get("level")?,
        message: row.try_get("message")?,
        fields: row.try_get("fields")?,
    })
}
