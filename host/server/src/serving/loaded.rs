//! A release in memory: asks one of its instances, and counts what comes of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument, info_span};
use wasmlops_core::call::ErrorCode;
use wasmlops_core::rollout::Measured;
use wasmlops_core::run::Micros;
use wasmlops_core::table::{Batch, Schema};
use wasmlops_engine::WarmError;

use crate::inference::Source;
use crate::telemetry::TARGET;

use super::PredictError;
use super::batching::Batching;
use super::build::Blueprint;
use super::pool::{Lease, Pool};
use super::routes::Shared;
use super::shadow::Compared;
use super::statistics::{ErrorClass, Snapshot, Statistics};

pub(super) struct Loaded {
    pub source: Arc<Source>,
    pub input: Arc<Schema>,
    pub output: Arc<Schema>,
    pub blueprint: Blueprint,
    pub pool: Pool,
    pub statistics: Statistics,
    /// How a shadow's answers compare.
    pub compared: Compared,
    batching: Batching,
    /// It has broken its rule on errors and gets nothing more, whatever the routes say.
    suspended: AtomicBool,
    /// When its phase or step began, and the counters of then.
    began: Mutex<(Micros, Snapshot)>,
}

/// Why a release gave no answer.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub class: ErrorClass,
    pub message: String,
}

impl Failure {
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }

    pub fn error(self, retry_after: Duration) -> PredictError {
        let message = self.message;
        match self.class {
            ErrorClass::Input => PredictError::InvalidInput { message },
            ErrorClass::Overloaded => PredictError::Overloaded { retry_after },
            ErrorClass::Waited | ErrorClass::Slow => PredictError::DeadlineExceeded,
            ErrorClass::Trapped | ErrorClass::InvalidResult | ErrorClass::Model | ErrorClass::Unavailable => {
                PredictError::Model { message }
            }
        }
    }
}

impl From<WarmError> for Failure {
    fn from(error: WarmError) -> Self {
        let class = match &error {
            WarmError::Guest(error) if error.code == ErrorCode::InvalidInput => ErrorClass::Input,
            WarmError::InvalidInput { .. } => ErrorClass::Input,
            WarmError::Guest(_) | WarmError::Denied { .. } | WarmError::Exhausted { .. } => ErrorClass::Model,
            WarmError::TimedOut { .. } => ErrorClass::Slow,
            WarmError::Trapped { .. } | WarmError::OutOfMemory { .. } => ErrorClass::Trapped,
            WarmError::InvalidResult { .. } => ErrorClass::InvalidResult,
            WarmError::Cancelled | WarmError::Dead => ErrorClass::Unavailable,
        };
        Self::new(class, error.to_string())
    }
}

impl Loaded {
    pub fn new(source: Source, blueprint: Blueprint, pool: Pool) -> Self {
        Self {
            input: Arc::new(source.input.clone()),
            output: Arc::new(source.output.clone()),
            source: Arc::new(source),
            blueprint,
            pool,
            statistics: Statistics::default(),
            compared: Compared::default(),
            batching: Batching::default(),
            suspended: AtomicBool::new(false),
            began: Mutex::new((0, Snapshot::empty())),
        }
    }

    /// Predicts rows of `schema` before the deadline, and counts how that ended.
    pub async fn ask(
        &self,
        shared: &Shared,
        rows: Batch,
        schema: &Arc<Schema>,
        deadline: Instant,
    ) -> Result<Batch, Failure> {
        let started = Instant::now();
        let answer = match self.fitted(rows, schema) {
            Ok(rows) => match &shared.config.batch {
                Some(config) if (rows.num_rows as usize) < config.rows => {
                    self.batching.ask(self, shared, rows, deadline).await
                }
                _ => self.ask_alone(shared, rows, deadline).await,
            },
            Err(failure) => Err(failure),
        };
        let error = answer.as_ref().err().map(|failure| failure.class);
        self.statistics.count(started.elapsed(), error);
        if error.is_some_and(ErrorClass::is_fault) {
            self.has_failed(shared);
        }
        answer
    }

    /// One call of one instance.
    pub async fn ask_alone(&self, shared: &Shared, rows: Batch, deadline: Instant) -> Result<Batch, Failure> {
        let mut instance =
            self.instance(shared, deadline).instrument(info_span!(target: TARGET, "predict.queue")).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::new(ErrorClass::Waited, "the deadline passed while the request waited"));
        }
        let call = info_span!(
            target: TARGET,
            "predict.guest",
            wasmlops.model.name = self.source.model,
            wasmlops.model.version = self.source.version,
            wasmlops.rows = rows.num_rows,
        );
        Ok(instance.predict(rows, left).instrument(call).await?)
    }

    async fn instance(&self, shared: &Shared, deadline: Instant) -> Result<Lease<'_>, Failure> {
        if let Some(lease) = self.pool.try_lease() {
            return Ok(lease);
        }
        let Some(_place) = shared.queue.enter(shared.config.queue) else {
            return Err(Failure::new(ErrorClass::Overloaded, "too many requests wait"));
        };
        let waited = || Failure::new(ErrorClass::Waited, "the deadline passed while the request waited");
        tokio::time::timeout_at(deadline, self.pool.lease()).await.map_err(|_| waited())
    }

    /// The columns that this version wants, by name.
    pub fn fitted(&self, rows: Batch, schema: &Arc<Schema>) -> Result<Batch, Failure> {
        if Arc::ptr_eq(schema, &self.input) || **schema == *self.input {
            return Ok(rows);
        }
        let wrong = |message| Failure::new(ErrorClass::Input, message);
        if rows.columns.len() != schema.fields.len() {
            return Err(wrong(format!("{} columns came for {}", rows.columns.len(), schema.fields.len())));
        }
        let mut given: Vec<Option<_>> = rows.columns.into_iter().map(Some).collect();
        let column = |field: &wasmlops_core::table::Field| {
            let index = schema.index_of(&field.name).filter(|&at| schema.fields[at].data_type == field.data_type);
            let version = self.source.version;
            let missing = || wrong(format!("version {version} needs the {} column `{}`", field.data_type, field.name));
            index.and_then(|index| given[index].take()).ok_or_else(missing)
        };
        let columns = self.input.fields.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Batch { num_rows: rows.num_rows, columns })
    }

    /// A fault shows at once: a release on trial that has broken its rule gets no further request while its end is being
    /// written down.
    pub fn has_failed(&self, shared: &Shared) {
        if shared.rules.too_many_errors(&self.measured()) {
            let on_trial = shared.routes.load().is_on_trial(&self.source.release);
            self.suspended.fetch_or(on_trial, Ordering::AcqRel);
            shared.wake.notify_one();
        }
    }

    pub fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::Acquire)
    }

    /// Counts from here on, if its phase or step has begun since it last did.
    pub fn begin(&self, since: Micros) {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        if began.0 != since {
            *began = (since, self.statistics.snapshot());
        }
    }

    /// How it did since its phase or step began.
    pub fn measured(&self) -> Measured {
        let now = self.statistics.snapshot();
        let began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.since(&began.1);
        Measured { requests: since.requests, errors: since.faults(), p99: since.quantile(0.99) }
    }
}
