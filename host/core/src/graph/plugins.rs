//! Which plugin, version and kind a step runs.

use std::collections::BTreeSet;

use semver::Version;
use serde::{Deserialize, Serialize};
use wasmlops_package::manifest::KindManifest;
use wasmlops_package::{Component, Digest, Kind, Manifest, PluginName};

use crate::config::{Step, listed};
use crate::diagnostics::{Problems, suggest};
use crate::graph::{StepKind, built_in};

/// A plugin that a pipeline may use, as its component describes itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PluginInfo {
    pub name: PluginName,
    pub version: Version,
    /// SHA-256 of the component.
    pub digest: Digest,
    pub kinds: BTreeSet<Kind>,
    pub manifest: Manifest,
    /// Whether the component looks for files; without a grant it finds none.
    pub needs_files: bool,
}

impl From<&Component> for PluginInfo {
    fn from(component: &Component) -> Self {
        Self {
            name: component.manifest.name.clone(),
            version: component.manifest.version.clone(),
            digest: component.digest,
            kinds: component.kinds.clone(),
            manifest: component.manifest.clone(),
            needs_files: component.needs_files,
        }
    }
}

/// What a step runs.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub plugin: &'a PluginInfo,
    pub kind: StepKind,
    pub manifest: &'a KindManifest,
}

/// The highest version that the step's requirement allows, and the kind that the step means.
pub(super) fn choose<'a>(step: &Step, plugins: &'a [PluginInfo], problems: &mut Problems<'_>) -> Option<Chosen<'a>> {
    if let Some(kind) = step.built_in {
        return Some(built_in::chosen(kind));
    }
    let plugin = choose_version(step, plugins, problems)?;
    let kind = choose_kind(step, plugin, problems)?;
    let Some(manifest) = plugin.manifest.kinds.get(&kind) else {
        let message =
            format!("the manifest of `{}` {} does not describe its kind `{kind}`", plugin.name, plugin.version);
        problems.add_with_hint("invalid-manifest", step.uses.span, message, "build the plugin again with its SDK");
        return None;
    };
    Some(Chosen { plugin, kind: kind.into(), manifest })
}

fn choose_version<'a>(step: &Step, plugins: &'a [PluginInfo], problems: &mut Problems<'_>) -> Option<&'a PluginInfo> {
    let wanted = &step.uses.value;
    let same_name = || plugins.iter().filter(|plugin| plugin.name == wanted.name);
    let fitting = same_name().filter(|plugin| wanted.requirement.matches(&plugin.version));
    // By digest as well, so that the choice never depends on the order of the list.
    let chosen = fitting.max_by(|a, b| (&a.version, a.digest).cmp(&(&b.version, b.digest)));
    if chosen.is_none() && same_name().next().is_some() {
        let versions: BTreeSet<_> = same_name().map(|plugin| &plugin.version).collect();
        let versions: Vec<_> = versions.into_iter().rev().map(Version::to_string).collect();
        let message = format!("no version of `{}` satisfies `{}`", wanted.name, wanted.requirement);
        let hint = format!("known versions are {}", listed(versions.iter().map(String::as_str)));
        problems.add_with_hint("no-matching-version", step.uses.span, message, hint);
    } else if chosen.is_none() {
        let known: BTreeSet<_> = plugins.iter().map(|plugin| plugin.name.as_str()).collect();
        let known_list = format!("known plugins are {}", listed(known.iter().copied()));
        let hint = match suggest(wanted.name.as_str(), known) {
            Some(near) => format!("did you mean `{near}`? {known_list}"),
            None => known_list,
        };
        problems.add_with_hint("unknown-plugin", step.uses.span, format!("there is no plugin `{}`", wanted.name), hint);
    }
    chosen
}

fn choose_kind(step: &Step, plugin: &PluginInfo, problems: &mut Problems<'_>) -> Option<Kind> {
    let names = || listed(plugin.kinds.iter().map(|kind| kind.as_str()));
    // A validator that monitors as well is a validator in a pipeline, unless it is asked for the other.
    let usual: Vec<Kind> = plugin.kinds.iter().copied().filter(|kind| *kind != Kind::Monitor).collect();
    let kind = match (&step.kind, usual.as_slice()) {
        (Some(asked), _) if plugin.kinds.contains(&asked.value) => asked.value,
        (Some(asked), _) => {
            let message = format!("`{}` {} has no kind `{}`", plugin.name, plugin.version, asked.value);
            problems.add_with_hint("wrong-kind", asked.span, message, format!("it is {}", names()));
            return None;
        }
        (None, [one]) => *one,
        (None, []) => *plugin.kinds.first()?,
        (None, [Kind::Trainer, Kind::Predictor]) => {
            let predicts = step.inputs.iter().any(|input| input.name.value == "model");
            if predicts { Kind::Predictor } else { Kind::Trainer }
        }
        (None, _) => {
            let message =
                format!("`{}` has several kinds, and step `{}` does not say which", plugin.name, step.name.value);
            problems.add_with_hint(
                "ambiguous-kind",
                step.uses.span,
                message,
                format!("add `kind:` with one of {}", names()),
            );
            return None;
        }
    };
    Some(kind)
}
