//! The plan: which steps have a result already, and why the others must run.
//!
//! Pure: the caller looks up files, cache entries and earlier key parts, step by step in the graph's order, and asks
//! [`Planner::judge`]. The same judgement is made again when a run comes to the step, so that plan and run agree.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use wasmlops_package::{Digest, Kind};

use crate::artifact::OutputRecord;
use crate::cache_key::{CacheEntry, Change, KeyParts};
use crate::graph::{BoundStep, OutputRef, StepKey, StepKind};
use crate::run::Micros;

/// What is known of a step before it runs.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// An earlier result stands.
    Hit(CacheEntry),
    Miss(Reason),
    /// The step's result is never taken from the cache.
    Off(Reason),
    /// An `artifact` step: it is looked up, never run.
    Resolved(Resolution),
}

/// What an `artifact` step brings in.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolution {
    /// Empty where what it names does not exist.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// What it found, for people: `version 2`.
    pub found: String,
    /// What is different from the last run, for people: `` `m@champion` moved from version 1 to version 2 ``.
    pub change: Option<String>,
}

impl Resolution {
    /// What there is to say, for people.
    pub fn reason(&self) -> String {
        self.change.clone().unwrap_or_else(|| self.found.clone())
    }
}

/// Why a step must run, for people: lower-case, no final period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    pub text: String,
    /// What is at the bottom of it, where the step itself is as before: the reason of the step it depends on.
    pub root: String,
}

impl Reason {
    fn own(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { root: text.clone(), text }
    }
}

/// What the last run of the same step in the same pipeline was made of.
#[derive(Clone, PartialEq, Debug)]
pub struct Earlier {
    pub parts: KeyParts,
    /// The parameters of that run.
    pub params: Map<String, Value>,
}

/// What the caller found for a step whose inputs are all known.
pub struct Found {
    pub parts: KeyParts,
    /// The entry under the key, if its outputs are all still there.
    pub entry: Option<CacheEntry>,
    /// Whether there was an entry whose outputs are not all there.
    pub lost: bool,
    pub earlier: Option<Earlier>,
    /// Why the step must run although its key is as before, where the caller knows.
    pub because: Option<String>,
    /// For an `artifact` step; then nothing else but the parts counts.
    pub resolution: Option<Resolution>,
}

/// Judges the steps of a graph one after the other.
#[derive(Debug, Default)]
pub struct Planner {
    verdicts: BTreeMap<StepKey, Verdict>,
}

impl Planner {
    pub fn verdict(&self, key: &StepKey) -> Option<&Verdict> {
        self.verdicts.get(key)
    }

    /// The digests of the step's inputs, if all their producers have a result already; else the verdict is a miss
    /// because of the first that has not, and it is noted. An input that brings nothing is left out where the step can
    /// do without it.
    ///
    /// # Errors
    /// That verdict.
    pub fn inputs(&mut self, step: &BoundStep) -> Result<Vec<(String, Digest)>, Verdict> {
        let digest = |(name, from): &(String, OutputRef)| match self.digest(name, from) {
            Ok(Some(digest)) => Some(Ok((name.clone(), digest))),
            Ok(None) if step.optional_inputs.contains(name) => None,
            Ok(None) => Some(Err(Reason::own(format!("`{}` makes no `{}`", from.step, from.output)))),
            Err(reason) => Some(Err(reason)),
        };
        let inputs: Result<Vec<_>, Reason> = step.inputs.iter().filter_map(digest).collect();
        inputs.map_err(|reason| {
            let verdict = if step.cache { Verdict::Miss(reason) } else { switched_off(step) };
            self.verdicts.insert(step.key.clone(), verdict.clone());
            verdict
        })
    }

    /// The verdict on a step that must wait for another, which has no result yet; noted.
    pub fn waits(&mut self, step: &BoundStep, on: &StepKey) -> Verdict {
        let root = match self.verdicts.get(on) {
            Some(Verdict::Miss(reason) | Verdict::Off(reason)) => reason.root.clone(),
            _ => "it has no result".to_owned(),
        };
        let verdict = Verdict::Miss(Reason { text: format!("`{on}` runs: {root}"), root });
        self.verdicts.insert(step.key.clone(), verdict.clone());
        verdict
    }

    /// Nothing where the producer has ended without that output.
    fn digest(&self, name: &str, from: &OutputRef) -> Result<Option<Digest>, Reason> {
        let of = |outputs: &BTreeMap<String, OutputRecord>| Ok(outputs.get(&from.output).map(|output| output.digest));
        match self.verdicts.get(&from.step) {
            Some(Verdict::Hit(entry)) => of(&entry.outputs),
            Some(Verdict::Resolved(resolution)) => of(&resolution.outputs),
            Some(Verdict::Miss(reason) | Verdict::Off(reason)) => Err(Reason {
                text: format!("input `{name}` comes from `{}`, which runs: {}", from.step, reason.root),
                root: reason.root.clone(),
            }),
            None => Err(Reason::own(format!("`{}` has not been judged", from.step))),
        }
    }

