//! Lists of runs, page by page.

use std::fmt::Write;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::Sqlite;

use super::read::{SELECT_RUNS, run_row};
use super::{RunFilter, RunPage};
use crate::error::StoreError;
use crate::store::Store;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

impl Store {
    /// The newest runs that match.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    pub async fn list_runs(&self, filter: &RunFilter) -> Result<RunPage, StoreError> {
        let limit = if filter.limit == 0 { DEFAULT_LIMIT } else { filter.limit.min(MAX_LIMIT) } as usize;
        let before = filter.cursor.as_deref().map(read_cursor).transpose()?;
        let sql = AssertSqlSafe(list_sql(filter));
        let mut query = sqlx::query::<Sqlite>(sql);
        query = query.bind(limit as i64 + 1);
        if let Some(pipeline) = &filter.pipeline {
            query = query.bind(pipeline.as_str());
        }
        if let Some(status) = filter.status {
            query = query.bind(status.as_str());
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

/// Made of literals alone. Each combination is a text of its own, so that an index serves it.
fn list_sql(filter: &RunFilter) -> String {
    let mut sql = format!("{SELECT_RUNS} WHERE 1 = 1");
    let mut number = 1;
    let mut next = || {
        number += 1;
        number
    };
    if filter.pipeline.is_some() {
        let _ = write!(sql, " AND pipeline = ${}", next());
    }
    if filter.status.is_some() {
        let _ = write!(sql, " AND status = ${}", next());
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
