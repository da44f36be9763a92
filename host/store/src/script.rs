//! Several statements in one go.
//!
//! Every statement sent to sqlx's SQLite driver is a hand-over to the connection's thread and back, some 20 µs, where
//! SQLite itself needs 3 µs. The driver runs several statements of one text in one hand-over, and `execute` stops at
//! the first that fails. A database without that takes the same statements one by one.

use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use crate::error::StoreError;

/// More rows make another statement: SQLite takes 32,766 values in one.
const ROWS_PER_STATEMENT: usize = 500;

/// Texts with more rows than this are not kept prepared: there are too many of them.
const ROWS_KEPT_PREPARED: usize = 8;

/// Statements with the values bound to them.
pub(crate) struct Script {
    sql: String,
    values: Values,
    keep_prepared: bool,
}

/// Values in the order of the `?` in the text.
#[derive(Default)]
pub(crate) struct Values {
    arguments: SqliteArguments,
    error: Option<sqlx::error::BoxDynError>,
}

/// `INSERT` of any number of rows.
pub(crate) struct Insert {
    /// Up to and without `VALUES`.
    pub head: &'static str,
    /// One row of placeholders, with its parentheses.
    pub row: &'static str,
    /// What follows the rows.
    pub tail: &'static str,
}

impl Values {
    pub fn bind<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self
    }
}

impl Script {
    pub fn new() -> Self {
        // A step's statements are about this long.
        Self { sql: String::with_capacity(4096), values: Values::default(), keep_prepared: true }
    }

    /// Adds a statement; its values are bound to what is returned.
    pub fn statement(&mut self, sql: &'static str) -> &mut Values {
        self.sql.push_str(sql);
        self.sql.push(';');
        &mut self.values
    }

    /// Adds an `INSERT` of these rows, or nothing where there are none.
    pub fn insert<T>(
        &mut self,
        insert: Insert,
        rows: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut bind: impl FnMut(&mut Values, T),
    ) {
        let rows = rows.into_iter();
        self.keep_prepared &= rows.len() <= ROWS_KEPT_PREPARED;
        let mut left = 0;
        let mut remaining = rows.len();
        for row in rows {
            if left == 0 {
                left = remaining.min(ROWS_PER_STATEMENT);
                self.sql.push_str(insert.head);
                self.sql.push_str(" VALUES ");
            }
            self.sql.push_str(insert.row);
            bind(&mut self.values, row);
            left -= 1;
            remaining -= 1;
            if left > 0 {
                self.sql.push_str(", ");
            } else {
                self.sql.push(' ');
                self.sql.push_str(insert.tail);
                self.sql.push(';');
            }
        }
    }

    /// Puts a statement before all others. It has no values.
    pub fn first(&mut self, sql: &'static str) {
        self.sql.insert(0, ';');
        self.sql.insert_str(0, sql);
    }

    /// Runs the statements in order, up to the first that fails.
    pub async fn run(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if self.sql.is_empty() {
            return Ok(());
        }
        if let Some(error) = self.values.error {
            return Err(sqlx::Error::Encode(error).into());
        }
        // The text is made of literals of this crate alone; all data is bound.
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.values.arguments).persistent(self.keep_prepared);
        query.execute(connection).await?;
        Ok(())
    }
}
