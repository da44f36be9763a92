//! Reading and writing within a transaction.

use super::{EndpointRow, ReleaseEventRow, ReleaseRow, ServingState, release_row, serving_state};
use crate::error::StoreError;
use crate::script::{Insert, Script};
use crate::writer::Tx;

impl Tx {
    /// The endpoint as it is now, with what this transaction has changed.
    pub async fn serving_state(&mut self, endpoint: &str) -> Result<Option<ServingState>, StoreError> {
        serving_state(self.connection().await?, endpoint).await
    }

    /// The release that was asked for under this key.
    pub async fn release_of_key(&mut self, endpoint: &str, key: &str) -> Result<Option<ReleaseRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, endpoint, key, version, phase, state, actor, requested, ended FROM releases
             WHERE endpoint = $1 AND key = $2",
        );
        let row = query.bind(endpoint).bind(key).fetch_optional(self.connection().await?).await?;
        Ok(row.as_ref().map(release_row).transpose()?)
    }

    /// Makes the endpoint, or replaces all of it but the time when it was made.
    pub async fn put_endpoint(&mut self, row: EndpointRow) -> Result<(), StoreError> {
        let mut script = Script::new();
        let insert = script.statement(
            "INSERT INTO endpoints (name, model, config, state, created, updated) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET model = excluded.model, config = excluded.config,
                 state = excluded.state, updated = excluded.updated",
        );
        insert.bind(row.name).bind(row.model).bind(row.config).bind(row.state).bind(row.created).bind(row.updated);
        self.run(script).await
    }

    /// Makes releases, after all that the endpoint has, or replaces version, phase, state and end of those that are
    /// there.
    pub async fn put_releases(&mut self, rows: Vec<ReleaseRow>) -> Result<(), StoreError> {
        for row in rows {
            let mut script = Script::new();
            let insert = script.statement(
                "INSERT INTO releases (id, endpoint, position, key, version, phase, state, actor, requested, ended)
                 VALUES (?, ?, (SELECT COALESCE(MAX(position), 0) + 1 FROM releases WHERE endpoint = ?), ?, ?, ?, ?, ?,
                     ?, ?)
                 ON CONFLICT (id) DO UPDATE SET version = excluded.version, phase = excluded.phase,
                     state = excluded.state, ended = excluded.ended",
            );
            insert.bind(row.id).bind(row.endpoint.clone()).bind(row.endpoint).bind(row.key).bind(row.version);
            insert.bind(row.phase).bind(row.state).bind(row.actor).bind(row.requested).bind(row.ended);
            self.run(script).await?;
        }
        Ok(())
    }

    /// Appends to the history of an endpoint. The numbers of the rows are ignored: they get the next ones.
    pub async fn append_release_events(
        &mut self,
        endpoint: &str,
        rows: Vec<ReleaseEventRow>,
    ) -> Result<(), StoreError> {
        let query = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM release_events WHERE endpoint = $1");
        let last: i64 = query.bind(endpoint).fetch_one(self.connection().await?).await?;
        let insert = Insert {
            head: "INSERT INTO release_events (endpoint, seq, time, actor, release, event, details)",
            row: "(?, ?, ?, ?, ?, ?, ?)",
            tail: "",
        };
        let mut script = Script::new();
        let mut seq = last;
        script.insert(insert, rows, |values, row| {
            seq += 1;
            values.bind(endpoint.to_owned()).bind(seq).bind(row.time).bind(row.actor);
            values.bind(row.release).bind(row.event).bind(row.details);
        });
        self.run(script).await
    }
}
