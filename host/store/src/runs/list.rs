//! Lists of runs, page by page.

use std::fmt::Write;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::Sqlite;

use super::read::{SELECT_RUNS, run_row};
use super::{RunFilter, RunPage, TRIAL};
use crate::error::StoreError;
use crate::store::Store;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

impl Store {
    /// The newest runs that match. Trials of searches are listed with their parent or their origin alone.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    pub async fn list_runs(&self, filter: &RunFilter) -> Result<RunPage, StoreError> {
        let limit = if filter.limit == 0 { DEFAULT_LIMIT } else { filter.limit.min(MAX_LIMIT) } as usize;
        let before = filter.cursor.as_deref().map(read_cursor).transpose()?;
        let sql = AssertSqlSafe(list_sql(filter));
        let mut query = sqlx::query::<Sqlite>(sql);
        query = query.bind(limit as i64 + 1);
        for text in texts(filter).into_iter().filter_map(|(_, text)| text) {
            query = query.bind(text);
        }
        for time in [filter.from, filter.to].into_iter().flatten() {
            query = query.bind(time);
        }
        if let Some((created, id)) = &before {
            query = query.bind(created).bind(id.as_str());
        }
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut runs = rows.iter().map(run_row).collect::<Result<Vec<_>, _>>()?;
        let more = runs.len() > limit;
        runs.truncate(limit);
        let next = runs.last().filter(|_| more).map(|run| format!("{}.{}", run.created, run.id));
        Ok(RunPage { runs, next })
    }
}

/// The columns that a filter compares with a text, in the order in which they are bound.
fn texts(filter: &RunFilter) -> [(&'static str, Option<&str>); 4] {
    [
        ("pipeline", filter.pipeline.as_deref()),
        ("status", filter.status.map(super::RunStatus::as_str)),
        ("origin", filter.origin.as_deref()),
        ("parent", filter.parent.as_deref()),
    ]
}

/// Made of literals alone. Each combination is a text of its own, so that an index serves it.
fn list_sql(filter: &RunFilter) -> String {
    let mut sql = format!("{SELECT_RUNS} WHERE 1 = 1");
    let mut number = 1;
    let mut next = || {
        number += 1;
        number
    };
    for (column, _) in texts(filter).into_iter().filter(|(_, text)| text.is_some()) {
        let _ = write!(sql, " AND {column} = ${}", next());
    }
    if filter.from.is_some() {
        let _ = write!(sql, " AND created >= ${}", next());
    }
    if filter.to.is_some() {
        let _ = write!(sql, " AND created < ${}", next());
    }
    if filter.parent.is_none() && filter.origin.is_none() {
        let _ = write!(sql, " AND NOT ({TRIAL})");
    }
    if filter.cursor.is_some() {
        let _ = write!(sql, " AND (created, id) < (${}, ${})", next(), next());
    }
    sql.push_str(" ORDER BY created DESC, id DESC LIMIT $1");
    sql
}

fn read_cursor(cursor: &str) -> Result<(i64, String), StoreError> {
    let parts = cursor.split_once('.').and_then(|(created, id)| Some((created.parse().ok()?, id.to_owned())));
    parts.ok_or_else(|| StoreError::BadCursor(cursor.chars().take(100).collect()))
}

#[cfg(test)]
mod tests;
