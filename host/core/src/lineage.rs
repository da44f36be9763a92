//! Lineage facts: which bytes a step used, and which it made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasmlops_package::Digest;

use crate::artifact::OutputRecord;
use crate::cache_key::KeyParts;
use crate::graph::{BoundStep, StepKind};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Used,
    Made,
}

/// One edge of the lineage graph, between a step of a run and some bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    pub direction: Direction,
    /// `component`, `input:<name>`, `file:<path>`, `output:<name>` or `artifact:<name>`.
    pub role: String,
    pub digest: Digest,
}

/// The facts of a step that has ended with these outputs. They hold for a cache hit as well: the earlier result is what
/// these inputs give. A built-in step has no component, and an `artifact` step makes nothing: it uses what is there.
pub fn facts(step: &BoundStep, parts: &KeyParts, outputs: &BTreeMap<String, OutputRecord>) -> Vec<Fact> {
    let used = |role: String, digest: Digest| Fact { direction: Direction::Used, role, digest };
    let made = |role: String, digest: Digest| Fact { direction: Direction::Made, role, digest };
    if step.kind == StepKind::Artifact {
        return outputs.values().map(|output| used(format!("artifact:{}", step.key), output.digest)).collect();
    }
    let component = (!step.kind.is_built_in()).then(|| used("component".to_owned(), parts.component));
    component
        .into_iter()
        .chain(parts.inputs.iter().map(|(name, digest)| used(format!("input:{name}"), *digest)))
        .chain(parts.files.iter().map(|(path, digest)| used(format!("file:{path}"), *digest)))
        .chain(outputs.iter().map(|(name, output)| made(format!("output:{name}"), output.digest)))
        .collect()
}
