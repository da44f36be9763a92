//! The door: [`Engine`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::oneshot;
use wasmlops_core::call::{Cancel, LogLine, MetricPoint, Observer, Outcome, Progress, Report, Request, Usage};
use wasmlops_package::Digest;
use wasmtime::component::Linker;

use crate::call::{self, Caller};
use crate::compiled_cache::CompiledCache;
use crate::config::{self, Profile};
use crate::home::Home;
use crate::linker::linker;
use crate::pool::{Job, Pool};
use crate::prepare::{PrepareError, Prepared, Workshop, check_bytes, prepare};
use crate::state::State;
use crate::ticker::Ticker;
use crate::warm::{Warm, WarmError, WarmRequest};

/// Components kept ready in memory. When one more comes, all are let go, and come back from the disk when needed.
const MAX_READY: usize = 256;

pub struct EngineOptions {
    /// Where compiled code is kept between runs; absent: nowhere. Private to the host.
    pub cache_dir: Option<PathBuf>,
    /// The host's secret that seals what lies in `cache_dir`. To be kept elsewhere.
    pub cache_key: [u8; 32],
    /// Calls that run at the same time, each on a thread of its own; at least 1.
    pub workers: usize,
}

/// The engine could not start: a fault of the host.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the cache of compiled code at `{folder}` cannot be opened: {error}")]
    Cache { folder: PathBuf, error: std::io::Error },
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("WebAssembly cannot be set up: {0:#}")]
    Wasm(wasmtime::Error),
}

/// Prepares and calls plugins. Clones are the same engine; its threads end with the last of them.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    /// Made when first used, each at its [`Profile::index`].
    linkers: [OnceLock<Linker<State>>; Profile::ALL.len()],
    ready: Mutex<HashMap<(Digest, Profile), Slot>>,
    cache: Option<CompiledCache>,
    pool: Pool,
    ticker: Arc<Ticker>,
}

/// Whoever comes first fills it, the others wait: a component is compiled once.
type Slot = Arc<Mutex<Option<Prepared>>>;

impl Engine {
    /// Starts the threads.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let EngineOptions { cache_dir, cache_key, workers } = options;
        let open = |folder: PathBuf| {
            CompiledCache::open(folder.clone(), cache_key).map_err(|error| EngineError::Cache { folder, error })
        };
        let shared = Shared {
            linkers: Default::default(),
            ready: Mutex::default(),
            cache: cache_dir.map(open).transpose()?,
            pool: Pool::start(workers)?,
            ticker: Arc::new(Ticker::start()?),
        };
        shared.linker(Profile::default()).map_err(EngineError::Wasm)?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Makes the component callable: from memory, from the disk cache, or by compiling it, which takes from
    /// milliseconds to half a minute and all cores. Blocks; runs no guest code.
    pub fn prepare(&self, component: &[u8], profile: Profile) -> Result<Prepared, PrepareError> {
        // Before the digest: a file of gigabytes is not worth reading to its end.
        check_bytes(component)?;
        let digest = Digest::sha256(component);
        let slot = self.shared.slot((digest, profile));
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = &*slot {
            return Ok(prepared.again());
        }
        let linker =
            self.shared.linker(profile).map_err(|error| PrepareError::Compile { reason: format!("{error:#}") })?;
        let prepared = prepare(component, digest, &Workshop { profile, linker, cache: self.shared.cache.as_ref() })?;
        *slot = Some(prepared.clone());
        Ok(prepared)
    }

    /// What [`Engine::prepare`] has made before and still holds in memory, without the component's bytes at hand:
    /// hashing those takes longer than most calls. `digest` is the component's SHA-256.
    pub fn ready(&self, digest: &Digest, profile: Profile) -> Option<Prepared> {
        let ready = self.shared.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = ready.get(&(*digest, profile))?.clone();
        drop(ready);
        // Taken means that it is being compiled.
        slot.try_lock().ok()?.as_ref().map(Prepared::again)
    }

    /// Runs one call in a fresh sandbox on one of the engine's threads; waits while all are busy. If the future is
    /// dropped, the guest is stopped.
    pub async fn call(&self, prepared: &Prepared, request: Request) -> Report {
        let (job, reply, _abandon) = self.job(prepared, request);
        self.shared.pool.submit(job).await;
        reply.await.unwrap_or_else(|_| host_fault())
    }

    /// As [`Engine::call`], for threads that may block. Panics on a thread that drives async tasks.
    pub fn call_blocking(&self, prepared: &Prepared, request: Request) -> Report {
        let (job, reply, _abandon) = self.job(prepared, request);
        self.shared.pool.submit_blocking(job);
        reply.blocking_recv().unwrap_or_else(|_| host_fault())
    }

    /// Loads a model and keeps it loaded, on the caller's task: what a guest computes there is cut into pieces of about
    /// 10 ms, between which other tasks go on. `limits.timeout` is for the loading; it also ends when the future is
    /// dropped. What the guests log is thrown away.
    ///
    /// Errors: see [`WarmError`].
    pub async fn warm(&self, request: WarmRequest) -> Result<Warm, WarmError> {
        Warm::load(request, Arc::new(Nobody), self.shared.ticker.clone()).await
    }

    /// As [`Engine::warm`], with someone to hear what the guests say. Lines beyond `limits.log_bytes` are thrown away.
    pub async fn warm_heard(&self, request: WarmRequest, observer: Arc<dyn Observer>) -> Result<Warm, WarmError> {
        Warm::load(request, observer, self.shared.ticker.clone()).await
    }

    /// Names what results depend on besides component, configuration and inputs; for cache keys. It does not change
    /// with a patch of wasmtime.
    pub fn profile_id(&self, profile: Profile) -> String {
        profile.id()
    }

    fn job(&self, prepared: &Prepared, request: Request) -> (Job, oneshot::Receiver<Report>, AbandonOnDrop) {
        let (sender, reply) = oneshot::channel();
        let caller = Caller { abandoned: Cancel::default(), home: Home::here() };
        let abandon = AbandonOnDrop(caller.abandoned.clone());
        let prepared = prepared.clone();
        let ticker = self.shared.ticker.clone();
        let job: Job = Box::new(move |runtime| {
            let _ticking = ticker.tick();
            // Nobody listens any more if the caller has gone.
            let _ = sender.send(call::run(prepared.code(), request, caller, runtime));
        });
        (job, reply, abandon)
    }
}

/// Stops the call when nobody waits for it any more.
struct AbandonOnDrop(Cancel);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Hears nothing.
struct Nobody;

impl Observer for Nobody {
    fn log(&self, _: LogLine) {}
    fn metrics(&self, _: Vec<MetricPoint>) {}
    fn progress(&self, _: Progress) {}
    fn checkpoint(&self, _: Vec<u8>) {}
}

impl Shared {
    fn linker(&self, profile: Profile) -> wasmtime::Result<&Linker<State>> {
        let cell = &self.linkers[profile.index()];
        if let Some(linker) = cell.get() {
            return Ok(linker);
        }
        let made = linker(&config::engine(profile)?)?;
        Ok(cell.get_or_init(|| {
            self.ticker.drive(made.engine().clone());
            made
        }))
    }

    fn slot(&self, key: (Digest, Profile)) -> Slot {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= MAX_READY && !ready.contains_key(&key) {
            ready.clear();
        }
        ready.entry(key).or_default().clone()
    }
}

fn host_fault() -> Report {
    let message = "the host failed while it ran the call; this is a fault of the host, not of the plugin".into();
    Report { outcome: Outcome::Trapped { message }, usage: Usage::default() }
}
