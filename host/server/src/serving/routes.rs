//! Who answers: what requests read, and what the endpoint's task replaces as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc};
use wasmlops_core::config::EndpointConfig;
use wasmlops_core::rollout::{Endpoint, Rules};

use crate::clock::Clock;
use crate::inference::InferenceLog;

use super::PredictError;
use super::loaded::Loaded;
use super::shadow::{self, Mirror, Mirrored};

/// What requests and the task of one endpoint share.
pub(super) struct Shared {
    pub config: EndpointConfig,
    pub rules: Rules,
    pub clock: Arc<dyn Clock>,
    pub log: Option<Arc<InferenceLog>>,
    pub routes: ArcSwap<Routes>,
    /// The endpoint as its task saw it last.
    pub state: ArcSwap<Endpoint>,
    /// Tells the task that there is something to do.
    pub wake: Arc<Notify>,
    /// Told after each round of the task.
    pub rounds: tokio::sync::watch::Sender<u64>,
    pub queue: Queue,
    /// Requests to ask a shadow, too; see [`shadow::QUEUE`].
    pub mirror: mpsc::Sender<Mirrored>,
    /// Copies that were not made because too many wait.
    pub mirror_dropped: AtomicU64,
}

/// Places for requests that wait for an instance.
#[derive(Default)]
pub(super) struct Queue(AtomicUsize);

/// A place, until it is dropped.
pub(super) struct Place<'q>(&'q Queue);

/// One moment's answer to who answers.
#[derive(Default)]
pub(super) struct Routes {
    pub live: Option<Arc<Loaded>>,
    /// A canary with its percentage.
    pub canary: Option<(Arc<Loaded>, u8)>,
    pub shadow: Option<Arc<Loaded>>,
    /// All that can be asked for by number.
    pub versions: BTreeMap<u64, Arc<Loaded>>,
}

/// Who is to answer a request.
pub(super) enum Choice {
    One(Arc<Loaded>),
    /// The candidate, and if it fails, the live release.
    Candidate {
        candidate: Arc<Loaded>,
        live: Arc<Loaded>,
    },
}

impl Shared {
    pub fn new(config: EndpointConfig, clock: Arc<dyn Clock>, log: Option<Arc<InferenceLog>>) -> (Arc<Self>, Mirror) {
        let (mirror, copies) = mpsc::channel(shadow::QUEUE);
        let rules = Rules::from(&config);
        let shared = Arc::new(Self {
            state: ArcSwap::from_pointee(Endpoint::new(rules.clone())),
            config,
            rules,
            clock,
            log,
            routes: ArcSwap::default(),
            wake: Arc::default(),
            rounds: tokio::sync::watch::Sender::new(0),
            queue: Queue::default(),
            mirror,
            mirror_dropped: AtomicU64::new(0),
        });
        (shared.clone(), Mirror::new(shared, copies))
    }

    pub fn name(&self) -> &str {
        &self.config.name.value
    }
}

impl Queue {
    /// A place, if fewer than `most` are taken.
    pub fn enter(&self, most: usize) -> Option<Place<'_>> {
        let taken = self.0.fetch_add(1, Ordering::AcqRel);
        let place = Place(self);
        (taken < most).then_some(place)
    }

    pub fn waiting(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Routes {
    /// Chooses by the request's id: the same id goes to the same release, as long as shares stay as they are.
    pub fn choose(&self, version: Option<u64>, id: &str) -> Result<Choice, PredictError> {
        let live = self.live.as_ref();
        if let Some(version) = version {
            let release = self.versions.get(&version).ok_or(match live {
                Some(_) => PredictError::UnknownVersion,
                None => PredictError::NotReady,
            })?;
            return Ok(Choice::One(release.clone()));
        }
        let live = live.ok_or(PredictError::NotReady)?;
        match &self.canary {
            Some((candidate, share)) if !candidate.is_suspended() && place(id) < u64::from(*share) * PLACES / 100 => {
                Ok(Choice::Candidate { candidate: candidate.clone(), live: live.clone() })
            }
            _ => Ok(Choice::One(live.clone())),
        }
    }

    /// Whether a live release would answer in its place.
    pub fn is_on_trial(&self, release: &str) -> bool {
        let candidate = self.canary.as_ref().map(|(candidate, _)| candidate).or(self.shadow.as_ref());
        candidate.is_some_and(|candidate| candidate.source.release == release)
    }
}

/// How finely shares are cut.
const PLACES: u64 = 1 << 20;

/// Where the id falls, evenly spread below [`PLACES`].
fn place(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h]) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spread_evenly_and_for_good() {
        let below = (0..10_000).filter(|n| place(&format!("request-{n}")) < 10 * PLACES / 100).count();
        assert!((900..1_100).contains(&below), "{below} of 10,000 for a share of 10 %");
        assert_eq!(place("a"), place("a"));
    }

    #[test]
    fn a_full_queue_takes_nobody_until_somebody_leaves() {
        let queue = Queue::default();
        let first = queue.enter(1);
        assert!(first.is_some() && queue.enter(1).is_none());
        drop(first);
        assert!(queue.enter(1).is_some());
        assert_eq!(queue.waiting(), 0);
    }
}
