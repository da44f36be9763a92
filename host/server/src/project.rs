//! A project on disk: its folder, its project file, its pipelines and its lock.

mod files;
mod git;
mod lock;

use std::fs;
use std::path::{Path, PathBuf};

use wasmlops_core::config::{
    AccessConfig, Concurrency, EndpointConfig, MonitorConfig, NotificationConfig, Pipeline, PluginRequirement, Policy,
    Retention, ScheduleConfig, TriggerConfig, parse_pipeline, parse_project,
};
use wasmlops_core::diagnostics::Source;
use wasmlops_core::graph::Pipelines;

use crate::error::{Error, Result};

pub use files::{GrantedFiles, granted_files};
pub use git::{SourceState, source_state};
pub use lock::{LOCK_FILE, Lock, LockedPlugin};

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "wasmlops.yaml";
/// Longer files are refused before they are read.
const MAX_FILE: u64 = 1 << 20;

/// A folder that pipelines run in. A pipeline file alone is a project without a project file.
#[derive(Clone, Debug)]
pub struct Project {
    pub root: PathBuf,
    pub name: String,
    pub plugins: Vec<PluginRequirement>,
    pub policy: Policy,
    pub endpoints: Vec<EndpointConfig>,
    pub monitors: Vec<MonitorConfig>,
    pub schedules: Vec<ScheduleConfig>,
    pub triggers: Vec<TriggerConfig>,
    pub notifications: Vec<NotificationConfig>,
    pub concurrency: Concurrency,
    pub retention: Option<Retention>,
    pub access: AccessConfig,
    /// The project file, where there is one.
    pub source: Option<Source>,
}

impl Project {
    /// The project that `folder` lies in: the nearest folder upwards with a `wasmlops.yaml`, else `folder` itself.
    pub fn find(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize().map_err(Error::io(format!("open `{}`", folder.display())))?;
        match folder.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file()) {
            Some(root) => Self::open(root),
            None => Ok(Self::bare(folder)),
        }
    }

    fn open(root: &Path) -> Result<Self> {
        let text = read_text(&root.join(PROJECT_FILE))?;
        let config = parse_project(PROJECT_FILE, &text)?;
        Ok(Self {
            root: root.to_owned(),
            name: config.name.value,
            plugins: config.plugins,
            policy: config.policy,
            endpoints: config.endpoints,
            monitors: config.monitors,
            schedules: config.schedules,
            triggers: config.triggers,
            notifications: config.notifications,
            concurrency: config.concurrency,
            retention: config.retention,
            access: config.access,
            source: Some(config.source),
        })
    }

    fn bare(root: PathBuf) -> Self {
        let name = root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
        Self {
            root,
            name,
            plugins: Vec::new(),
            policy: Policy::default(),
            endpoints: Vec::new(),
            monitors: Vec::new(),
            schedules: Vec::new(),
            triggers: Vec::new(),
            notifications: Vec::new(),
            concurrency: Concurrency::default(),
            retention: None,
            access: AccessConfig::default(),
            source: None,
        }
    }

    /// Whether there is a project file; only then is there a lock.
    pub fn has_file(&self) -> bool {
        self.source.is_some()
    }

    /// Reads a pipeline: a name under `pipelines/`, or the path of a file from `folder`. Absent: the only pipeline.
    pub fn pipeline(&self, folder: &Path, which: Option<&str>) -> Result<Pipeline> {
        let path = match which {
            Some(file) if file.ends_with(".yaml") || file.ends_with(".yml") => folder.join(file),
            Some(name) => self.named(name)?,
            None => self.only()?,
        };
        let shown = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
        Ok(parse_pipeline(&shown, &read_text(&path)?)?)
    }

    /// The pipelines that the searches of a pipeline run, as far as they are there.
    pub fn searched(&self, pipeline: &Pipeline) -> Result<Pipelines> {
        let mut pipelines = Pipelines::default();
        for name in pipeline.searches() {
            if pipelines.names.is_empty() {
                pipelines.names = self.pipeline_names();
            }
            if pipelines.names.iter().any(|known| known == name) {
                pipelines.read.insert(name.to_owned(), self.pipeline(&self.root, Some(name))?);
            }
        }
        Ok(pipelines)
    }

    fn named(&self, name: &str) -> Result<PathBuf> {
        let names = self.pipeline_names();
        if names.iter().any(|known| known == name) {
            return Ok(self.root.join("pipelines").join(format!("{name}.yaml")));
        }
        let message = format!("there is no pipeline `{name}` in `{}`", self.root.display());
        Err(Error::user("unknown-pipeline", message, offer(&names)))
    }

    fn only(&self) -> Result<PathBuf> {
        match self.pipeline_names().as_slice() {
            [name] => self.named(name),
            names => {
                let message = format!("name one of the {} pipelines of the project", names.len());
                let message = if names.is_empty() { "the project has no pipeline".to_owned() } else { message };
                Err(Error::user("unknown-pipeline", message, offer(names)))
            }
        }
    }

    /// The names of the files under `pipelines/`, sorted.
    pub fn pipeline_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("pipelines")).into_iter().flatten().flatten();
        let name = |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".yaml")?.to_owned());
        let mut names: Vec<String> = entries.filter_map(name).collect();
        names.sort();
        names
    }
}

fn offer(names: &[String]) -> String {
    if names.is_empty() {
        return "write one to `pipelines/NAME.yaml`, or make a project with `wasmlops init DIR`".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("there is {}", names.join(", "))
}

fn read_text(path: &Path) -> Result<String> {
    let shown = path.display();
    let size = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::user("no-such-file", format!("there is no file `{shown}`"), "check the path")
        }
        _ => Error::Io { what: format!("read `{shown}`"), source: error },
    })?;
    if size.len() > MAX_FILE {
        let message = format!("`{shown}` has {} bytes; at most {MAX_FILE} are read", size.len());
        return Err(Error::user("too-large", message, "split the pipeline"));
    }
    let bytes = fs::read(path).map_err(Error::io(format!("read `{shown}`")))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::user("not-utf8", format!("`{shown}` is not UTF-8 text"), "save the file as UTF-8"))
}
