//! Requests as a hospital would send them: one tumour at a time, the truth later.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::EXAMPLE;
use super::http::Client;
use super::server::Server;

/// The column that the model predicts.
const TARGET: &str = "benign";

pub struct Traffic {
    client: Client,
    columns: Vec<String>,
    /// Measurements and truth.
    rows: Vec<(Vec<f64>, i64)>,
    next: usize,
    /// Predictions whose truth has not been told yet.
    unlabelled: Vec<(String, i64)>,
}

/// What came back.
pub struct Sent {
    pub rows: usize,
    pub accuracy: f64,
    /// The versions that answered, each once.
    pub versions: Vec<u64>,
    pub last_id: String,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<String> = self.versions.iter().map(u64::to_string).collect();
        let versions = versions.join(" and ");
        write!(f, "{} predictions by version {versions}, {:.1} % right", self.rows, self.accuracy * 100.0)
    }
}

impl Traffic {
    /// `data` is the example's CSV file.
    pub fn new(server: &Server, data: &str) -> Result<Self> {
        let mut lines = data.lines();
        let header: Vec<&str> = lines.next().context("the data has no header")?.split(',').collect();
        ensure!(header.last() == Some(&TARGET), "the data's last column is not `{TARGET}`");
        let row = |line: &str| -> Result<(Vec<f64>, i64)> {
            let mut cells: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
            let truth = cells.pop().context("a row without cells")?;
            Ok((cells, truth as i64))
        };
        Ok(Self {
            client: server.connect()?,
            columns: header[..header.len() - 1].iter().map(|name| (*name).to_owned()).collect(),
            rows: lines.map(row).collect::<Result<_>>()?,
            next: 0,
            unlabelled: Vec::new(),
        })
    }

    /// Sends so many rows, one by one, with every measurement `scale` times as large.
    pub fn send(&mut self, rows: usize, scale: f64) -> Result<Sent> {
        let (mut right, mut versions, mut last_id) = (0, BTreeSet::new(), String::new());
        for _ in 0..rows {
            // Steps through the file in an order of its own: neighbours in the file are alike.
            self.next = (self.next + 211) % self.rows.len();
            let (cells, truth) = &self.rows[self.next];
            let cells = self.columns.iter().zip(cells);
            let row: Map<String, Value> = cells.map(|(name, cell)| (name.clone(), json!(cell * scale))).collect();
            let answer =
                self.client.post(&format!("/api/v1/endpoints/{EXAMPLE}/predict"), &json!({ "rows": [row] }))?;
            let said = &answer["predictions"][0];
            let id = answer["id"].as_str().context("a prediction without an id")?.to_owned();
            right += usize::from(said["prediction"].as_str() == Some(truth.to_string().as_str()));
            versions.insert(answer["version"].as_u64().context("a prediction without a version")?);
            self.unlabelled.push((id.clone(), *truth));
            last_id = id;
        }
        let accuracy = right as f64 / rows as f64;
        Ok(Sent { rows, accuracy, versions: versions.into_iter().collect(), last_id })
    }

    /// Tells the truth about everything that was predicted since the last time.
    pub fn label(&mut self) -> Result<()> {
        let labels: Vec<Value> =
            self.unlabelled.drain(..).map(|(id, truth)| json!({ "id": id, "value": truth })).collect();
        let told = labels.len();
        let answer = self.client.post(&format!("/api/v1/endpoints/{EXAMPLE}/labels"), &json!({ "labels": labels }))?;
        ensure!(answer["accepted"] == told, "of {told} labels: {answer}");
        eprintln!("xtask: {told} labels");
        Ok(())
    }
}
