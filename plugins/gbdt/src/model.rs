//! A trained model as it is kept.

use serde::{Deserialize, Serialize};
use wasmlops_sdk::{Error, Result};

use crate::config::{Loss, Task};
use crate::document;
use crate::tree::{Rule, Tree};

/// The most different thresholds of a feature: codes are bytes, and one stands for missing values.
pub const MOST_THRESHOLDS: usize = 254;

/// Everything that predicting needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub header: Header,
    /// Round after round; within a round, one tree for each output.
    pub trees: Vec<Tree>,
}

/// What is said about the trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub task: Task,
    pub loss: Option<Loss>,
    pub target: String,
    pub features: Vec<Feature>,
    /// Empty for regression. Of two classes, the second is the positive one.
    pub classes: Vec<String>,
    /// Where each output's score starts.
    pub initial: Vec<f64>,
    pub contributions: bool,
}

/// A column that the trees ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    pub name: String,
    /// Of text features: the texts that the codes in sets stand for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The sum of what its splits gained.
    pub gain: f64,
    /// How many splits ask for it.
    pub splits: u64,
}

impl Model {
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        document::write(&self.header, &self.trees)
    }

    /// Errors: `invalid-input` for bytes that are no model of this plugin.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (header, trees) = document::read(bytes)?;
        let model = Self { header, trees };
        let outputs = model.outputs();
        let Header { task, features, classes, initial, .. } = &model.header;
        let texts = |feature: &Feature| feature.categories.as_ref().map_or(0, Vec::len);
        let fits = initial.len() == outputs
            && initial.iter().all(|score| score.is_finite())
            && model.trees.len().is_multiple_of(outputs)
            && (*task == Task::Regression) == classes.is_empty()
            && classes.len() != 1
            && features.iter().all(|feature| texts(feature) <= usize::from(u8::MAX))
            && model.trees.iter().all(|tree| model.fits(tree));
        if fits { Ok(model) } else { Err(Error::invalid_input("the model's parts do not fit each other").at("model")) }
    }

    fn fits(&self, tree: &Tree) -> bool {
        tree.nodes.iter().all(|node| {
            let feature = self.header.features.get(node.feature as usize);
            feature.is_some_and(|feature| feature.categories.is_some() == matches!(node.rule, Rule::In { .. }))
        })
    }

    /// How many scores a row has.
    pub fn outputs(&self) -> usize {
        if self.header.classes.len() > 2 { self.header.classes.len() } else { 1 }
    }

    /// The thresholds of a feature that is a number, ascending, each once.
    pub fn thresholds(&self, feature: usize) -> Vec<f64> {
        let nodes = self.trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.feature as usize == feature);
        let mut thresholds: Vec<f64> = nodes
            .filter_map(|node| if let Rule::AtMost { threshold, .. } = node.rule { Some(threshold) } else { None })
            .collect();
        thresholds.sort_unstable_by(f64::total_cmp);
        thresholds.dedup();
        thresholds
    }
}
