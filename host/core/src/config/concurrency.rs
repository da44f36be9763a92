//! How many runs go on at once on a server, and how many may wait.

use std::collections::BTreeMap;

use crate::config::keys;
use crate::config::pipeline::check_name;
use crate::config::reader::Reader;
use crate::config::yaml::Entry;

/// The project file's `concurrency`, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concurrency {
    /// Runs at once, of all pipelines together.
    pub runs: u32,
    /// Runs that may wait; further ones are refused.
    pub queued: u32,
    /// Runs at once of a pipeline. One that is not named has no limit of its own.
    pub pipelines: BTreeMap<String, u32>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { runs: 4, queued: 1000, pipelines: BTreeMap::new() }
    }
}

/// Beyond this, runs only take memory from each other.
const MOST_RUNS: u64 = 1000;
/// What waits is looked through whenever a place is free.
const MOST_QUEUED: u64 = 100_000;

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<Concurrency> {
    let fields = reader.fields(&entry.node, "`concurrency`", entry.key_span, keys::CONCURRENCY)?;
    let mut concurrency = Concurrency::default();
    if let Some(runs) = fields.get("runs").and_then(|node| reader.count(node, "`runs`", 1..=MOST_RUNS)) {
        concurrency.runs = narrow(runs);
    }
    if let Some(queued) = fields.get("queued").and_then(|node| reader.count(node, "`queued`", 1..=MOST_QUEUED)) {
        concurrency.queued = narrow(queued);
    }
    let pipelines = fields.get("pipelines").and_then(|node| reader.entries(node, "`pipelines`")).unwrap_or_default();
    for entry in pipelines {
        check_name(reader, entry, "pipeline");
        let what = format!("the limit of pipeline `{}`", entry.key);
        if let Some(runs) = reader.count(&entry.node, &what, 1..=MOST_RUNS) {
            concurrency.pipelines.insert(entry.key.clone(), narrow(runs));
        }
    }
    Some(concurrency)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("the reader keeps to its bounds, which fit")
}
