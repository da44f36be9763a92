//! Runs a plugin natively, in unit tests: the same code, tables in memory, and what it told the host kept.
//!
//! A golden case is a folder with `config.json`, tables as `<input>.csv` and `expected.txt`; see [`golden_cases`].

mod csv;
mod outside;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codec;
use crate::error::Result;
use crate::kinds::{
    DataSource, Finding, Inputs, Monitor, Outputs, Predictor, Processor, Report, SourceReport, Subject, Trainer,
    Training, Transform, Validator, Window,
};
use crate::table::{Table, TableWriter};

pub use csv::{table_from_csv, table_to_csv};
#[cfg(not(target_family = "wasm"))]
pub(crate) use outside::send;
pub use outside::{Endpoints, answer_http, lend_endpoints, lend_model};
pub(crate) use outside::{ask_model, with_endpoints};

/// What a plugin told the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    pub logs: Vec<String>,
    /// Name, value, step.
    pub metrics: Vec<(String, f64, u64)>,
    pub checkpoint: Option<Vec<u8>>,
    /// HTTP requests, answered or not.
    pub requests: Vec<crate::http::Request>,
}

impl Heard {
    /// The last value of a metric.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().rev().find(|(known, ..)| known == name).map(|&(_, value, _)| value)
    }
}

thread_local! {
    static HEARD: RefCell<Heard> = RefCell::default();
}

/// What was said on this thread since the last [`forget`].
pub fn heard() -> Heard {
    HEARD.with_borrow(Clone::clone)
}

/// Starts anew: nothing heard, nothing reached.
pub fn forget() {
    HEARD.set(Heard::default());
    outside::forget();
}

pub(crate) fn keep(change: impl FnOnce(&mut Heard)) {
    HEARD.with_borrow_mut(change);
}

fn config<T: DeserializeOwned>(config: Value) -> Result<T> {
    codec::config(&config.to_string())
}

/// Reads a source; paths are relative to the plugin's folder, where Cargo runs its tests.
pub fn read<T: DataSource>(with: Value) -> Result<(Table, SourceReport)> {
    let (mut writer, written) = TableWriter::memory();
    let report = T::read(config(with)?, &mut writer)?;
    let table = written.into_table().ok_or_else(|| crate::Error::internal("the source never started its table"))?;
    Ok((table, report))
}

/// Runs a processor with writers under the names of its outputs; gives those that were started.
pub fn process<T: Processor>(
    with: Value,
    inputs: Vec<(&str, Table)>,
    outputs: &[&str],
) -> Result<BTreeMap<String, Table>> {
    let inputs = Inputs::new(inputs.into_iter().map(|(name, table)| (name.to_owned(), table)).collect());
    let (writers, written): (Vec<_>, Vec<_>) = outputs
        .iter()
        .map(|name| {
            let (writer, written) = TableWriter::memory();
            ((name.to_string(), writer), (name.to_string(), written))
        })
        .unzip();
    T::process(config(with)?, &inputs, &mut Outputs::new(writers))?;
    Ok(written.into_iter().filter_map(|(name, written)| Some((name, written.into_table()?))).collect())
}

/// Fits a transform.
pub fn fit<T: Transform>(with: Value, input: &Table) -> Result<Vec<u8>> {
    T::fit(config(with)?, input)
}

/// Applies a fitted transform to a whole table.
pub fn apply<T: Transform>(state: &[u8], input: &Table) -> Result<Table> {
    let transform = T::load(state, input.schema())?;
    let (mut writer, written) = TableWriter::memory();
    writer.start(transform.output())?;
    for batch in input.batches(&all(input)) {
        writer.write(transform.apply(&batch?)?)?;
    }
    Ok(written.into_table().expect("it was started above"))
}

/// Trains a model.
pub fn train<T: Trainer>(with: Value, train: Table, validation: Option<Table>) -> Result<Vec<u8>> {
    T::train(config(with)?, &Training { train, validation })
}

