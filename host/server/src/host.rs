//! A host at work on one project: everything that runs need, put together once.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use wasmlops_core::run::Micros;
use wasmlops_engine::{Engine, EngineOptions};
use wasmlops_store::{SourceState, Store, StoreOptions};
use zeroize::Zeroizing;

use crate::broker::Broker;
use crate::clock::Clock;
use crate::counts::Counts;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::plugins::Plugins;
use crate::project::{Lock, Project};
use crate::secrets::Keyring;

/// What a host is made of. Nothing here is read from the environment.
pub struct HostOptions {
    pub project: Project,
    /// Where runs and artifacts are kept.
    pub home: PathBuf,
    /// Where compiled code is kept, shared by projects.
    pub compiled: Option<PathBuf>,
    /// Authenticates compiled code.
    pub compiled_key: [u8; 32],
    /// Encrypts the project's secrets; absent: the file `secret.key` in `home`.
    pub secret_key: Option<Zeroizing<[u8; 32]>>,
    /// The components that come with the binary.
    pub built_in: Vec<&'static [u8]>,
    /// Guest calls at once.
    pub workers: usize,
    pub clock: Arc<dyn Clock>,
    /// Takes the newest plugins that fit instead of those that the lock names.
    pub ignore_lock: bool,
}

#[cfg(test)]
impl HostOptions {
    /// The project in `folder`, with its state there and no plugins.
    pub fn for_tests(folder: &std::path::Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            project: Project::find(folder).expect("a test's project"),
            home: folder.join(".wasmlops"),
            compiled: None,
            compiled_key: [7; 32],
            secret_key: None,
            built_in: Vec::new(),
            workers: 2,
            clock,
            ignore_lock: false,
        }
    }
}

/// Where the state of the project's code is remembered: when it was seen, and what there was.
type SeenSource = Arc<Mutex<Option<(Micros, Option<SourceState>)>>>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Host {
    pub project: Arc<Project>,
    pub store: Store,
    pub executor: Executor,
    pub plugins: Arc<Plugins>,
    pub clock: Arc<dyn Clock>,
    pub broker: Broker,
    pub secrets: Keyring,
    pub home: PathBuf,
    pub workers: usize,
    /// Rung where something new is in the queue.
    pub queue_bell: Arc<Notify>,
    /// The state of the project's code as it was last seen, and when.
    pub(crate) seen_source: SeenSource,
    /// For `/metrics`.
    pub counts: Arc<Counts>,
}

impl Host {
    pub async fn open(options: HostOptions) -> Result<Self> {
        let store =
            Store::open(StoreOptions { home: options.home.clone(), migrations: vec![&wasmlops_catalog::MIGRATIONS] })
                .await?;
        let scratch = options.home.join("scratch");
        std::fs::create_dir_all(&scratch).map_err(Error::io("make the scratch folder"))?;
        let engine = Engine::new(EngineOptions {
            cache_dir: options.compiled,
            cache_key: options.compiled_key,
            workers: options.workers,
        });
        let engine = engine.map_err(|error| Error::Host(error.to_string()))?;
        let plugins = Plugins::load(&options.project, &options.built_in)?;
        let lock = match options.project.has_file() && !options.ignore_lock {
            true => Lock::read(&options.project.root)?,
            false => Lock::default(),
        };
        let plugins = plugins.hold_to(&lock, store.blobs());
        Ok(Self {
            project: Arc::new(options.project),
            executor: Executor { engine, blobs: store.blobs().clone(), scratch },
            store,
            plugins: Arc::new(plugins),
            clock: options.clock,
            broker: Broker::default(),
            secrets: Keyring::new(options.secret_key, &options.home),
            home: options.home,
            workers: options.workers.max(1),
            queue_bell: Arc::default(),
            seen_source: Arc::default(),
            counts: Arc::default(),
        })
    }
}
