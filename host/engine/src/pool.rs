//! The threads that guests run on: theirs alone, so that a spinning guest never stalls the caller's runtime.
//!
//! Each thread drives a runtime of its own with one call at a time, which lets a timer end a guest that blocks inside a
//! host call. Knows nothing of wasm.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// A job gets its thread's runtime.
pub(crate) type Job = Box<dyn FnOnce(&Runtime) + Send>;

/// Jobs waiting beyond one for each thread. When the queue is full the caller waits for a place.
const QUEUE_PER_WORKER: usize = 16;

pub(crate) struct Pool {
    jobs: mpsc::Sender<Job>,
}

impl Pool {
    /// The threads end when the pool is dropped and the queue is empty.
    pub fn start(workers: usize) -> std::io::Result<Self> {
        let workers = workers.max(1);
        let (jobs, receiver) = mpsc::channel::<Job>(workers * QUEUE_PER_WORKER);
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..workers {
            let runtime = Builder::new_current_thread().enable_time().build()?;
            let receiver = receiver.clone();
            let name = format!("wasmlops-guest-{index}");
            std::thread::Builder::new().name(name).spawn(move || work(&receiver, &runtime))?;
        }
        Ok(Self { jobs })
    }

    pub async fn submit(&self, job: Job) {
        self.jobs.send(job).await.unwrap_or_else(|_| unreachable!("workers outlive the pool"));
    }

    /// Must not be called on a thread that drives async tasks.
    pub fn submit_blocking(&self, job: Job) {
        self.jobs.blocking_send(job).unwrap_or_else(|_| unreachable!("workers outlive the pool"));
    }
}

fn work(receiver: &Mutex<mpsc::Receiver<Job>>, runtime: &Runtime) {
    loop {
        // One thread waits for the next job, the others for the lock.
        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        // A panic is a fault of the host. The job's reply channel breaks, which tells the caller; the thread goes on.
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(runtime)));
        if caught.is_err() {
            tracing::error!("a guest call panicked in the host");
        }
    }
}
