//! One endpoint's task: makes memory what the rows say, and tells core what it sees.
//!
//! Works by level, not by event: each round reads the rows, and whatever is missing or too much in memory is put right.
//! So it does not matter who wrote, in which process, or what a crash has cut off. A round that fails is repeated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use wasmlops_core::rollout::{Endpoint, Event, Measured, Phase, Release};
use wasmlops_engine::Warm;

use crate::clock::new_id;
use crate::error::Result;
use crate::host::Host;

use super::build::build;
use super::control::{self, ACTOR, Wish};
use super::loaded::Loaded;
use super::routes::{Routes, Shared};
use super::stopped;

/// How often a release on trial is looked at.
const TICK: Duration = Duration::from_millis(100);
/// Until a live release that could not be loaded is tried again: at first, and at the most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Transitions in one round. More are left to the next, so that a round ends.
const TRANSITIONS: usize = 16;

pub(super) struct EndpointTask {
    host: Host,
    shared: Arc<Shared>,
    /// By release.
    loaded: BTreeMap<String, Arc<Loaded>>,
    loading: BTreeMap<String, Loading>,
    jobs: JoinSet<Job>,
}

/// A release that is not in memory yet.
enum Loading {
    UnderWay,
    /// It failed, as the text says.
    Again {
        at: Instant,
        pause: Duration,
        message: String,
        /// Another attempt is being made.
        under_way: bool,
    },
}

/// What runs beside the rounds.
enum Job {
    Built { release: String, result: Result<Arc<Loaded>, String> },
    Replaced { release: Arc<Loaded>, result: Result<Warm, String> },
}

impl EndpointTask {
    pub fn new(host: Host, shared: Arc<Shared>) -> Self {
        Self { host, shared, loaded: BTreeMap::new(), loading: BTreeMap::new(), jobs: JoinSet::new() }
    }

