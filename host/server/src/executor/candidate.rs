//! The model under evaluation, for validators that ask it about other rows than those of the step.
//!
//! It is the same chain that made the evaluation's predictions: the transforms with their states, then the predictor,
//! from the same digests, each prepared as there. It is loaded when it is first asked, on the thread of the guest that
//! asks, and works there while that guest waits: so the step's deadline and its cancelling hold for it, and it needs no
//! place of its own among the engine's threads.

use std::fmt::Display;

use wasmlops_core::artifact::ModelDocument;
use wasmlops_core::call::{ErrorCode, GuestError, Model, Reply};
use wasmlops_core::limits::Limits;
use wasmlops_core::run::Failure;
use wasmlops_core::table::{Batch, Schema};
use wasmlops_engine::{Prepared, Profile, Stage, StageKind, Warm, WarmError, WarmRequest};
use wasmlops_package::Digest;

use super::Executor;

pub(super) struct Candidate {
    executor: Executor,
    /// In the order in which rows go through them.
    parts: Vec<Part>,
    /// The columns of the step's rows.
    input: Schema,
    /// Those of the step, for each component of the model anew.
    limits: Limits,
    /// One instance for each part.
    loaded: tokio::sync::Mutex<Vec<Warm>>,
}

struct Part {
    prepared: Prepared,
    /// Of the transform's state or the predictor's model.
    bytes: Digest,
    kind: StageKind,
}

impl Candidate {
    /// Prepares the components, which the evaluation needs anyway: a guest's thread is no place for a compiler.
    ///
    /// Errors: one of them is missing, or cannot be called.
    pub fn new(
        executor: &Executor,
        document: &ModelDocument,
        input: &Schema,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let part = |component: &Digest, bytes: &Digest, strict: bool, kind: StageKind| {
            let profile = Profile { strict, fuel: limits.fuel.is_some() };
            Ok(Part { prepared: executor.prepare(component, profile)?, bytes: *bytes, kind })
        };
        let ModelDocument { transforms, predictor, model, strict, .. } = document;
        let transforms = transforms.iter().map(|one| (&one.component, &one.state, one.strict, StageKind::Transform));
        let parts = transforms.chain([(predictor, model, *strict, StageKind::Predictor)]);
        let parts = parts.map(|(component, bytes, strict, kind)| part(component, bytes, strict, kind));
        Ok(Self {
            executor: executor.clone(),
            parts: parts.collect::<Result<_, Failure>>()?,
            input: input.clone(),
            limits: limits.clone(),
            loaded: tokio::sync::Mutex::default(),
        })
    }

    async fn ask(&self, mut rows: Batch) -> Result<Batch, GuestError> {
        let mut loaded = self.loaded.lock().await;
        if loaded.is_empty() {
            *loaded = self.load().await?;
        }
        for warm in loaded.iter_mut() {
            rows = warm.predict(rows, self.limits.timeout).await.map_err(guest_error)?;
        }
        Ok(rows)
    }

    /// Each component in a store of its own, since each may have a profile of its own. Reads what it was fitted or
    /// trained to, which blocks, as the guest's thread may.
    async fn load(&self) -> Result<Vec<Warm>, GuestError> {
        let mut loaded: Vec<Warm> = Vec::with_capacity(self.parts.len());
        for Part { prepared, bytes, kind } in &self.parts {
            let bytes = self.executor.blobs.get_blocking(bytes).map_err(|error| unavailable(&error))?;
            let stages = vec![Stage { prepared: prepared.clone(), bytes: bytes.into(), kind: *kind }];
            let input = loaded.last().map_or(&self.input, Warm::output).clone();
            let request = WarmRequest { stages, input, limits: self.limits.clone() };
            loaded.push(self.executor.engine.warm(request).await.map_err(guest_error)?);
        }
        Ok(loaded)
    }
}

impl Model for Candidate {
    fn predict(&self, rows: Batch) -> Reply<'_, Result<Batch, GuestError>> {
        Box::pin(self.ask(rows))
    }
}

/// It could be read for the evaluation, so another attempt may go better.
fn unavailable(error: &dyn Display) -> GuestError {
    GuestError { code: ErrorCode::Unavailable, message: error.to_string(), field: None }
}

fn guest_error(error: WarmError) -> GuestError {
    let code = match &error {
        WarmError::Guest(error) => return error.clone(),
        WarmError::InvalidInput { .. } => ErrorCode::InvalidInput,
        WarmError::Denied { .. } => ErrorCode::Denied,
        WarmError::TimedOut { .. } | WarmError::OutOfMemory { .. } | WarmError::Exhausted { .. } => {
            ErrorCode::Exhausted
        }
        WarmError::Trapped { .. } | WarmError::InvalidResult { .. } | WarmError::Cancelled | WarmError::Dead => {
            ErrorCode::Internal
        }
    };
    GuestError { code, message: error.to_string(), field: None }
}
