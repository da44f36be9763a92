//! From columns to types that cannot be wrong.

use std::str::FromStr;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use wasmlops_package::Digest;

/// A version's number as a column has it. Numbers are counted by this crate, and no count comes near the limit.
pub(crate) fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(crate) fn version(row: &SqliteRow, column: &'static str) -> Result<u64, sqlx::Error> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|error| wrong(column, error))
}

pub(crate) fn optional_version(row: &SqliteRow, column: &'static str) -> Result<Option<u64>, sqlx::Error> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(|value| u64::try_from(value).map_err(|error| wrong(column, error))).transpose()
}

/// A text column as what it stands for.
pub(crate) fn parsed<T>(row: &SqliteRow, column: &'static str) -> Result<T, sqlx::Error>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.try_get::<&str, _>(column)?.parse().map_err(|error| wrong(column, error))
}

/// A JSON list of digests.
pub(crate) fn digests(row: &SqliteRow, column: &'static str) -> Result<Vec<Digest>, sqlx::Error> {
    serde_json::from_str(row.try_get(column)?).map_err(|error| wrong(column, error))
}

pub(crate) fn list(digests: &[Digest]) -> String {
    let texts: Vec<String> = digests.iter().map(|digest| format!("\"{digest}\"")).collect();
    format!("[{}]", texts.join(","))
}

fn wrong(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}
