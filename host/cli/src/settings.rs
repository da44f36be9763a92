//! What the arguments and the environment mean here: resolved once, before anything runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use wasmlops_server::clock::SystemClock;
use wasmlops_server::host::{Host, HostOptions};
use wasmlops_server::project::Project;

use crate::args::{Args, Command};
use crate::compiled::{Compiled, make_private};

/// The folder of runs and artifacts in a project.
pub const HOME: &str = ".wasmlops";

/// The folders that a command works in.
pub struct Settings {
    /// Where the command was called; what paths on the command line start from.
    pub folder: PathBuf,
    pub project: Option<PathBuf>,
    pub home: Option<PathBuf>,
}

impl Settings {
    pub fn new(args: &Args) -> Result<Self> {
        let folder = std::env::current_dir().context("cannot tell the current folder")?;
        Ok(Self { folder, project: args.project.clone(), home: args.home.clone() })
    }

    /// Whom a command's changes are attributed to: `cli:ann` where the system names its user.
    pub fn actor(&self) -> String {
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
        let user: String = user.chars().filter(|c| !c.is_control()).take(64).collect();
        if user.is_empty() { "cli".to_owned() } else { format!("cli:{user}") }
    }

    pub fn project(&self) -> Result<Project> {
        Ok(Project::find(self.project.as_deref().unwrap_or(&self.folder))?)
    }

    pub fn home(&self, root: &Path) -> PathBuf {
        self.home.as_ref().map_or_else(|| root.join(HOME), |home| self.folder.join(home))
    }

    /// The project that a pipeline belongs to: a file's own folder decides, unless a project is named.
    pub fn project_of(&self, pipeline: Option<&str>) -> Result<Project> {
        let file = pipeline.filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
        match (file, &self.project) {
            (Some(file), None) => {
                let path = self.folder.join(file);
                Ok(Project::find(path.parent().filter(|folder| folder.is_dir()).unwrap_or(&self.folder))?)
            }
            _ => self.project(),
        }
    }

    /// The host for the project that the command is about.
    pub async fn host(&self) -> Result<Host> {
        self.host_with(self.project()?, false).await
    }

    /// With `upgrade`, the newest plugins that fit, whatever the lock says.
    pub async fn host_with(&self, project: Project, upgrade: bool) -> Result<Host> {
        let home = self.home(&project.root);
        make_private(&home)?;
        let compiled = Compiled::open(&home)?;
        let host = Host::open(HostOptions {
            project,
            home,
            compiled: Some(compiled.folder),
            compiled_key: compiled.key,
            built_in: wasmlops_plugins::standard().iter().map(|plugin| plugin.bytes).collect(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            clock: Arc::new(SystemClock),
            ignore_lock: upgrade,
        });
        Ok(host.await?)
    }
}

/// Logs of the host go to standard error; `WASMLOPS_LOG` chooses them as `tracing`'s filters do.
/// A server's warnings are what its operator lives by; a command says what matters itself.
pub fn start_tracing(args: &Args) {
    let default = match (args.verbose, &args.command) {
        (true, _) => "wasmlops=debug,wasmlops_server=debug",
        (false, Command::Serve { .. }) => "warn",
        (false, _) => "error",
    };
    let filter = EnvFilter::try_from_env("WASMLOPS_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
