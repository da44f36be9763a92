//! The plugins that a project can use: the built-in ones and its own files, held to the lock.

pub mod view;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use wasmlops_core::config::{PluginRequirement, ProjectPath, Spanned};
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
use wasmlops_core::graph::{Graph, PluginInfo};
use wasmlops_package::component::MAX_COMPONENT_BYTES;
use wasmlops_package::{Algorithm, Component, Digest};
use wasmlops_store::Blobs;

use crate::error::{Error, Result};
use crate::project::{Lock, LockedPlugin, Project};

/// A plugin at hand.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub info: PluginInfo,
    pub component: Arc<Component>,
    pub bytes: Arc<[u8]>,
    pub origin: Origin,
    /// Whether this process has put it into the artifact store.
    kept: Arc<AtomicBool>,
}

/// Where a plugin is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Comes with the `wasmlops` binary.
    BuiltIn,
    /// A file of the project.
    File(ProjectPath),
    /// The artifact store: an earlier run used it, and the lock names it.
    Kept,
}

/// All plugins of a project.
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    all: Vec<Plugin>,
}

impl Plugins {
    /// The built-in components, and those that the project file names with a `path`, which hide built-in ones.
    ///
    /// Errors: every file that is missing or no plugin.
    pub fn load(project: &Project, built_in: &[&'static [u8]]) -> Result<Self> {
        let mut all = Vec::new();
        let mut problems = Vec::new();
        for requirement in &project.plugins {
            if let Some(path) = &requirement.path {
                match from_file(project, requirement, path) {
                    Ok(plugin) => all.push(plugin),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        Diagnostics::check(problems)?;
        for bytes in built_in {
            // A test of the bundle has inspected it.
            let component = Component::read(bytes).map_err(Error::bug)?;
            if !all.iter().any(|known: &Plugin| known.info.name == component.manifest.name) {
                all.push(Plugin::new(component, Arc::from(*bytes), Origin::BuiltIn));
            }
        }
        all.retain(|plugin| allowed(project, &plugin.info));
        Ok(Self { all })
    }

    /// Holds built-in plugins to the lock: a name that is locked to other bytes is taken from the artifact store, where
    /// the run that locked it left it. Files of the project are taken as they are.
    pub fn hold_to(mut self, lock: &Lock, blobs: &Blobs) -> Self {
        for plugin in self.all.iter_mut().filter(|plugin| plugin.origin == Origin::BuiltIn) {
            let Some(locked) = lock.plugins.get(&plugin.info.name) else { continue };
            if locked.digest == plugin.info.digest {
                continue;
            }
            let kept = blobs.get_blocking(&locked.digest).ok();
            let kept = kept.and_then(|bytes| Some((Component::read(&bytes).ok()?, bytes)));
            if let Some((component, bytes)) = kept {
                *plugin = Plugin::new(component, Arc::from(bytes), Origin::Kept);
            }
        }
        self
    }

    pub fn infos(&self) -> Vec<PluginInfo> {
        self.all.iter().map(|plugin| plugin.info.clone()).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.all.iter()
    }

    pub fn by_digest(&self, digest: &Digest) -> Option<&Plugin> {
        self.all.iter().find(|plugin| plugin.info.digest == *digest)
    }

    /// Puts the components that a graph uses into the artifact store, so that the run can be repeated from it alone.
    pub fn keep(&self, graph: &Graph, blobs: &Blobs) -> Result<()> {
        let used: BTreeMap<Digest, ()> = graph.all_steps().map(|step| (step.plugin.digest, ())).collect();
        for digest in used.keys() {
            if let Some(plugin) = self.by_digest(digest) {
                // Bytes of megabytes are digested once. That they are still there is looked at each time.
                if plugin.kept.load(Ordering::Relaxed) && blobs.contains(digest) {
                    continue;
                }
                blobs.put_blocking(Algorithm::Sha256, &plugin.bytes).map_err(Error::store)?;
                plugin.kept.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// What a graph uses, as the lock says it.
pub fn locked(graph: &Graph) -> Lock {
    let plugin = |step: &wasmlops_core::graph::BoundStep| {
        let id = &step.plugin;
        (id.name.clone(), LockedPlugin { version: id.version.clone(), digest: id.digest })
    };
    // What is built in comes with the host: there is nothing to hold it to.
    Lock { plugins: graph.all_steps().filter(|step| !step.kind.is_built_in()).map(plugin).collect() }
}

impl Plugin {
    fn new(component: Component, bytes: Arc<[u8]>, origin: Origin) -> Self {
        Self { info: PluginInfo::from(&component), component: Arc::new(component), bytes, origin, kept: Arc::default() }
    }
}

/// A version that the project file asks for, where it names the plugin at all.
fn allowed(project: &Project, info: &PluginInfo) -> bool {
    let required = project.plugins.iter().find(|requirement| requirement.name.value == info.name);
    required.is_none_or(|requirement| requirement.version.matches(&info.version))
}

fn from_file(
    project: &Project,
    requirement: &PluginRequirement,
    path: &Spanned<ProjectPath>,
) -> Result<Plugin, Box<Diagnostic>> {
    let name = &requirement.name.value;
    let problem = |code: &str, message: String, hint: &str| {
        let problem = Diagnostic::new(code, message).hint(hint);
        Box::new(match &project.source {
            Some(source) => problem.at(source, path.span),
            None => problem,
        })
    };
    let file = path.value.as_str();
    let bytes = read(project, file).map_err(|error| {
        problem(
            "plugin-unreadable",
            format!("plugin `{name}`: `{file}`: {error}"),
            "build the component, or correct `path`",
        )
    })?;
    let component = Component::inspect(&bytes).map_err(|error| {
        problem("invalid-plugin", format!("plugin `{name}`: `{file}`: {error}"), "build it again with its SDK")
    })?;
    if component.manifest.name != *name {
        let message = format!("plugin `{name}`: `{file}` is the plugin `{}`", component.manifest.name);
        return Err(problem("plugin-name", message, "list it under its own name"));
    }
    Ok(Plugin::new(component, Arc::from(bytes), Origin::File(path.value.clone())))
}

fn read(project: &Project, file: &str) -> std::io::Result<Vec<u8>> {
    let folder = Dir::open_ambient_dir(&project.root, ambient_authority())?;
    let mut bytes = Vec::new();
    folder.open(file)?.take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