    /// The verdict on a step whose inputs are known; noted for the steps that depend on it.
    pub fn judge(
        &mut self,
        step: &BoundStep,
        found: Found,
        params: &Map<String, Value>,
        nominal_time: Micros,
    ) -> Verdict {
        let verdict = self.compare(step, found, params, nominal_time);
        self.verdicts.insert(step.key.clone(), verdict.clone());
        verdict
    }

    fn compare(&self, step: &BoundStep, found: Found, params: &Map<String, Value>, nominal_time: Micros) -> Verdict {
        if let Some(resolution) = found.resolution {
            return Verdict::Resolved(resolution);
        }
        if !step.cache {
            return switched_off(step);
        }
        let other_time = |entry: &CacheEntry| entry.clock.is_some_and(|clock| clock != nominal_time);
        let reason = match (found.entry, found.earlier) {
            (Some(entry), _) if !other_time(&entry) => return Verdict::Hit(entry),
            (Some(_), _) => Reason::own("the step asks for the time, and the nominal time changed"),
            (None, _) if found.lost => Reason::own("the earlier result is no longer in the store, or damaged"),
            (None, None) => Reason::own("the step has not run before"),
            (None, Some(earlier)) => {
                let changes = found.parts.changes_since(&earlier.parts);
                if changes.is_empty() {
                    Reason::own(found.because.unwrap_or_else(|| "the last run of the step left no result".to_owned()))
                } else {
                    self.explain(step, &changes, &earlier.params, params)
                }
            }
        };
        Verdict::Miss(reason)
    }

    fn explain(
        &self,
        step: &BoundStep,
        changes: &[Change],
        before: &Map<String, Value>,
        now: &Map<String, Value>,
    ) -> Reason {
        let own = changes.iter().filter(|change| !matches!(change, Change::Input { .. })).map(|change| {
            match changed_param(change, before, now) {
                Some(param) => format!("{change} (`params.{param}`)"),
                None => change.to_string(),
            }
        });
        let own: Vec<String> = own.collect();
        let inputs = changes.iter().filter_map(|change| match change {
            Change::Input { name } => Some(self.explain_input(step, name)),
            _ => None,
        });
        let inputs: Vec<Reason> = inputs.collect();
        let texts = own.iter().cloned().chain(inputs.iter().map(|reason| reason.text.clone()));
        let text = texts.collect::<Vec<_>>().join("; ");
        let root = match inputs.first() {
            Some(input) if own.is_empty() => input.root.clone(),
            _ => own.join("; "),
        };
        Reason { text, root }
    }

    fn explain_input(&self, step: &BoundStep, name: &str) -> Reason {
        let change = Change::Input { name: name.to_owned() };
        let from = step.inputs.iter().find(|(input, _)| input == name).map(|(_, from)| &from.step);
        let producer = from.and_then(|key| Some((key, self.verdicts.get(key)?)));
        match producer {
            Some((key, Verdict::Miss(reason) | Verdict::Off(reason))) => {
                Reason { text: format!("{change}: `{key}` ran: {}", reason.root), root: reason.root.clone() }
            }
            Some((_, Verdict::Resolved(Resolution { change: Some(change), .. }))) => Reason::own(change.clone()),
            _ => Reason::own(change.to_string()),
        }
    }
}

fn switched_off(step: &BoundStep) -> Verdict {
    Verdict::Off(Reason::own(match () {
        () if step.kind == Kind::Deployer => "a deployment is an effect",
        () if step.kind == StepKind::Approval => "a person decides",
        () if !step.secrets.is_empty() => "the step is given secrets",
        () if step.is_captured() => "the step reaches outside the run",
        () => "`cache: false`",
    }))
}

/// The one parameter that changed just as the configuration did.
fn changed_param<'a>(change: &Change, before: &Map<String, Value>, now: &'a Map<String, Value>) -> Option<&'a str> {
    let Change::Config { from: Some(from), to: Some(to), .. } = change else { return None };
    let moved = |name: &str| {
        before.get(name).is_some_and(|value| value.to_string().as_str() == from)
            && now.get(name).is_some_and(|value| value.to_string().as_str() == to)
    };
    let mut names = now.keys().filter(|name| moved(name));
    names.next().filter(|_| names.next().is_none()).map(String::as_str)
}
