//! One scikit-learn model in `mlflow models serve` and, imported as ONNX, in `wasmlops serve`. Needs a Python that has
//! both mlflow and skl2onnx; says so where there is none.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::child::Server;
use crate::load::{self, Load, Outcome};
use crate::project::{EXAMPLE, Project, Rows, data};
use crate::{Setting, drift, serving, table};

pub fn measure(setting: &Setting) -> Result<()> {
    let python = setting.python.as_deref();
    let Some(python) = python.filter(|python| ["mlflow", "skl2onnx"].iter().all(|name| drift::has(python, name)))
    else {
        println!("\n`mlflow models serve`: skipped, no Python with mlflow and skl2onnx was given (`--python FILE`).");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mlflow_serve.py");
    let made = Command::new(python).arg(script).arg(data()).arg(folder.path()).output()?;
    ensure!(made.status.success(), "`mlflow_serve.py`: {}", String::from_utf8_lossy(&made.stderr));
    let (ours, answer) = imported(setting, folder.path())?;
    let theirs = mlflow(setting, python, folder.path())?;
    let server = serving::trivial(&answer)?;
    let base = serving::ladder(setting, &server, &Rows::read()?.requests(server.address, EXAMPLE))?;
    let mut lines = vec![table::row(serving::HEAD)];
    for (name, outcomes) in
        [("axum, fixed answer", &base), ("`wasmlops serve`, ONNX", &ours), ("`mlflow models serve`", &theirs)]
    {
        lines.extend(serving::rows(name, outcomes, &base));
    }
    table::print("One scikit-learn model, single rows", &lines);
    println!("\n{}", String::from_utf8_lossy(&made.stdout).trim());
    Ok(())
}

/// The model as ONNX here; and an answer.
fn imported(setting: &Setting, folder: &Path) -> Result<(Vec<Outcome>, String)> {
    let project = Project::new(setting)?;
    let onnx = folder.join("model.onnx");
    let (onnx, sample) = (onnx.to_string_lossy(), data());
    let sample = sample.to_string_lossy();
    project.run(&[
        "model", "import", "foreign", &onnx, "--format", "onnx", "--data", &sample, "--target", "benign", "--quiet",
    ])?;
    project.declare(&[], "")?;
    let file = project.path().join("wasmlops.yaml");
    let head = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("{head}\nendpoints:\n  foreign: {{ model: foreign@1 }}\n"))?;
    let server = project.serve()?;
    let requests = Rows::read()?.requests(server.address, "foreign");
    let answer = Load::ask(server.address, &requests[0])?;
    Ok((serving::ladder(setting, &server, &requests)?, answer))
}

fn mlflow(setting: &Setting, python: &Path, folder: &Path) -> Result<Vec<Outcome>> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let mut command = Command::new(python);
    command.args(["-m", "mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1", "--port"]);
    command.arg(port.to_string()).arg("--model-uri").arg(folder.join("mlflow"));
    // It starts its own server by name.
    let beside = python.parent().context("the Python has no folder")?.to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(beside).chain(std::env::split_paths(&path)))?;
    let server = Server::told(command.env("PATH", path), address, "/ping")?;
    let data = Rows::read()?;
    let request = |row: &Vec<f64>| {
        let body = json!({ "dataframe_split": { "columns": data.columns, "data": [row] } });
        load::post(address, "/invocations", &body.to_string())
    };
    let requests = Arc::new(data.cells.iter().map(request).collect());
    Load::ask(address, &Vec::clone(&Arc::clone(&requests))[0])?;
    serving::ladder(setting, &server, &requests)
}
