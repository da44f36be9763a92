//! How long a client is waited for: a budget that waiting uses up and that bytes earn back. So a client that stops and
//! one that trickles both lose their connection, and one that is slow but steady does not.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// What a client must keep up with.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest wait without a byte.
    pub stall: Duration,
    /// Bytes a second at the least, on average.
    pub rate: u32,
}

/// For how much longer a client is waited for.
#[derive(Clone, Copy)]
struct Budget {
    pace: Pace,
    left: Duration,
}

impl Budget {
    fn new(pace: Pace) -> Self {
        Self { pace, left: pace.stall }
    }

    /// So many bytes came after that wait.
    fn spend(&mut self, waited: Duration, bytes: usize) {
        let earned = Duration::from_secs_f64(bytes as f64 / f64::from(self.pace.rate.max(1)));
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.pace.stall);
    }
}

/// A budget as it is used up.
pub(super) struct Patience {
    budget: Budget,
    /// Since when it has been waited, and until when it will be.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Patience {
    pub fn new(pace: Pace) -> Self {
        Self { budget: Budget::new(pace), waiting: None }
    }

    /// The client has not moved: ready when it has been waited for long enough.
    pub fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let left = self.budget.left;
        let (_, timer) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        timer.as_mut().poll(context)
    }

    /// The client has moved so many bytes.
    pub fn moved(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.budget.spend(since.elapsed(), bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In which round a client is given up that sends `bytes` every four seconds.
    fn rounds(bytes: usize) -> Option<usize> {
        let wait = Duration::from_secs(4);
        let mut budget = Budget::new(Pace { stall: Duration::from_secs(10), rate: 100 });
        (1..=1_000).find(|_| {
            let given_up = budget.left < wait;
            budget.spend(wait, bytes);
            given_up
        })
    }

    #[test]
    fn whoever_stops_or_trickles_is_given_up() {
        assert_eq!((rounds(0), rounds(1)), (Some(3), Some(3)));
        assert_eq!(rounds(200), Some(5));
    }

    #[test]
    fn whoever_is_slow_but_steady_is_not() {
        assert_eq!(rounds(400), None);
    }

    #[test]
    fn nobody_saves_up_more_than_the_longest_wait() {
        let mut budget = Budget::new(Pace { stall: Duration::from_secs(10), rate: 100 });
        budget.spend(Duration::ZERO, 1_000_000);
        assert_eq!(budget.left, Duration::from_secs(10));
    }
}