/// Predicts a whole table.
pub fn predict<T: Predictor>(model: &[u8], input: &Table) -> Result<Table> {
    let predictor = T::load(model, input.schema())?;
    let (mut writer, written) = TableWriter::memory();
    writer.start(predictor.output())?;
    for batch in input.batches(&all(input)) {
        writer.write(predictor.predict(&batch?)?)?;
    }
    Ok(written.into_table().expect("it was started above"))
}

/// Validates a table or an evaluation.
pub fn validate<T: Validator>(with: Value, subject: &Subject) -> Result<Report> {
    T::validate(config(with)?, subject)
}

/// Compares a window, without times, with a reference.
pub fn observe<T: Monitor>(with: Value, window: Table, reference: Option<&Table>) -> Result<Vec<Finding>> {
    observe_between::<T>(with, &Window { rows: window, start: None, end: None }, reference)
}

/// Compares a window with a reference.
pub fn observe_between<T: Monitor>(with: Value, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>> {
    T::observe(config(with)?, window, reference)
}

/// Findings as lines of a golden case.
pub fn render_findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { signal, column, statistic, value, threshold, found, window_rows, reference_rows, message } in findings
    {
        let mark = if *found { "FOUND" } else { "-    " };
        let column = column.as_deref().unwrap_or("*");
        let threshold = threshold.map_or_else(|| "-".to_owned(), |threshold| format!("{threshold:.6}"));
        let _ = writeln!(
            text,
            "{mark} {signal} {column} {statistic}: {value:.6} at {threshold}, {window_rows}/{reference_rows}"
        );
        let _ = writeln!(text, "      {message}");
    }
    text
}

fn all(table: &Table) -> Vec<usize> {
    (0..table.schema().fields.len()).collect()
}

/// One golden case: a folder under a plugin's `cases/`.
pub struct Case<'a> {
    folder: &'a Path,
}

impl Case<'_> {
    /// `config.json`.
    ///
    /// # Panics
    /// Where it is missing or no JSON.
    pub fn config(&self) -> Value {
        serde_json::from_str(&self.text("config.json")).expect("config.json is JSON")
    }

    /// `<name>.csv`, if there is one; see [`table_from_csv`] for its form.
    pub fn table(&self, name: &str) -> Option<Table> {
        let file = format!("{name}.csv");
        self.folder.join(&file).exists().then(|| table_from_csv(&self.text(&file)))
    }

    /// The path of a file of the case.
    pub fn path(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    fn text(&self, file: &str) -> String {
        let path = self.folder.join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Runs `run` on every folder under `folder` and compares what it returns (an error as `error: …`) with the folder's
/// `expected.txt`. With `BLESS=1` in the environment it writes that file instead.
///
/// # Panics
/// With every difference, or where there is no case at all.
pub fn golden_cases(folder: &str, run: impl Fn(&Case) -> Result<String>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    folders.sort();
    folders.retain(|path| path.is_dir());
    assert!(!folders.is_empty(), "{folder} holds no case");
    let mut differences = String::new();
    for folder in &folders {
        let case = Case { folder };
        let actual = run(&case).unwrap_or_else(|error| describe(&error));
        let actual = format!("{}\n", actual.trim_end());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(folder.join("expected.txt"), &actual).expect("a writable case");
        } else if actual != case.text("expected.txt") {
            let expected = case.text("expected.txt");
            let _ = write!(differences, "\n{}\n--- expected\n{expected}--- actual\n{actual}", folder.display());
        }
    }
    assert!(differences.is_empty(), "{differences}\nBLESS=1 rewrites the expectations");
}

fn describe(error: &crate::Error) -> String {
    let field = error.field.as_ref().map_or_else(String::new, |field| format!(" (at `{field}`)"));
    format!("error: {:?}: {}{field}", error.code, error.message)
}
