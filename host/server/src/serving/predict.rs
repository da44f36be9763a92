//! One request, from its rows to its answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, info_span};
use wasmlops_core::run::Micros;
use wasmlops_core::table::{Batch, Schema};

use crate::clock::new_id;
use crate::inference::{Outcome, Record};
use crate::telemetry::TARGET;

use super::loaded::{Failure, Loaded};
use super::routes::{Choice, Routes, Shared};
use super::statistics::ErrorClass;
use super::{PredictError, PredictRequest, Prediction};

/// The part of the deadline that a candidate may use up; the rest is for the live release, should it fail.
const CANDIDATES_PART: f64 = 0.75;
/// What a client is asked to wait at the least and at the most, where the queue is full.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// A request under way.
struct Asked {
    id: String,
    time: Micros,
    started: Instant,
    deadline: Instant,
    schema: Arc<Schema>,
}

impl Shared {
    pub(super) async fn predict(&self, request: PredictRequest<'_>) -> Result<Prediction, PredictError> {
        let span = info_span!(
            target: TARGET,
            "predict",
            wasmlops.endpoint = self.name(),
            wasmlops.model.version = Empty,
            wasmlops.prediction = Empty,
        );
        let answer = self.answer(request).instrument(span.clone()).await;
        if let Ok(prediction) = &answer {
            span.record("wasmlops.model.version", prediction.version);
            span.record("wasmlops.prediction", prediction.id.as_str());
        }
        answer
    }

    async fn answer(&self, request: PredictRequest<'_>) -> Result<Prediction, PredictError> {
        let PredictRequest { version, schema, rows, id, .. } = request;
        if rows.num_rows == 0 {
            return Err(PredictError::InvalidInput { message: "there are no rows to predict".to_owned() });
        }
        let started = Instant::now();
        let asked = Asked {
            id: id.unwrap_or_else(|| new_id(&*self.clock)),
            time: self.clock.now(),
            started,
            deadline: started + self.config.deadline,
            schema,
        };
        let routes = self.routes.load_full();
        let (release, answer) = match routes.choose(version, &asked.id)? {
            Choice::One(release) => self.one(&routes, release, rows, &asked).await,
            Choice::Candidate { candidate, live } => self.with_fallback(candidate, live, rows, &asked).await,
        };
        let answer = answer.map_err(|failure| failure.error(self.retry_after(&release)))?;
        Ok(Prediction {
            id: asked.id,
            endpoint: self.name().to_owned(),
            model: release.source.model.clone(),
            version: release.source.version,
            schema: release.output.clone(),
            rows: answer,
            took: started.elapsed(),
        })
    }

    async fn one(&self, routes: &Routes, release: Arc<Loaded>, rows: Batch, asked: &Asked) -> Ended {
        let mirrored = routes.shadow.as_ref().filter(|shadow| !Arc::ptr_eq(shadow, &release) && !shadow.is_suspended());
        let kept = (self.log.is_some() || mirrored.is_some()).then(|| rows.clone());
        let answer = release.ask(self, rows, &asked.schema, asked.deadline).await;
        if let (Some(shadow), Some(rows), Ok(answer)) = (mirrored, &kept, &answer) {
            self.mirror(shadow, &release, (rows, &asked.schema), answer);
        }
        let answer = self.recorded(&release, kept, asked, answer);
        (release, answer)
    }

    /// The candidate's fault is not the client's: the live release answers if time is left.
    async fn with_fallback(&self, candidate: Arc<Loaded>, live: Arc<Loaded>, rows: Batch, asked: &Asked) -> Ended {
        let first = asked.started + self.config.deadline.mul_f64(CANDIDATES_PART);
        let failure = match candidate.ask(self, rows.clone(), &asked.schema, first).await {
            Ok(answer) => {
                let kept = self.log.is_some().then_some(rows);
                let answer = self.recorded(&candidate, kept, asked, Ok(answer));
                return (candidate, answer);
            }
            Err(failure) => failure,
        };
        let kept = self.log.is_some().then(|| rows.clone());
        let answer = live.ask(self, rows, &asked.schema, asked.deadline).await;
        if answer.is_ok() && failure.class == ErrorClass::Input {
            // The rows are good for the live release: that the candidate refuses them is its fault.
            candidate.statistics.blame();
            candidate.has_failed(self);
        }
        tracing::debug!(
            endpoint = self.name(),
            version = candidate.source.version,
            class = failure.class.word(),
            error = failure.message,
            "the candidate failed, and the live release answered in its place"
        );
        let answer = self.recorded(&live, kept, asked, answer);
        (live, answer)
    }

    /// Writes the record before the answer goes out. What cannot be recorded is not answered.
    fn recorded(
        &self,
        release: &Arc<Loaded>,
        rows: Option<Batch>,
        asked: &Asked,
        answer: Result<Batch, Failure>,
    ) -> Result<Batch, Problem> {
        let (Some(log), Some(rows)) = (&self.log, rows) else { return answer.map_err(Problem::Failure) };
        let Ok(features) = release.fitted(rows, &asked.schema) else { return answer.map_err(Problem::Failure) };
        let code = answer.as_ref().err().map(|failure| failure.clone().error(Duration::ZERO).code());
        let record = Record {
            source: &release.source,
            id: &asked.id,
            time: asked.time,
            latency_us: u64::try_from(asked.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            outcome: code.map_or(Outcome::Ok, Outcome::Error),
            features: &features,
            predictions: answer.as_ref().ok(),
        };
        match log.append(record) {
            Ok(_) => answer.map_err(Problem::Failure),
            Err(error) => {
                tracing::error!(endpoint = self.name(), %error, "a prediction could not be recorded");
                answer.map_err(Problem::Failure).and(Err(Problem::NotRecorded(error.to_string())))
            }
        }
    }

    /// About how long it takes until those who wait are served.
    fn retry_after(&self, release: &Loaded) -> Duration {
        let typical = release.statistics.snapshot().quantile(0.5);
        let rounds = self.queue.waiting() / self.config.instances.max(1) + 1;
        (typical * u32::try_from(rounds).unwrap_or(u32::MAX)).clamp(RETRY.0, RETRY.1)
    }
}

/// The release that had the last word, and what it was.
type Ended = (Arc<Loaded>, Result<Batch, Problem>);

enum Problem {
    Failure(Failure),
    NotRecorded(String),
}

impl Problem {
    fn error(self, retry_after: Duration) -> PredictError {
        match self {
            Problem::Failure(failure) => failure.error(retry_after),
            Problem::NotRecorded(message) => PredictError::Internal { message },
        }
    }
}
