//! A copy of the example with two versions of its model, and project files that serve them. Monitors are left out: what
//! they cost is measured by itself.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::Setting;
use crate::child::Server;
use crate::load;

pub const EXAMPLE: &str = "breast-cancer";
const PROJECT_FILE: &str = "wasmlops.yaml";

pub struct Project {
    folder: tempfile::TempDir,
    wasmlops: PathBuf,
    /// The example's project file without its endpoints and monitors.
    head: String,
}

impl Project {
    /// With version 1 trained, gated, registered and deployed.
    pub fn new(setting: &Setting) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        copy(&example(), folder.path())?;
        let text = fs::read_to_string(folder.path().join(PROJECT_FILE))?;
        let (head, _) = text.split_once("\nendpoints:\n").context("the example has no endpoints")?;
        // The policy names endpoints, which must then be declared.
        let kept = head.lines().filter(|line| !line.starts_with("  endpoints:"));
        let head = kept.collect::<Vec<_>>().join("\n") + "\n";
        let project = Self { head, wasmlops: setting.wasmlops.clone(), folder };
        project.run(&["run", "--quiet"])?;
        // Where the server has not looked yet, nobody has moved it.
        project.run(&["model", "alias", EXAMPLE, "champion", "1", "--quiet"])?;
        Ok(project)
    }

    /// Trains version 2 on other rows; it is registered and not deployed.
    pub fn second_version(&self) -> Result<()> {
        let file = self.path().join(format!("pipelines/{EXAMPLE}.yaml"));
        let text = fs::read_to_string(&file)?;
        let (steps, _) = text.split_once("\n  deploy:\n").context("the example has no step `deploy`")?;
        let kept = steps.lines().filter(|line| !line.trim_start().starts_with("compare:"));
        let text = kept.collect::<Vec<_>>().join("\n").replace(", baseline: champion", "");
        fs::write(&file, text + "\n")?;
        self.run(&["run", "--quiet", "--param", "seed=8"])
    }

    /// Declares endpoints that follow the model's alias, each with these further lines.
    pub fn declare(&self, endpoints: &[&str], options: &str) -> Result<()> {
        let mut text = self.head.clone();
        if !endpoints.is_empty() {
            text += "\nendpoints:\n";
        }
        for name in endpoints {
            text += &format!("  {name}:\n    model: {EXAMPLE}@champion\n{options}");
        }
        Ok(fs::write(self.path().join(PROJECT_FILE), text)?)
    }

    /// Starts the server and waits until all that is declared is ready.
    pub fn serve(&self) -> Result<Server> {
        Server::announced(&mut self.command(&["serve", "--open", "--bind", "127.0.0.1:0", "--json"]), Some("/readyz"))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.wasmlops);
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        let output = self.command(arguments).output().context("cannot run `wasmlops`")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`wasmlops {}`: {said}", arguments.join(" "));
        Ok(())
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The example's rows without their target.
pub struct Rows {
    pub columns: Vec<String>,
    pub cells: Vec<Vec<f64>>,
}

impl Rows {
    pub fn read() -> Result<Self> {
        let text = fs::read_to_string(data())?;
        let mut lines = text.lines();
        let header = lines.next().context("the data has no header")?;
        let mut columns: Vec<String> = header.split(',').map(str::to_owned).collect();
        columns.pop();
        let cells = lines.map(|line| {
            let cells = line.split(',').take(columns.len()).map(str::parse);
            cells.collect::<Result<Vec<f64>, _>>().context("a cell that is no number")
        });
        let cells = cells.collect::<Result<_>>()?;
        Ok(Self { columns, cells })
    }

    /// Requests of one row each, all different.
    pub fn requests(&self, address: SocketAddr, endpoint: &str) -> Arc<Vec<Vec<u8>>> {
        let request = |cells: &Vec<f64>| {
            let row: Map<String, Value> =
                self.columns.iter().cloned().zip(cells.iter().map(|cell| json!(cell))).collect();
            load::post(address, &path(endpoint), &json!({ "rows": [row] }).to_string())
        };
        Arc::new(self.cells.iter().map(request).collect())
    }

    /// One request of many rows, as lists.
    pub fn batch(&self, address: SocketAddr, endpoint: &str, rows: usize) -> Vec<u8> {
        let rows: Vec<&Vec<f64>> = self.cells.iter().cycle().take(rows).collect();
        load::post(address, &path(endpoint), &json!({ "columns": self.columns, "rows": rows }).to_string())
    }
}

fn path(endpoint: &str) -> String {
    format!("/api/v1/endpoints/{endpoint}/predict")
}

/// The example's CSV file.
pub fn data() -> PathBuf {
    example().join(format!("data/{EXAMPLE}.csv"))
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(EXAMPLE)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_name() == ".wasmlops" {
        } else if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