    /// Until `stop`. Routes stay as they are then, for requests that have begun.
    pub async fn run(mut self, mut generation: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let shared = self.shared.clone();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let ended = self.round().await;
            if let Err(error) = &ended {
                tracing::warn!(endpoint = shared.name(), %error, "an endpoint could not be looked after; trying again");
            }
            shared.rounds.send_modify(|rounds| *rounds += 1);
            let needs_tick = ended.is_err() || self.needs_tick();
            tokio::select! {
                () = stopped(&mut stop) => break,
                Some(job) = self.jobs.join_next() => match job {
                    Ok(job) => self.done(job),
                    Err(error) => tracing::error!(endpoint = shared.name(), %error, "loading a release ended badly"),
                },
                changed = generation.changed() => if changed.is_err() { break },
                () = shared.wake.notified() => {}
                _ = tick.tick(), if needs_tick => {}
            }
        }
        self.jobs.shutdown().await;
    }

    fn needs_tick(&self) -> bool {
        let state = self.shared.state.load();
        let again = self.loading.values().any(|loading| matches!(loading, Loading::Again { under_way: false, .. }));
        again || state.candidate().is_some_and(|candidate| candidate.phase != Phase::Pending)
    }

    /// Reads, decides, loads, and sets the traffic.
    async fn round(&mut self) -> Result<()> {
        let mut state = control::catch_up(&self.host, &self.shared.config).await?;
        self.mark(&mut state);
        for _ in 0..TRANSITIONS {
            let Some(event) = self.next_event(&state) else { break };
            let wish = Wish { actor: ACTOR.to_owned(), event, key: None };
            let changed = control::apply(&self.host, &self.shared.config, wish).await?;
            let is_stuck = changed.actions.is_empty();
            state = changed.endpoint;
            self.mark(&mut state);
            if is_stuck {
                // Somebody else changed the rows in between: they are read again in the next round.
                self.shared.wake.notify_one();
                break;
            }
        }
        self.load_missing(&state);
        self.replace_dead();
        self.publish(state);
        Ok(())
    }

    /// Notes what is in memory, and begins to count anew where a phase or a step has begun.
    fn mark(&self, state: &mut Endpoint) {
        state.mark_ready(|release| self.loaded.contains_key(release));
        for release in state.at_work() {
            if let Some(loaded) = self.loaded.get(&release.id) {
                loaded.begin(release.since);
            }
        }
    }

    /// The first thing that core has to know and that leads to something.
    fn next_event(&self, state: &Endpoint) -> Option<Event> {
        for release in state.at_work() {
            let ready = self.loaded.contains_key(&release.id) && release.phase == Phase::Pending;
            if ready && self.fits(state, release).is_ok() {
                return Some(Event::Ready { release: release.id.clone() });
            }
            if let Some(message) = self.failure(state, release) {
                return Some(Event::LoadFailed { release: release.id.clone(), message });
            }
        }
        let fresh = || new_id(&*self.host.clock);
        let suspended = state.candidate().filter(|candidate| self.is_suspended(&candidate.id));
        let failed = suspended.map(|candidate| Event::Failed {
            release: candidate.id.clone(),
            measured: self.measured(Some(candidate)),
            fresh: fresh(),
        });
        let tick = Event::Tick {
            live: self.measured(state.live()),
            candidate: self.measured(state.candidate()),
            fresh: fresh(),
        };
        let leads_somewhere = |event: &Event| !state.clone().apply(event.clone(), self.host.clock.now()).is_empty();
        failed.into_iter().chain([tick]).find(leads_somewhere)
    }

    /// What is to be told of a release that cannot be loaded, unless it was told already.
    fn failure(&self, state: &Endpoint, release: &Release) -> Option<String> {
        let message = match self.loading.get(&release.id) {
            Some(Loading::Again { message, .. }) => message.clone(),
            _ if self.loaded.contains_key(&release.id) && release.phase == Phase::Pending => {
                self.fits(state, release).err()?
            }
            _ => return None,
        };
        let told = state.standing().message.as_ref().is_some_and(|told| told.contains(&message));
        (release.phase != Phase::Live || !told).then_some(message)
    }

    /// A candidate gets rows that were made for the live release: it must want no other columns.
    fn fits(&self, state: &Endpoint, release: &Release) -> Result<(), String> {
        let live = state.live().filter(|live| live.id != release.id).and_then(|live| self.loaded.get(&live.id));
        let is_candidate = state.candidate().is_some_and(|candidate| candidate.id == release.id);
        let (Some(live), Some(loaded), true) = (live, self.loaded.get(&release.id), is_candidate) else {
            return Ok(());
        };
        let has = |field: &wasmlops_core::table::Field| {
            live.input.fields.iter().any(|known| known.name == field.name && known.data_type == field.data_type)
        };
        match loaded.input.fields.iter().find(|field| !has(field)) {
            None => Ok(()),
            Some(field) => Err(format!(
                "it needs the {} column `{}`, which version {} does not take; hand it over as a live release",
                field.data_type, field.name, live.source.version
            )),
        }
    }

    fn is_suspended(&self, release: &str) -> bool {
        self.loaded.get(release).is_some_and(|loaded| loaded.is_suspended())
    }

    fn measured(&self, release: Option<&Release>) -> Measured {
        let loaded = release.and_then(|release| self.loaded.get(&release.id));
        loaded.map_or_else(Measured::default, |loaded| loaded.measured())
    }

    fn load_missing(&mut self, state: &Endpoint) {
        self.loading.retain(|id, _| state.release(id).is_some_and(|release| !release.is_over()));
        for release in state.at_work() {
            let due = match self.loading.get(&release.id) {
                None => !self.loaded.contains_key(&release.id),
                Some(Loading::UnderWay) => false,
                Some(Loading::Again { at, under_way, .. }) => !under_way && *at <= Instant::now(),
            };
            if !due {
                continue;
            }
            match self.loading.get_mut(&release.id) {
                // Its message stays until it ends one way or the other.
                Some(Loading::Again { under_way, .. }) => *under_way = true,
                _ => drop(self.loading.insert(release.id.clone(), Loading::UnderWay)),
            }
            let (host, shared, release) = (self.host.clone(), self.shared.clone(), release.clone());
            let id = release.id.clone();
            self.jobs.spawn(async move {
                Job::Built { release: id, result: build(host, shared, release).await.map(Arc::new) }
            });
        }
    }

    fn replace_dead(&mut self) {
        for release in self.loaded.values() {
            for _ in 0..release.pool.take_missing() {
                let release = release.clone();
                self.jobs.spawn(async move {
                    let result = release.blueprint.instance().await;
                    Job::Replaced { release, result }
                });
            }
        }
    }

    fn done(&mut self, job: Job) {
        match job {
            Job::Built { release, result: Ok(loaded) } => {
                self.loading.remove(&release);
                self.loaded.insert(release, loaded);
            }
            Job::Built { release, result: Err(message) } => {
                let pause = match self.loading.get(&release) {
                    Some(Loading::Again { pause, .. }) => pause.saturating_mul(2).min(RETRY.1),
                    _ => RETRY.0,
                };
                self.loading
                    .insert(release, Loading::Again { at: Instant::now() + pause, pause, message, under_way: false });
            }
            Job::Replaced { release, result: Ok(instance) } => release.pool.add(instance),
            Job::Replaced { release, result: Err(message) } => {
                let version = release.source.version;
                tracing::warn!(endpoint = self.shared.name(), version, message, "an instance could not be replaced");
                release.pool.still_missing();
            }
        }
    }

    /// What is over goes from memory once nobody asks it any more: requests hold on to what they got.
    fn publish(&mut self, state: Endpoint) {
        self.loaded.retain(|id, _| state.release(id).is_some_and(|release| !release.is_over()));
        let ready = |release: &&Release| release.ready;
        let get = |release: &Release| self.loaded.get(&release.id).cloned();
        let live = state.live().filter(ready).and_then(get);
        let candidate = state.candidate().filter(ready).filter(|_| live.is_some());
        let canary = candidate.filter(|candidate| candidate.phase == Phase::Canary);
        let shadow = candidate.filter(|candidate| candidate.phase == Phase::Shadow);
        // Of two releases of one version the live one counts.
        let answering = candidate.into_iter().chain(state.live().filter(ready));
        let routes = Routes {
            canary: canary.and_then(|canary| Some((get(canary)?, canary.canary_share()))),
            shadow: shadow.and_then(get),
            versions: answering.filter_map(|release| Some((release.version, get(release)?))).collect(),
            live,
        };
        self.shared.routes.store(Arc::new(routes));
        self.shared.state.store(Arc::new(state));
    }
}
