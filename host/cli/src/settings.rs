//! What the arguments and the environment mean here: resolved once, before anything runs.

mod observing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wasmlops_server::clock::SystemClock;
use wasmlops_server::error::Error;
use wasmlops_server::host::{Host, HostOptions};
use wasmlops_server::project::Project;
use zeroize::Zeroizing;

use crate::args::{Args, Command, EndpointCommand};
use crate::compiled::{Compiled, make_private};
use crate::remote::ServerAddress;

pub use observing::Observing;

/// Holds the key of secrets, as base64 of 32 bytes, where it shall not be a file.
const SECRET_KEY: &str = "WASMLOPS_SECRET_KEY";

/// Where `wasmlops serve` listens unless it is told otherwise.
const SERVER: &str = "http://127.0.0.1:7070";

/// The folder of runs and artifacts in a project.
pub const HOME: &str = ".wasmlops";

/// The folders that a command works in.
pub struct Settings {
    /// Where the command was called; what paths on the command line start from.
    pub folder: PathBuf,
    pub project: Option<PathBuf>,
    /// All that were named; only a server takes more than one.
    projects: Vec<PathBuf>,
    pub home: Option<PathBuf>,
}

impl Settings {
    pub fn new(args: &Args) -> Result<Self> {
        let folder = std::env::current_dir().context("cannot tell the current folder")?;
        let projects = args.project.clone();
        let many = projects.len() > 1;
        if many && (!matches!(args.command, Command::Serve(_)) || args.home.is_some()) {
            let hint = "name one; `serve` alone takes several, each of which keeps its own `.wasmlops`";
            return Err(Error::user("several-projects", "several projects were named", hint).into());
        }
        Ok(Self { folder, project: projects.first().cloned(), projects, home: args.home.clone() })
    }

    /// The server that a command is for, where one is named. Predictions are asked of the one on this machine if no other
    /// is.
    pub fn server(&self, args: &Args) -> Result<Option<ServerAddress>> {
        // These are about folders of this machine, whatever the environment says.
        let local = matches!(
            args.command,
            Command::Init(_) | Command::Serve(_) | Command::Schema { .. } | Command::Verify { .. }
        );
        let usual = || std::env::var("WASMLOPS_SERVER").ok().filter(|url| !url.is_empty() && !local);
        let given = args.server.clone().or_else(usual);
        let asks = matches!(args.command, Command::Endpoint(EndpointCommand::Invoke { .. }));
        let Some(url) = given.or_else(|| asks.then(|| SERVER.to_owned())) else { return Ok(None) };
        let authority = args.ca_file.as_ref().map(|file| {
            let file = self.folder.join(file);
            std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))
        });
        Ok(Some(ServerAddress {
            url,
            token: std::env::var("WASMLOPS_TOKEN").ok().filter(|token| !token.is_empty()),
            authority: authority.transpose()?,
            project: self.project.as_ref().map(|name| name.display().to_string()),
        }))
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

    /// The projects that a server serves: those that were named, else the one here.
    pub fn projects(&self) -> Result<Vec<Project>> {
        match self.projects.is_empty() {
            true => Ok(vec![self.project()?]),
            false => self.projects.iter().map(|folder| Ok(Project::find(&self.folder.join(folder))?)).collect(),
        }
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
            secret_key: secret_key()?,
            built_in: wasmlops_plugins::standard().iter().map(|plugin| plugin.bytes).collect(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            clock: Arc::new(SystemClock),
            ignore_lock: upgrade,
        });
        Ok(host.await?)
    }
}

/// The key of secrets from the environment. Its text is not repeated where it is wrong.
fn secret_key() -> Result<Option<Zeroizing<[u8; 32]>>, Error> {
    let Some(text) = std::env::var_os(SECRET_KEY).filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = Zeroizing::new(text.into_encoded_bytes());
    let bytes = STANDARD.decode(text.trim_ascii()).map(Zeroizing::new);
    match bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()) {
        Some(key) => Ok(Some(Zeroizing::new(key))),
        None => {
            let message = format!("`{SECRET_KEY}` is no key: it must be base64 of 32 bytes");
            Err(Error::user("invalid-key", message, "make one with `head -c 32 /dev/urandom | base64`"))
        }
    }
}
