//! Predictions over HTTP: single rows, batches, and swaps of versions under load.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::child::Server;
use crate::load::{Load, Outcome};
use crate::project::{EXAMPLE, Project, Rows};
use crate::{Setting, baseline, table};

pub const CONNECTIONS: [usize; 3] = [1, 8, 32];
const BATCH: usize = 1_000;
/// Predictions a second while versions are swapped.
const SWAP_RATE: f64 = 500.0;

/// A server that is asked for one row a request, at each number of connections.
pub fn ladder(setting: &Setting, server: &Server, requests: &Arc<Vec<Vec<u8>>>) -> Result<Vec<Outcome>> {
    let load = |connections| {
        let load = Load {
            address: server.address,
            requests: requests.clone(),
            connections,
            rate: None,
            length: setting.length,
        };
        let outcome = load.run()?;
        ensure!(outcome.failed == 0, "{} of the requests failed at {connections} connections", outcome.failed);
        Ok(outcome)
    };
    CONNECTIONS.into_iter().map(load).collect()
}

/// One line for each number of connections. `base` is what the ratio is to.
pub fn rows(name: &str, outcomes: &[Outcome], base: &[Outcome]) -> Vec<Vec<String>> {
    let row = |((connections, outcome), base): ((usize, &Outcome), &Outcome)| {
        let ratio = table::ratio(outcome.quantile(0.5).as_secs_f64(), base.quantile(0.5).as_secs_f64());
        vec![
            name.to_owned(),
            connections.to_string(),
            table::time(outcome.quantile(0.5)),
            table::time(outcome.quantile(0.99)),
            table::count(outcome.rate()),
            ratio,
        ]
    };
    CONNECTIONS.into_iter().zip(outcomes).zip(base).map(row).collect()
}

pub const HEAD: [&str; 6] = ["server", "connections", "p50", "p99", "requests/s", "p50 to axum's"];

/// The axum handler, which answers with what our server really said.
pub fn trivial(answer: &str) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    Server::announced(command.args([baseline::FLAG, answer]), None)
}

pub fn single_rows(setting: &Setting) -> Result<()> {
    let project = Project::new(setting)?;
    let data = Rows::read()?;
    let mut ours = Vec::new();
    let mut answer = String::new();
    let cases =
        [("`wasmlops serve`, all logged", ""), ("`wasmlops serve`, `log: { sample: 0 }`", "    log: { sample: 0 }\n")];
    for (name, options) in cases {
        project.declare(&[EXAMPLE], options)?;
        let server = project.serve()?;
        let requests = data.requests(server.address, EXAMPLE);
        answer = Load::ask(server.address, &requests[0])?;
        ours.push((name, ladder(setting, &server, &requests)?));
    }
    let server = trivial(&answer)?;
    let base = ladder(setting, &server, &data.requests(server.address, EXAMPLE))?;
    let mut lines = vec![table::row(HEAD)];
    lines.extend(rows("axum, fixed answer", &base, &base));
    for (name, outcomes) in &ours {
        lines.extend(rows(name, outcomes, &base));
    }
    table::print("Single rows", &lines);
    Ok(())
}

pub fn batches(setting: &Setting) -> Result<()> {
    let project = Project::new(setting)?;
    project.declare(&[EXAMPLE], "")?;
    let server = project.serve()?;
    let request = Rows::read()?.batch(server.address, EXAMPLE, BATCH);
    let size = request.len();
    let requests = Arc::new(vec![request]);
    let mut lines = vec![table::row(["connections", "p50", "p99", "requests/s", "rows/s"])];
    for connections in [1, 2] {
        let (requests, length) = (requests.clone(), setting.length);
        let outcome = Load { address: server.address, requests, connections, rate: None, length }.run()?;
        ensure!(outcome.failed == 0, "{} of the requests failed", outcome.failed);
        lines.push(vec![
            connections.to_string(),
            table::time(outcome.quantile(0.5)),
            table::time(outcome.quantile(0.99)),
            table::digits(outcome.rate()),
            table::count(outcome.rate() * BATCH as f64),
        ]);
    }
    table::print(&format!("Batches of {BATCH} rows, {} KiB a request, all logged", size >> 10), &lines);
    Ok(())
}

/// The alias goes to and fro while requests come at a steady pace.
pub fn swaps(setting: &Setting) -> Result<()> {
    let project = Project::new(setting)?;
    project.second_version()?;
    project.declare(&[EXAMPLE], "")?;
    let server = project.serve()?;
    let requests = Rows::read()?.requests(server.address, EXAMPLE);
    let calm = Duration::from_secs(1);
    let length = Duration::from_millis(250) * setting.moves as u32 + 2 * calm;
    let load = Load { address: server.address, requests, connections: 8, rate: Some(SWAP_RATE), length };
    let moved = std::thread::spawn(move || load.run());
    std::thread::sleep(calm);
    let begun = std::time::Instant::now();
    for number in 0..setting.moves {
        let version = if number % 2 == 0 { "2" } else { "1" };
        project.run(&["model", "alias", EXAMPLE, "champion", version, "--quiet"])?;
        let next = begun + Duration::from_millis(250) * (number as u32 + 1);
        std::thread::sleep(next.saturating_duration_since(std::time::Instant::now()));
    }
    let outcome = moved.join().ok().context("the load generator panicked")??;
    let head = ["moves of the alias", "predictions", "failed", "changes of version seen", "p50", "p99", "longest"];
    let line = vec![
        setting.moves.to_string(),
        table::count(outcome.answered() as f64),
        outcome.failed.to_string(),
        format!("{} on 8 connections", outcome.changes),
        table::time(outcome.quantile(0.5)),
        table::time(outcome.quantile(0.99)),
        table::time(outcome.quantile(1.0)),
    ];
    table::print(&format!("Swaps under {SWAP_RATE} predictions a second"), &[table::row(head), line]);
    Ok(())
}
