//! Drift of 100,000 × 30 against 100,000 × 30: the `drift` plugin in its sandbox, and Evidently on the same values.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use wasmlops_core::call::{
    Call, Cancel, Finding, LogLine, MetricPoint, Observer, Outcome, Progress, Request, Sandbox, Value, Window,
};
use wasmlops_core::limits::Limits;
use wasmlops_core::table::{Batch, Column, DataType, Field, Schema, Table, TableBuilder};
use wasmlops_engine::{Engine, EngineOptions, Prepared, Profile};

use crate::{Setting, table};

const ROWS: usize = 100_000;
const COLUMNS: usize = 30;
const REPEATS: usize = 5;
/// Every third column's mean differs by so many standard deviations.
const SHIFT: f64 = 0.2;
/// What they are called here and by Evidently. The first is the default of both for so many rows.
const STATISTICS: [(&str, &str); 4] =
    [("wasserstein", "wasserstein"), ("jensenshannon", "jensenshannon"), ("psi", "psi"), ("ks", "ks")];

pub fn compare(setting: &Setting) -> Result<()> {
    let (reference, window) = (columns(1, 0.0), columns(2, SHIFT));
    let ours = sandboxed(&reference, &window)?;
    let theirs = match &setting.python {
        Some(python) => evidently(python, &reference, &window)?,
        None => Err("no Python was given; `--python FILE` names one that has Evidently".to_owned()),
    };
    let head = ["statistic", "`drift`, in the sandbox", "columns found", "Evidently", "columns found", "times as long"];
    let mut lines = vec![table::row(head)];
    for ((name, their_name), (took, found)) in STATISTICS.iter().zip(ours) {
        let mut line = vec![format!("`{name}`"), table::time(took), found.to_string()];
        if let Ok(theirs) = &theirs {
            let (seconds, found) = (&theirs[their_name]["seconds"], &theirs[their_name]["found"]);
            let seconds = seconds.as_f64().context("Evidently's script says no `seconds`")?;
            line.push(table::time(Duration::from_secs_f64(seconds)));
            line.push(found.to_string());
            line.push(table::ratio(seconds, took.as_secs_f64()));
        } else {
            line.extend(["-", "-", "-"].map(str::to_owned));
        }
        lines.push(line);
    }
    table::print(&format!("Drift of {ROWS} × {COLUMNS} against {ROWS} × {COLUMNS}"), &lines);
    match theirs {
        Ok(theirs) => println!("\nEvidently {}.", theirs["version"].as_str().unwrap_or("of an unknown version")),
        Err(why) => println!("\nEvidently: skipped, {why}."),
    }
    Ok(())
}

/// The median time and the columns that were found, for each statistic.
fn sandboxed(reference: &[Vec<f64>], window: &[Vec<f64>]) -> Result<Vec<(Duration, usize)>> {
    let engine = Engine::new(EngineOptions { cache_dir: None, cache_key: [7; 32], workers: 2 })?;
    let component = wasmlops_plugins::standard().iter().find(|plugin| plugin.name == "drift");
    let component = component.context("there is no plugin `drift`")?.bytes;
    let prepared = engine.prepare(component, Profile::default())?;
    let (reference, window) = (table_of(reference)?, table_of(window)?);
    let measure = |(name, _): &(&str, &str)| {
        let config = json!({ "numeric": { "statistic": name } }).to_string();
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..REPEATS {
            let window = Window { rows: window.clone(), start: None, end: None };
            let call = Call::Observe { config: config.clone(), window, reference: Some(reference.clone()) };
            let begun = Instant::now();
            let findings = observe(&engine, &prepared, call)?;
            times.push(begun.elapsed());
            found = findings.iter().filter(|finding| finding.column.is_some() && finding.found).count();
        }
        times.sort_unstable();
        Ok((times[REPEATS / 2], found))
    };
    STATISTICS.iter().map(measure).collect()
}

fn observe(engine: &Engine, prepared: &Prepared, call: Call) -> Result<Vec<Finding>> {
    let request = Request {
        call,
        limits: Limits::default(),
        sandbox: Sandbox::default(),
        observer: Arc::new(Deaf),
        cancel: Cancel::default(),
    };
    match engine.call_blocking(prepared, request).outcome {
        Outcome::Ok(answer) => match answer.value {
            Value::Findings(findings) => Ok(findings),
            other => bail!("the monitor gave {other:?}"),
        },
        other => bail!("the monitor failed: {other:?}"),
    }
}

/// Evidently's times on the same values, by statistic; or why there are none.
fn evidently(python: &Path, reference: &[Vec<f64>], window: &[Vec<f64>]) -> Result<Result<Json, String>> {
    if !has(python, "evidently") {
        return Ok(Err("this Python has no Evidently".to_owned()));
    }
    let folder = tempfile::tempdir()?;
    for (name, columns) in [("reference", reference), ("window", window)] {
        let bytes: Vec<u8> = columns.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.path().join(name), bytes)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/evidently_drift.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder.path()).arg(COLUMNS.to_string()).args(STATISTICS.map(|(_, name)| name));
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(output.status.success(), "`evidently_drift.py` failed");
    Ok(Ok(serde_json::from_slice(&output.stdout)?))
}

/// Whether a Python has a module.
pub fn has(python: &Path, module: &str) -> bool {
    let find = format!("import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)");
    Command::new(python).args(["-c", &find]).status().is_ok_and(|status| status.success())
}

/// Columns of normal numbers, always the same for a seed; every third one's mean is `shift`.
fn columns(seed: u64, shift: f64) -> Vec<Vec<f64>> {
    let mut state = seed;
    let mut column = |index: usize| {
        let mean = if index.is_multiple_of(3) { shift } else { 0.0 };
        (0..ROWS).map(|_| mean + normal(&mut state)).collect()
    };
    (0..COLUMNS).map(&mut column).collect()
}

/// Box and Muller, Annals of Mathematical Statistics 29, 1958.
fn normal(state: &mut u64) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(state)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(state)).cos()
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), as a number from 0 to 1, 1 excluded.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn table_of(columns: &[Vec<f64>]) -> Result<Table> {
    let field = |index| Field { name: format!("c{index}"), data_type: DataType::F64, nullable: false };
    let mut builder = TableBuilder::new(Schema::new((0..columns.len()).map(field).collect())?);
    let values = |column: &Vec<f64>| column.iter().flat_map(|value| value.to_le_bytes()).collect();
    let columns = columns.iter().map(|column| Column { values: values(column), ..Column::default() }).collect();
    builder.push(Batch { num_rows: ROWS as u64, columns })?;
    Ok(builder.finish()?)
}

/// Hears nothing: the monitor says nothing that is measured.
struct Deaf;

impl Observer for Deaf {
    fn log(&self, _: LogLine) {}

    fn metrics(&self, _: Vec<MetricPoint>) {}

    fn progress(&self, _: Progress) {}

    fn checkpoint(&self, _: Vec<u8>) {}
}
