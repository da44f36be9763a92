//! Which attempt of which step used or made which bytes. Written with the step, see
//! [`RunChange`](crate::runs::RunChange).

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use wasmlops_package::Digest;

use crate::error::StoreError;
use crate::row::{head, parsed, text, words};
use crate::script::{Insert, Script};
use crate::store::Store;

words! {
    pub enum Direction {
        Used = "used",
        Made = "made",
    }
}

/// An edge between an attempt of a step and some bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    pub step_key: String,
    pub attempt: i64,
    pub direction: Direction,
    /// What the bytes were to the step: `component`, `input:<name>`, `file:<path>`, `output:<name>`.
    pub role: String,
    pub digest: Digest,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EdgeRow {
    pub run: String,
    pub edge: Edge,
}

impl Store {
    /// The attempts that made these bytes, oldest run first.
    pub async fn producers_of(&self, digest: &Digest) -> Result<Vec<EdgeRow>, StoreError> {
        self.edges_at(digest, Direction::Made).await
    }

    /// The attempts that used these bytes, oldest run first.
    pub async fn consumers_of(&self, digest: &Digest) -> Result<Vec<EdgeRow>, StoreError> {
        self.edges_at(digest, Direction::Used).await
    }

    /// All edges of a run.
    pub async fn edges_of_run(&self, run: &str) -> Result<Vec<EdgeRow>, StoreError> {
        let query = sqlx::query(
            "SELECT run, step_key, attempt, direction, role, digest FROM lineage
             WHERE run = $1 ORDER BY step_key, attempt, direction, role",
        );
        let rows = query.bind(run).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(edge_row).collect::<Result<_, _>>()?)
    }

    async fn edges_at(&self, digest: &Digest, direction: Direction) -> Result<Vec<EdgeRow>, StoreError> {
        let query = sqlx::query(
            "SELECT run, step_key, attempt, direction, role, digest FROM lineage JOIN runs ON runs.id = lineage.run
             WHERE digest_head = $1 AND digest = $2 AND direction = $3
             ORDER BY created, run, step_key, attempt, role",
        );
        let query = query.bind(head(digest)).bind(text(digest)).bind(direction.as_str());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(edge_row).collect::<Result<_, _>>()?)
    }
}

/// The facts of an attempt never change, so writing them again is no error.
pub(crate) fn insert_edges(script: &mut Script, run: &str, edges: Vec<Edge>) {
    let insert = Insert {
        head: "INSERT INTO lineage (run, step_key, attempt, direction, role, digest, digest_head)",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (run, step_key, attempt, direction, role) DO NOTHING",
    };
    script.insert(insert, edges, |values, edge| {
        values.bind(run).bind(edge.step_key).bind(edge.attempt).bind(edge.direction.as_str());
        values.bind(edge.role).bind(text(&edge.digest)).bind(head(&edge.digest));
    });
}

fn edge_row(row: &SqliteRow) -> Result<EdgeRow, sqlx::Error> {
    let edge = Edge {
        step_key: row.try_get("step_key")?,
        attempt: row.try_get("attempt")?,
        direction: parsed(row, "direction")?,
        role: row.try_get("role")?,
        digest: parsed(row, "digest")?,
    };
    Ok(EdgeRow { run: row.try_get("run")?, edge })
}
