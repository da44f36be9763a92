//! Places for runs, shared by the projects of a process: none gets a second one while another that wants one has none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Cheap to clone; clones share the places.
#[derive(Clone)]
pub struct Slots {
    shared: Arc<Shared>,
}

struct Shared {
    total: u32,
    projects: Mutex<BTreeMap<String, Standing>>,
    freed: Notify,
}

#[derive(Default)]
struct Standing {
    held: u32,
    wants: bool,
}

/// A place until it is dropped.
pub(super) struct Slot {
    shared: Arc<Shared>,
    project: String,
}

impl Slots {
    pub fn new(total: u32) -> Self {
        let shared = Shared { total: total.max(1), projects: Mutex::default(), freed: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// A place for a project that wants one; where there is none for it now, it is remembered as one that waits.
    pub(super) fn take(&self, project: &str) -> Option<Slot> {
        let mut projects = self.shared.projects();
        let used: u32 = projects.values().map(|standing| standing.held).sum();
        let others_wait = || projects.iter().any(|(name, other)| name != project && other.wants && other.held == 0);
        let held = projects.get(project).map_or(0, |standing| standing.held);
        let may = used < self.shared.total && (held == 0 || !others_wait());
        let standing = projects.entry(project.to_owned()).or_default();
        standing.wants = !may;
        if !may {
            return None;
        }
        standing.held += 1;
        Some(Slot { shared: self.shared.clone(), project: project.to_owned() })
    }

    /// Whether the project waits for a place.
    pub(super) fn wants(&self, project: &str, wants: bool) {
        let mut projects = self.shared.projects();
        let standing = projects.entry(project.to_owned()).or_default();
        let gave_way = standing.wants && !wants;
        standing.wants = wants;
        drop(projects);
        if gave_way {
            self.shared.freed.notify_waiters();
        }
    }

    /// Until a place may be free.
    pub(super) async fn freed(&self) {
        self.shared.freed.notified().await;
    }
}

impl Shared {
    fn projects(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(standing) = self.shared.projects().get_mut(&self.project) {
            standing.held -= 1;
        }
        // Whoever misses this looks again soon anyway.
        self.shared.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_second_place_while_another_has_none() {
        let slots = Slots::new(2);
        let first = slots.take("a").unwrap();
        let second = slots.take("a").unwrap();
        assert!(slots.take("b").is_none(), "all places are taken");
        drop(first);
        assert!(slots.take("a").is_none(), "`b` waits and has none");
        let other = slots.take("b").unwrap();
        drop(second);
        assert!(slots.take("b").is_none(), "`a` waits and has none");
        let third = slots.take("a").unwrap();
        drop(other);
        assert!(slots.take("a").is_none(), "`b` waits and has none");
        slots.wants("b", false);
        assert!(slots.take("a").is_some(), "nobody else wants one");
        drop(third);
    }
}
