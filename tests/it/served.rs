//! A running `wasmlops serve`, and requests to it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::TestProject;

pub const PREDICT: &str = "/api/v1/endpoints/breast-cancer/predict";

/// A server of a project's endpoints; dies with the test.
pub struct Served {
    pub child: Child,
    pub address: String,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

impl Served {
    pub fn start(project: &TestProject) -> Self {
        Self::start_with(project, &[])
    }

    /// With variables of the environment.
    pub fn start_with(project: &TestProject, environment: &[(&str, String)]) -> Self {
        let mut command = project.command(&["serve", "--open", "--bind", "127.0.0.1:0", "--json"]);
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let view: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("`{line}` is no JSON"));
        let address = view["listening"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let served = Self { child, address };
        while served.get("/readyz").status != 200 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        served
    }

    pub fn ask(&self, method: &str, path: &str, more: &str, body: &[u8]) -> Answer {
        self.try_ask(method, path, more, body).unwrap()
    }

    pub fn try_ask(&self, method: &str, path: &str, more: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n{more}\r\n")?;
        stream.write_all(body)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "", body.to_string().as_bytes())
    }

    /// Nothing where no whole answer came.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let answer = self.try_ask("POST", path, "", body.to_string().as_bytes()).ok()?;
        (answer.status == 200 && answer.body.is_object()).then_some(answer)
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example with a version that is published and asked for at its endpoint.
pub fn published() -> TestProject {
    let project = TestProject::example("breast-cancer");
    project.json(0, &["run"]);
    project
}

/// Rows of the example's data, without the column that is predicted.
pub fn rows(project: &TestProject, count: usize) -> Vec<Value> {
    let text = project.read("data/breast-cancer.csv");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells = names.iter().zip(line.split(',')).filter(|(name, _)| **name != "benign");
        Value::Object(cells.map(|(name, cell)| ((*name).to_owned(), json!(cell.parse::<f64>().unwrap()))).collect())
    };
    lines.take(count).map(row).collect()
}
