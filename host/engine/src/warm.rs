//! A model that stays loaded and answers many calls: transforms in their order, then the predictor.
//!
//! All stages live in one store under one set of limits, so that a model costs what it says. Guests run on the caller's
//! task; at each tick they let other tasks go on, or are interrupted if the call's deadline has passed. An instance
//! that did not come to the end of a call is in an unknown state, and nothing is ever asked of it again: the store is
//! taken out for the call and put back when it has ended well, so that a dropped future drops it too. Knows nothing of
//! endpoints and releases; whoever needs several calls at once loads several.

mod error;
mod stage;

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmlops_core::call::{Cancel, Observer, Sandbox};
use wasmlops_core::limits::Limits;
use wasmlops_core::table::{Batch, Schema};
use wasmtime::{Store, UpdateDeadline};

use self::stage::Loaded;
use crate::call::{Failure, open_store};
use crate::home::Home;
use crate::limiter::Limiter;
use crate::prepare::Prepared;
use crate::state::{OutputBudget, State};
use crate::ticker::Ticker;
use crate::watch::Watch;

pub use error::WarmError;

/// A model to load.
pub struct WarmRequest {
    /// In the order in which rows go through them; at least one. All prepared under the same profile.
    pub stages: Vec<Stage>,
    /// What the first stage is given.
    pub input: Schema,
    /// `timeout` is for the loading; memory is for all stages together, for good; the other limits are each call's,
    /// but for `log_bytes`, which is for all calls together.
    pub limits: Limits,
}

/// A component with what it was fitted or trained to.
pub struct Stage {
    pub prepared: Prepared,
    /// The transform's state or the predictor's model.
    pub bytes: Arc<[u8]>,
    pub kind: StageKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StageKind {
    Transform,
    Predictor,
}

/// A loaded model; one call at a time.
pub struct Warm {
    /// Absent once a call has not ended well.
    live: Option<Live>,
    input: Schema,
    output: Schema,
    limits: Limits,
    ticker: Arc<Ticker>,
}

struct Live {
    store: Store<State>,
    stages: Vec<Loaded>,
}

impl Warm {
    /// What [`Warm::predict`] is given.
    pub fn input(&self) -> &Schema {
        &self.input
    }

    /// What [`Warm::predict`] gives.
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Whether every further call would give [`WarmError::Dead`].
    pub fn is_dead(&self) -> bool {
        self.live.is_none()
    }

    /// The most bytes that linear memories and tables of all stages held at once; they never give any back.
    pub fn memory(&self) -> u64 {
        self.live.as_ref().map_or(0, |live| live.store.data().limiter.peak())
    }

    /// Predicts rows of [`Warm::input`], at most `deadline` long: one row of [`Warm::output`] for each, in the same
    /// order, checked.
    ///
    /// Errors: [`WarmError::Guest`] and [`WarmError::InvalidInput`] concern these rows alone. After any other the
    /// instance is dead, as it is when this future is dropped before its end.
    pub async fn predict(&mut self, mut rows: Batch, deadline: Duration) -> Result<Batch, WarmError> {
        self.input.accept(&mut rows).map_err(|error| WarmError::InvalidInput { message: error.to_string() })?;
        let mut live = self.live.take().ok_or(WarmError::Dead)?;
        self.limits.timeout = deadline;
        live.begin(&self.limits);
        let _ticking = self.ticker.tick();
        let Live { store, stages } = &mut live;
        let ended = ended(store, async |store| {
            for stage in stages.iter() {
                rows = stage.run(store, rows).await?;
            }
            Ok(rows)
        })
        .await;
        let answer = error::settle(ended, store, &self.limits);
        if matches!(answer, Ok(_) | Err(WarmError::Guest(_))) {
            self.live = Some(live);
        }
        answer
    }

    /// Instantiates the stages and loads them, each with the output of the one before.
    ///
    /// Errors: see [`WarmError`].
    pub(crate) async fn load(
        request: WarmRequest,
        observer: Arc<dyn Observer>,
        ticker: Arc<Ticker>,
    ) -> Result<Self, WarmError> {
        let WarmRequest { stages, input, limits } = request;
        let mut store = store(&stages, &limits, observer)?;
        let ticking = ticker.tick();
        let ended = ended(&mut store, async |store| {
            let mut loaded: Vec<Loaded> = Vec::with_capacity(stages.len());
            for stage in &stages {
                let given = loaded.last().map_or(&input, Loaded::output);
                loaded.push(Loaded::load(store, stage, given).await?);
            }
            Ok(loaded)
        })
        .await;
        drop(ticking);
        let stages = error::settle(ended, &mut store, &limits)?;
        let output = stages.last().expect("a store is made for at least one stage").output().clone();
        Ok(Self { live: Some(Live { store, stages }), input, output, limits, ticker })
    }
}

impl Live {
    /// Gives the call what each call has anew.
    fn begin(&mut self, limits: &Limits) {
        let state = self.store.data_mut();
        state.watch.begin(limits.timeout);
        state.output = OutputBudget::new(limits.output_bytes);
        state.metric_points_left = limits.metric_points;
        if let Some(fuel) = limits.fuel {
            self.store.set_fuel(fuel).expect("a limit of fuel is only taken where it is metered");
        }
        // The one of the last call has passed.
        self.store.set_epoch_deadline(1);
    }
}

/// Lets the guests work until they are done, or until the call is stopped while they wait inside a host call: nothing
/// then.
async fn ended<T>(
    store: &mut Store<State>,
    work: impl AsyncFnOnce(&mut Store<State>) -> Result<T, Failure>,
) -> Option<Result<T, Failure>> {
    let watch = store.data().watch.clone();
    tokio::select! {
        biased;
        ended = work(store) => Some(ended),
        () = watch.until_stopped() => None,
    }
}

/// One store for all stages, its first deadline set.
fn store(stages: &[Stage], limits: &Limits, observer: Arc<dyn Observer>) -> Result<Store<State>, WarmError> {
    let invalid = |message: &str| WarmError::InvalidInput { message: message.into() };
    let first = stages.first().ok_or_else(|| invalid("a model needs at least one stage"))?.prepared.code();
    if stages.iter().any(|stage| stage.prepared.profile() != first.profile) {
        return Err(invalid("the stages of a model must be prepared under one profile"));
    }
    if limits.fuel.is_some() && !first.profile.fuel {
        // Never run unmetered what was to be metered.
        return Err(WarmError::Denied { what: "a limit of fuel on code that was prepared without metering".into() });
    }
    let watch = Arc::new(Watch::new(limits, Instant::now(), Cancel::default(), Cancel::default()));
    let mut state = State::new(limits, Sandbox::default(), observer, watch, Home::default())
        .map_err(|error| WarmError::Denied { what: format!("a sandbox: {error:#}") })?;
    state.limiter = Limiter::for_components(stages.len(), limits.memory);
    Ok(open_store(first, limits, state, UpdateDeadline::Yield))
}
