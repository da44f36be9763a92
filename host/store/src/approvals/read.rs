//! What is open, what was decided, and which runs can go on by it.

use sqlx::AssertSqlSafe;

use super::{ApprovalRow, COLUMNS, approval_row};
use crate::error::StoreError;
use crate::store::Store;

/// Approvals per page where the caller does not say.
const PAGE: u32 = 100;
const MOST_PER_PAGE: u32 = 1000;

/// Which approvals to list. Empty: all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApprovalFilter {
    pub only_open: bool,
    pub run: Option<String>,
    /// Per page, 1 to 1,000; 0 stands for 100.
    pub limit: u32,
    /// Of the page before.
    pub cursor: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApprovalPage {
    /// Newest first.
    pub approvals: Vec<ApprovalRow>,
    /// For the next page; absent on the last.
    pub next: Option<String>,
}

impl Store {
    /// Approvals, a page at a time.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    pub async fn approvals(&self, filter: &ApprovalFilter) -> Result<ApprovalPage, StoreError> {
        let limit = if filter.limit == 0 { PAGE } else { filter.limit.min(MOST_PER_PAGE) };
        let after = filter.cursor.as_deref().map(Cursor::parse).transpose()?;
        let mut sql = format!("SELECT {COLUMNS} FROM step_approvals WHERE ($1 IS NULL OR run = $1)");
        if filter.only_open {
            sql += " AND state = 'open'";
        }
        if after.is_some() {
            sql += " AND (requested, run, step_key, attempt) < ($3, $4, $5, $6)";
        }
        sql += " ORDER BY requested DESC, run DESC, step_key DESC, attempt DESC LIMIT $2";
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(&filter.run).bind(i64::from(limit) + 1);
        if let Some(after) = after {
            query = query.bind(after.requested).bind(after.run).bind(after.step_key).bind(after.attempt);
        }
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut approvals: Vec<ApprovalRow> = rows.iter().map(approval_row).collect::<Result<_, _>>()?;
        let more = approvals.len() > limit as usize;
        approvals.truncate(limit as usize);
        let next = approvals.last().filter(|_| more).map(Cursor::text);
        Ok(ApprovalPage { approvals, next })
    }

    /// What a step asks, or asked last.
    pub async fn approval(&self, run: &str, step: &str) -> Result<Option<ApprovalRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM step_approvals WHERE run = $1 AND step_key = $2 ORDER BY attempt DESC LIMIT 1"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(run).bind(step);
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.as_ref().map(approval_row).transpose()?)
    }

    /// What was decided and the run has not taken up.
    pub async fn unsettled_decisions(&self, run: &str) -> Result<Vec<ApprovalRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM step_approvals WHERE run = $1 AND settled IS NULL AND state <> 'open' ORDER BY step_key"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(run).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(approval_row).collect::<Result<_, _>>()?)
    }

    /// Runs that wait though there is something for them to take up, and that no server will take: left behind by a
    /// process that died in between, or asked to stop.
    pub async fn runs_to_go_on_with(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT runs.id FROM runs LEFT JOIN run_queue ON run_queue.run = runs.id
             WHERE runs.status = 'waiting' AND COALESCE(run_queue.state, 'done') = 'done'
                 AND (runs.cancel_requested IS NOT NULL OR EXISTS (
                     SELECT 1 FROM step_approvals
                     WHERE step_approvals.run = runs.id AND settled IS NULL AND step_approvals.state <> 'open'))
             ORDER BY runs.created, runs.id LIMIT $1",
        );
        Ok(query.bind(limit).fetch_all(&mut *self.reader().await?).await?)
    }
}

/// The last approval of a page.
struct Cursor {
    requested: i64,
    run: String,
    attempt: i64,
    step_key: String,
}

impl Cursor {
    fn text(row: &ApprovalRow) -> String {
        format!("{}.{}.{}.{}", row.requested, row.run, row.attempt, row.step_key)
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        // A step's key may have dots in it; it comes last.
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        if let [requested, run, attempt, step_key] = parts.as_slice()
            && let (Ok(requested), Ok(attempt)) = (requested.parse(), attempt.parse())
        {
            return Ok(Self { requested, run: (*run).to_owned(), attempt, step_key: (*step_key).to_owned() });
        }
        Err(StoreError::BadCursor(text.chars().take(100).collect()))
    }
}
