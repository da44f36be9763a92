//! Where effects outside the guest are carried out: on the runtime of whoever called the engine.
//!
//! A guest's own thread drives a runtime that has timers and nothing else, and only while the guest runs. A connection
//! that was opened there would stall with it. Knows nothing of what the effects are.

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The caller's runtime, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Home(Option<Handle>);

impl Home {
    /// To be asked on the caller's thread.
    pub fn here() -> Self {
        Self(Handle::try_current().ok())
    }

    /// Runs the work there, and gives up on it when the returned future is dropped. Without a home the work runs where
    /// it is waited for. Nothing comes back from work that panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        match &self.0 {
            Some(handle) => {
                let mut task = AbortOnDrop(handle.spawn(work));
                (&mut task.0).await.ok()
            }
            None => Some(work.await),
        }
    }
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
