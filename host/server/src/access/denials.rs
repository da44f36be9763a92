//! What was refused, in the audit: who was refused what, each time; who came without a good credential, counted, since
//! anyone can do that as often as they like.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use wasmlops_core::access::Permission;
use wasmlops_core::run::Micros;
use wasmlops_store::{AuditEntry, Stamp, Store, StoreError};

use super::{Access, Caller};

/// One record an address in this time.
const WINDOW: Micros = 60_000_000;

/// How often counts whose time is over are written.
const ROUND: Duration = Duration::from_secs(5);

/// Addresses that are counted apart; others share a record.
const ADDRESSES: usize = 1_000;

/// Counts refusals of requests without a good credential. Clones share the counts.
#[derive(Clone, Default)]
pub(crate) struct Denials {
    counts: Arc<Mutex<HashMap<Key, Count>>>,
}

/// The project whose audit it goes to, and the address, unknown or one of too many without.
type Key = (usize, Option<IpAddr>);

struct Count {
    since: Micros,
    count: u64,
    /// The last path, without its query.
    path: String,
}

impl Denials {
    /// A request to the project at `project` came without a good credential.
    pub fn count(&self, project: usize, from: Option<IpAddr>, path: &str, now: Micros) {
        let mut counts = self.counts();
        let from = from.filter(|_| counts.len() < ADDRESSES || counts.contains_key(&(project, from)));
        let count =
            counts.entry((project, from)).or_insert_with(|| Count { since: now, count: 0, path: String::new() });
        count.count += 1;
        count.path = path.chars().filter(|character| !character.is_control()).take(200).collect();
    }

    /// Writes counts to the audit of their projects until `shutdown`, and then what is left.
    pub async fn run(self, projects: Vec<Access>, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let ended = tokio::select! {
                () = &mut shutdown => true,
                () = tokio::time::sleep(ROUND) => false,
            };
            self.write(&projects, ended).await;
            if ended {
                return;
            }
        }
    }

    /// Writes the counts whose time is over, or `all`.
    pub async fn write(&self, projects: &[Access], all: bool) {
        for (index, access) in projects.iter().enumerate() {
            let now = access.clock().now();
            for ((_, from), count) in self.take(index, now, all) {
                let from = from.map_or_else(|| "other".to_owned(), |from| from.to_string());
                let details = json!({
                    "reason": "unauthenticated", "from": from, "count": count.count, "since": count.since,
                    "path": count.path,
                });
                let stamp = Stamp { time: now, actor: "anonymous".to_owned() };
                let subject = format!("project:{}", access.project());
                record(access.store(), stamp, subject, details.to_string()).await;
            }
        }
    }

    fn take(&self, project: usize, now: Micros, all: bool) -> Vec<(Key, Count)> {
        let over = |key: &Key, count: &mut Count| key.0 == project && (all || now - count.since >= WINDOW);
        self.counts().extract_if(over).collect()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone was refused what they may not.
pub(crate) async fn forbidden(access: &Access, caller: &Caller, permission: Permission, what: &str) {
    let details = json!({ "reason": "forbidden", "needs": permission, "role": caller.rights.role });
    let stamp = Stamp { time: access.clock().now(), actor: caller.actor.clone() };
    record(access.store(), stamp, what.to_owned(), details.to_string()).await;
}

/// The request is refused either way; that it could not be recorded is for the operator.
async fn record(store: &Store, stamp: Stamp, subject: String, details: String) {
    let entry = AuditEntry { stamp, action: "access.denied".to_owned(), subject, details };
    let written: Result<(), StoreError> = store
        .with_tx(move |tx| {
            Box::pin(async move {
                tx.audit(entry);
                Ok(())
            })
        })
        .await;
    if let Err(error) = written {
        tracing::error!(%error, "cannot record that access was denied");
    }
}
