//! Asking a run to stop.

use serde_json::json;

use super::{CancelAnswer, RunStatus};
use crate::audit::{AuditEntry, Stamp};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Notes that the run is to stop; whoever drives it looks at [`Store::cancel_requested`].
    ///
    /// # Errors
    /// [`StoreError::RunNotFound`].
    pub async fn request_cancel(&self, run: &str, stamp: Stamp) -> Result<CancelAnswer, StoreError> {
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query_as("SELECT status, cancel_requested FROM runs WHERE id = $1").bind(&run);
                let found: Option<(String, Option<i64>)> = query.fetch_optional(tx.connection().await?).await?;
                let (status, requested) = found.ok_or_else(|| StoreError::RunNotFound(run.clone()))?;
                let status: RunStatus = status.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                if status.is_final() {
                    return Ok(CancelAnswer::AlreadyEnded(status));
                }
                if requested.is_some() {
                    return Ok(CancelAnswer::AlreadyRequested);
                }
                let update = sqlx::query("UPDATE runs SET cancel_requested = $1 WHERE id = $2");
                update.bind(stamp.time).bind(&run).execute(tx.connection().await?).await?;
                tx.audit(AuditEntry {
                    stamp,
                    action: "run.cancel_requested".to_owned(),
                    subject: format!("run:{run}"),
                    details: json!({ "status": status.as_str() }).to_string(),
                });
                Ok(CancelAnswer::Requested)
            })
        })
        .await
    }

    /// Whether the run is to stop; `false` for a run that is not known.
    pub async fn cancel_requested(&self, run: &str) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar("SELECT cancel_requested FROM runs WHERE id = $1").bind(run);
        let requested: Option<Option<i64>> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(requested.flatten().is_some())
    }
}
