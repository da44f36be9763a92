//! What models say of their training rows, kept because making it costs a pass over them.

use wasmlops_package::{Digest, DigestError};

use crate::error::StoreError;
use crate::row::text;
use crate::store::Store;

impl Store {
    /// The table that was made of these training rows with this model, if it was.
    pub async fn reference_table(&self, model: &Digest, training: &Digest) -> Result<Option<Digest>, StoreError> {
        let query = sqlx::query_scalar("SELECT digest FROM inference_references WHERE model = $1 AND training = $2");
        let query = query.bind(text(model)).bind(text(training));
        let digest: Option<String> = query.fetch_optional(&mut *self.reader().await?).await?;
        let parsed = digest.map(|digest| digest.parse()).transpose();
        parsed.map_err(|error: DigestError| sqlx::Error::Decode(Box::new(error)).into())
    }

    /// Remembers a table that is stored already. It follows from its inputs, so it needs no audit.
    pub async fn keep_reference_table(
        &self,
        model: Digest,
        training: Digest,
        digest: Digest,
        time: i64,
    ) -> Result<(), StoreError> {
        self.with_tx(move |tx| {
            Box::pin(async move {
                let query = sqlx::query(
                    "INSERT INTO inference_references (model, training, digest, created) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (model, training) DO UPDATE SET digest = excluded.digest",
                );
                let query = query.bind(text(&model)).bind(text(&training)).bind(text(&digest)).bind(time);
                query.execute(tx.connection().await?).await?;
                Ok(())
            })
        })
        .await
    }
}
