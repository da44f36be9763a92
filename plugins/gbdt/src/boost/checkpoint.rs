//! How far boosting has come, and that through the host's checkpoint.

use serde::{Deserialize, Serialize};
use wasmlops_sdk::{Result, checkpoint, log};

use crate::codes::Coder;
use crate::document;
use crate::tree::{Rule, Tree};

/// How far boosting has come; the trees aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub rounds: u64,
    /// The round, and what was measured after it.
    pub best: Option<(u64, f64)>,
    /// Whether there is nothing more to learn.
    pub is_over: bool,
    /// What was told of the rounds.
    pub points: Vec<Point>,
}

/// A point of a metric's curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub name: String,
    pub value: f64,
    pub round: u64,
}

impl Progress {
    pub fn save(&self, trees: &[Tree]) -> Result<()> {
        checkpoint::save(&document::write(self, trees)?)
    }

    /// What an earlier attempt at this very work has kept. Anything else is passed over with a warning.
    pub fn load(outputs: usize, coders: &[Coder]) -> Option<(Self, Vec<Tree>)> {
        let bytes = checkpoint::load()?;
        match document::read::<Self>(&bytes) {
            Ok((progress, trees)) if fits(&progress, &trees, outputs, coders) => Some((progress, trees)),
            _ => {
                log::warn("the checkpoint is none of this training: starting anew");
                None
            }
        }
    }
}

fn fits(progress: &Progress, trees: &[Tree], outputs: usize, coders: &[Coder]) -> bool {
    let mut nodes = trees.iter().flat_map(|tree| &tree.nodes);
    trees.len() as u64 == progress.rounds.saturating_mul(outputs as u64)
        && nodes.all(|node| match (coders.get(node.feature as usize), node.rule) {
            (Some(coder @ Coder::Number { bounds }), Rule::AtMost { threshold, .. }) => {
                let is_bound = bounds.as_slice().binary_search_by(|bound| bound.total_cmp(&threshold)).is_ok();
                coder.codes() > 1 && (is_bound || threshold == f64::INFINITY)
            }
            (Some(Coder::Text { .. }), Rule::In { .. }) => true,
            _ => false,
        })
}
