//! Lineage at the door: where bytes came from, and what became of them.

mod prediction;

use std::collections::{BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_package::Digest;
use wasmlops_store::{Direction, EdgeRow, Resolved};

use crate::error::Result;
use crate::host::Host;

pub use prediction::{Origin, PredictionView, prediction};

/// More nodes than this are not followed; the view says so.
const MAX_EDGES: usize = 10_000;

/// A graph of steps and artifacts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LineageView {
    /// The run or digest that was asked for.
    pub id: String,
    /// What it was made from, nearest first; for a run, all its edges.
    pub upstream: Vec<EdgeView>,
    /// What was made from it, nearest first.
    pub downstream: Vec<EdgeView>,
    /// Whether there was more than is shown.
    pub truncated: bool,
}

/// A step of a run used or made some bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EdgeView {
    /// Steps between this edge and what was asked for.
    pub distance: usize,
    pub run: String,
    pub step: String,
    /// `used` or `made`.
    pub direction: String,
    /// `component`, `input:<name>`, `file:<path>`, `output:<name>` or `artifact:<name>`.
    pub role: String,
    pub digest: String,
}

/// The lineage of a run or an artifact.
pub async fn lineage(host: &Host, id: &str) -> Result<LineageView> {
    match host.store.resolve(id).await? {
        Resolved::Run(run) => {
            let edges = host.store.edges_of_run(&run).await?;
            let upstream = edges.into_iter().map(|edge| view(edge, 0)).collect();
            Ok(LineageView { id: run, upstream, downstream: Vec::new(), truncated: false })
        }
        Resolved::Artifact(digest) => {
            let mut walk = Walk { host, edges: BTreeSet::new(), truncated: false };
            walk.follow(digest, Direction::Made).await?;
            let upstream = std::mem::take(&mut walk.edges);
            walk.follow(digest, Direction::Used).await?;
            Ok(LineageView {
                id: digest.to_string(),
                upstream: upstream.into_iter().collect(),
                downstream: walk.edges.into_iter().collect(),
                truncated: walk.truncated,
            })
        }
    }
}

struct Walk<'a> {
    host: &'a Host,
    edges: BTreeSet<EdgeView>,
    truncated: bool,
}

impl Walk<'_> {
    /// `Made`: against the stream, from bytes to the step that made them to what it used. `Used`: with it. Where several
    /// runs made the same bytes, the first is followed: the others did the same.
    async fn follow(&mut self, from: Digest, direction: Direction) -> Result<()> {
        let mut seen = BTreeSet::from([from]);
        let mut open = VecDeque::from([(from, 0)]);
        while let Some((digest, distance)) = open.pop_front() {
            let rows = match direction {
                Direction::Made => self.host.store.producers_of(&digest).await?.into_iter().take(1).collect(),
                Direction::Used => self.host.store.consumers_of(&digest).await?,
            };
            for row in rows {
                let (run, step) = (row.run.clone(), row.edge.step_key.clone());
                self.edges.insert(view(row, distance));
                let others = self.host.store.edges_of_run(&run).await?;
                let others =
                    others.into_iter().filter(|edge| edge.edge.step_key == step && edge.edge.direction != direction);
                for edge in others {
                    if self.edges.len() >= MAX_EDGES {
                        self.truncated = true;
                        return Ok(());
                    }
                    if seen.insert(edge.edge.digest) {
                        open.push_back((edge.edge.digest, distance + 1));
                    }
                    self.edges.insert(view(edge, distance));
                }
            }
        }
        Ok(())
    }
}

fn view(row: EdgeRow, distance: usize) -> EdgeView {
    EdgeView {
        distance,
        run: row.run,
        step: row.edge.step_key,
        direction: row.edge.direction.to_string(),
        role: row.edge.role,
        digest: row.edge.digest.to_string(),
    }
}
