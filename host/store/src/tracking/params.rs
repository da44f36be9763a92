//! Params, which never change, and tags, which do.

use std::collections::BTreeMap;

use serde_json::json;

use super::names::{PARAM_VALUE_MAX, TAG_VALUE_MAX, check_key, check_length};
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::script::{Insert, Script};
use crate::store::Store;
use crate::writer::Tx;

type Pairs = BTreeMap<String, String>;

impl Store {
    /// Sets params, all of them or none. A param that is there already may only be set to the same value.
    ///
    /// # Errors
    /// [`StoreError::RunNotFound`], [`StoreError::ParamChanged`], [`StoreError::Refused`].
    pub async fn set_params(&self, run: &str, params: Vec<(String, String)>, stamp: Stamp) -> Result<(), StoreError> {
        let mut wanted = Pairs::new();
        check_params(&params)?;
        for (key, value) in params {
            match wanted.get(&key) {
                Some(other) if *other != value => return Err(changed(run, &key, other)),
                _ => wanted.insert(key, value),
            };
        }
        let run = run.to_owned();
        self.with_tx(move |tx| Box::pin(write_params(tx, run, wanted, stamp))).await
    }

    /// Sets tags, all of them or none, and replaces those that are there.
    ///
    /// # Errors
    /// [`StoreError::RunNotFound`], [`StoreError::Refused`].
    pub async fn set_tags(&self, run: &str, tags: Vec<(String, String)>, stamp: Stamp) -> Result<(), StoreError> {
        for (key, value) in &tags {
            check_key("tag", key)?;
            check_length(&format!("the value of tag `{key}`"), value, TAG_VALUE_MAX)?;
        }
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let tags: Pairs = tags.into_iter().collect();
                let record = record("run.tags_set", &run, &tags, stamp);
                let mut script = Script::new();
                upsert_tags(&mut script, &run, tags);
                tx.audit(record);
                tx.run(script).await.map_err(|error| error.or_unknown_run(run))
            })
        })
        .await
    }

    pub async fn params(&self, run: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let query = sqlx::query_as("SELECT key, value FROM params WHERE run = $1").bind(run);
        let pairs: Vec<(String, String)> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(pairs.into_iter().collect())
    }

    pub async fn tags(&self, run: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let query = sqlx::query_as("SELECT key, value FROM tags WHERE run = $1").bind(run);
        let pairs: Vec<(String, String)> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(pairs.into_iter().collect())
    }
}

/// What MLflow's rules allow of params.
pub(crate) fn check_params(params: &[(String, String)]) -> Result<(), StoreError> {
    for (key, value) in params {
        check_key("param", key)?;
        check_length(&format!("the value of param `{key}`"), value, PARAM_VALUE_MAX)?;
    }
    Ok(())
}

async fn write_params(tx: &mut Tx, run: String, mut params: Pairs, stamp: Stamp) -> Result<(), StoreError> {
    let query = sqlx::query_as("SELECT key, value FROM params WHERE run = $1").bind(&run);
    let there: Vec<(String, String)> = query.fetch_all(tx.connection().await?).await?;
    for (key, value) in there {
        match params.remove(&key) {
            Some(other) if other != value => return Err(changed(&run, &key, &value)),
            _ => {}
        }
    }
    if params.is_empty() {
        return Ok(());
    }
    let record = record("run.params_set", &run, &params, stamp);
    let mut script = Script::new();
    insert_params(&mut script, &run, params);
    tx.audit(record);
    tx.run(script).await.map_err(|error| error.or_unknown_run(run))
}

pub(crate) fn insert_params(
    script: &mut Script,
    run: &str,
    params: impl IntoIterator<Item = (String, String), IntoIter: ExactSizeIterator>,
) {
    let insert = Insert { head: "INSERT INTO params (run, key, value)", row: "(?, ?, ?)", tail: "" };
    script.insert(insert, params, |values, (key, value)| {
        values.bind(run).bind(key).bind(value);
    });
}

fn upsert_tags(script: &mut Script, run: &str, tags: Pairs) {
    let insert = Insert {
        head: "INSERT INTO tags (run, key, value)",
        row: "(?, ?, ?)",
        tail: "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value",
    };
    script.insert(insert, tags, |values, (key, value)| {
        values.bind(run).bind(key).bind(value);
    });
}

/// Keys only: values may be long, or secret by mistake.
fn record(action: &str, run: &str, pairs: &Pairs, stamp: Stamp) -> AuditEntry {
    let keys: Vec<_> = pairs.keys().collect();
    AuditEntry {
        stamp,
        action: action.to_owned(),
        subject: format!("run:{run}"),
        details: json!({ "keys": keys }).to_string(),
    }
}

fn changed(run: &str, key: &str, value: &str) -> StoreError {
    let value = value.chars().take(100).collect();
    StoreError::ParamChanged { run: run.to_owned(), key: key.to_owned(), value }
}
