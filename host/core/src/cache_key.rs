//! The complete key of a step's result, and what changed since an earlier one.
//!
//! A guest sees its component, its configuration, its inputs, the files granted to it, its seed and the engine's
//! profile, and nothing else; so this is all that its output can depend on. One thing is not in the key: the nominal
//! time. The engine notices whether a guest asks for it, and a result that did is good for that time only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_package::Digest;

use crate::artifact::OutputRecord;
use crate::canonical_json::to_canonical;
use crate::graph::{BoundStep, Mode};
use crate::run::Metrics;

/// What a step's result depends on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyParts {
    /// Name and version, for people; the component's digest is what counts.
    pub plugin: String,
    pub component: Digest,
    /// The kind's function: `trainer`, `transform/apply`.
    pub function: String,
    pub config: Value,
    /// In the order of the file, which for transforms is the order in which they apply.
    pub inputs: Vec<(String, Digest)>,
    /// Granted files by path.
    pub files: BTreeMap<String, Digest>,
    /// Of the step's random numbers, in hex.
    pub seed: String,
    /// What the engine promises about floats and metering.
    pub profile: String,
}

/// The name of a result before it exists: BLAKE3 over the canonical JSON of all [`KeyParts`] but the plugin's name.
pub type CacheKey = Digest;

/// What a cache remembers under a key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CacheEntry {
    /// The run that made it.
    pub run: String,
    pub outputs: BTreeMap<String, OutputRecord>,
    pub metrics: Metrics,
    /// The nominal time (microseconds since 1970) that the guest asked for, if it did.
    pub clock: Option<i64>,
}

impl KeyParts {
    /// `inputs` and `files` are the digests of what the step would get, `seed` is of [`step_seed`].
    pub fn new(
        step: &BoundStep,
        inputs: Vec<(String, Digest)>,
        files: BTreeMap<String, Digest>,
        run_seed: u64,
        profile: String,
    ) -> Self {
        let function = match step.mode {
            Mode::Main => step.kind.to_string(),
            Mode::Apply => format!("{}/apply", step.kind),
        };
        Self {
            plugin: step.plugin.to_string(),
            component: step.plugin.digest,
            function,
            config: step.config.clone(),
            inputs,
            files,
            seed: Digest::new(wasmlops_package::Algorithm::Blake3, step_seed(run_seed, step)).hex(),
            profile,
        }
    }

    pub fn key(&self) -> CacheKey {
        let document = serde_json::json!({
            "key": 1,
            "component": self.component,
            "function": self.function,
            "config": self.config,
            "inputs": self.inputs,
            "files": self.files,
            "seed": self.seed,
            "profile": self.profile,
        });
        Digest::blake3(to_canonical(&document).as_bytes())
    }

    /// What is different from `earlier`; empty exactly if the keys are equal.
    pub fn changes_since(&self, earlier: &KeyParts) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.component != earlier.component {
            changes.push(Change::Plugin { from: earlier.described(), to: self.described() });
        }
        if self.function != earlier.function {
            changes.push(Change::Function { from: earlier.function.clone(), to: self.function.clone() });
        }
        let (before, now) = (leaves(&earlier.config), leaves(&self.config));
        changes.extend(different(&before, &now).map(|key| Change::Config {
            key: key.clone(),
            from: before.get(key).cloned(),
            to: now.get(key).cloned(),
        }));
        let (before, now) = (by_name(&earlier.inputs), by_name(&self.inputs));
        let mut inputs: Vec<Change> =
            different(&before, &now).map(|name| Change::Input { name: name.clone() }).collect();
        if inputs.is_empty() && self.inputs != earlier.inputs {
            inputs.push(Change::InputOrder);
        }
        changes.append(&mut inputs);
        changes.extend(different(&earlier.files, &self.files).map(|path| Change::File { path: path.clone() }));
        if self.seed != earlier.seed {
            changes.push(Change::Seed);
        }
        if self.profile != earlier.profile {
            changes.push(Change::Profile { from: earlier.profile.clone(), to: self.profile.clone() });
        }
        changes
    }

    fn described(&self) -> String {
        format!("{} ({})", self.plugin, self.component.short())
    }
}

/// The seed of a step's random numbers: BLAKE3 over the run's seed and the step's key.
pub fn step_seed(run_seed: u64, step: &BoundStep) -> [u8; 32] {
    *Digest::blake3(format!("wasmlops seed 1\n{run_seed}\n{}", step.key).as_bytes()).bytes()
}

/// One reason why a step's result is not known yet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    Plugin {
        from: String,
        to: String,
    },
    Function {
        from: String,
        to: String,
    },
    /// A leaf of the configuration; absent where it was or is not there.
    Config {
        key: String,
        from: Option<String>,
        to: Option<String>,
    },
    Input {
        name: String,
    },
    InputOrder,
    File {
        path: String,
    },
    Seed,
    Profile {
        from: String,
        to: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Plugin { from, to } => write!(f, "plugin changed from {from} to {to}"),
            Change::Function { from, to } => write!(f, "function changed from {from} to {to}"),
            Change::Config { key, from: Some(from), to: Some(to) } => {
                write!(f, "`with.{key}` changed from {from} to {to}")
            }
            Change::Config { key, to: Some(to), .. } => write!(f, "`with.{key}` was added with {to}"),
            Change::Config { key, from: Some(from), .. } => write!(f, "`with.{key}` was removed, it was {from}"),
            Change::Config { key, .. } => write!(f, "`with.{key}` changed"),
            Change::Input { name } => write!(f, "input `{name}` changed"),
            Change::InputOrder => f.write_str("the order of the inputs changed"),
            Change::File { path } => write!(f, "file `{path}` changed"),
            Change::Seed => f.write_str("the seed changed"),
            Change::Profile { from, to } => write!(f, "the engine's profile changed from `{from}` to `{to}`"),
        }
    }
}

/// Names whose values differ, with names that only one side has.
fn different<'a, V: PartialEq>(
    before: &'a BTreeMap<String, V>,
    now: &'a BTreeMap<String, V>,
) -> impl Iterator<Item = &'a String> {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != now.get(*name))
}

fn by_name(inputs: &[(String, Digest)]) -> BTreeMap<String, Digest> {
    inputs.iter().cloned().collect()
}

/// The leaves of a configuration by dotted path; an empty list or object is a leaf.
fn leaves(config: &Value) -> BTreeMap<String, String> {
    fn walk(path: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
        let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::Object(object) if !object.is_empty() => {
                object.iter().for_each(|(key, value)| walk(join(key), value, leaves));
            }
            Value::Array(array) if !array.is_empty() => {
                array.iter().enumerate().for_each(|(index, value)| walk(join(&index.to_string()), value, leaves));
            }
            leaf => {
                leaves.insert(path, leaf.to_string());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(String::new(), config, &mut found);
    found
}

#[cfg(test)]
mod tests;
