//! The warm instances of a release: one request each at a time. An instance that died is not handed out again;
//! whoever keeps the release makes another.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use wasmlops_engine::Warm;

pub(super) struct Pool {
    idle: Mutex<Vec<Warm>>,
    /// One for each instance that is idle. Whoever waits is served in the order of coming.
    permits: Semaphore,
    missing: AtomicUsize,
    /// Told when an instance is missing.
    keeper: Arc<Notify>,
}

/// An instance until it is dropped.
pub(super) struct Lease<'p> {
    instance: Option<Warm>,
    pool: &'p Pool,
    permit: Option<SemaphorePermit<'p>>,
}

impl Pool {
    pub fn new(instances: Vec<Warm>, keeper: Arc<Notify>) -> Self {
        let permits = Semaphore::new(instances.len());
        Self { idle: Mutex::new(instances), permits, missing: AtomicUsize::new(0), keeper }
    }

    /// An instance, if one is idle and nobody waits.
    pub fn try_lease(&self) -> Option<Lease<'_>> {
        self.permits.try_acquire().ok().map(|permit| self.lent(permit))
    }

    /// Waits for an instance.
    pub async fn lease(&self) -> Lease<'_> {
        let permit = self.permits.acquire().await.expect("it is never closed");
        self.lent(permit)
    }

    /// How many instances have died and were not asked for yet.
    pub fn take_missing(&self) -> usize {
        self.missing.swap(0, Ordering::AcqRel)
    }

    /// An instance could not be made; it is still missing.
    pub fn still_missing(&self) {
        self.missing.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes a new instance in.
    pub fn add(&self, instance: Warm) {
        self.idle().push(instance);
        self.permits.add_permits(1);
    }

    fn lent<'p>(&'p self, permit: SemaphorePermit<'p>) -> Lease<'p> {
        let instance = self.idle().pop();
        debug_assert!(instance.is_some(), "a permit stands for an instance");
        Lease { instance, pool: self, permit: Some(permit) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Warm>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Lease<'_> {
    type Target = Warm;

    fn deref(&self) -> &Warm {
        self.instance.as_ref().expect("it is taken when dropped only")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Warm {
        self.instance.as_mut().expect("it is taken when dropped only")
    }
}

impl Drop for Lease<'_> {
    /// Also where a request was given up: the instance is dead then.
    fn drop(&mut self) {
        let permit = self.permit.take();
        match self.instance.take().filter(|instance| !instance.is_dead()) {
            // Before its permit comes free.
            Some(instance) => self.pool.idle().push(instance),
            None => {
                if let Some(permit) = permit {
                    permit.forget();
                }
                self.pool.missing.fetch_add(1, Ordering::AcqRel);
                self.pool.keeper.notify_one();
            }
        }
    }
}
