//! `wasmlops label add|list`.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_server::error::Error;
use wasmlops_server::labels::{self, Label, LabelAnswer};

use crate::args::{AddLabelArgs, LabelCommand};
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

/// Ids that the answer for people names.
const NAMED: usize = 5;

pub async fn run(settings: &Settings, command: LabelCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        LabelCommand::Add(args) => add(settings, args, printer).await,
        LabelCommand::List { endpoint, limit } => list(settings, &endpoint, limit, printer).await,
    }
}

async fn add(settings: &Settings, args: AddLabelArgs, printer: &Printer) -> Result<Outcome> {
    let endpoint = args.endpoint.clone();
    let given = given(settings, args)?;
    let host = settings.host().await?;
    let answer = labels::record(&host, &endpoint, given, &settings.actor()).await?;
    printer.data(&answer, || text(&answer))?;
    Ok(Outcome::Done)
}

/// The labels that the arguments hold or name.
pub fn given(settings: &Settings, args: AddLabelArgs) -> Result<Vec<Label>> {
    match (args.file, args.id, args.value) {
        (Some(file), ..) => read(settings, &file),
        (None, Some(id), Some(value)) => Ok(vec![Label { id, value: Value::String(value) }]),
        _ => Ok(Vec::new()),
    }
}

async fn list(settings: &Settings, endpoint: &str, limit: u32, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let labels = labels::list(&host, endpoint, limit).await?;
    printer.data(&json!({ "endpoint": endpoint, "labels": labels }), || {
        let mut table = TextTable::new(&["prediction", "label", "received", ""]);
        for label in &labels {
            let late = if label.late { "late" } else { "" };
            table.row([label.id.clone(), plain(&label.value), label.received.clone(), late.to_owned()]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

fn text(answer: &LabelAnswer) -> String {
    let mut text = format!("{} recorded, {} known already", answer.accepted, answer.duplicate);
    for (what, ids) in [("late, used by no window", &answer.late), ("not in the endpoint's log", &answer.unknown)] {
        if ids.is_empty() {
            continue;
        }
        let more = if ids.len() > NAMED { ", ..." } else { "" };
        let named: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
        text += &format!("\n{} {what}: {}{more}", ids.len(), named.join(", "));
    }
    text
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A file's labels, or those of standard input: JSON if it begins like a list, else CSV.
fn read(settings: &Settings, file: &Path) -> Result<Vec<Label>> {
    let shown = file.display().to_string();
    let mut bytes = Vec::new();
    let read = match shown.as_str() {
        "-" => std::io::stdin().read_to_end(&mut bytes).map(|_| ()),
        _ => std::fs::read(settings.folder.join(file)).map(|read| bytes = read),
    };
    if let Err(error) = read {
        return Err(wrong(&shown, &error.to_string()).into());
    }
    if bytes.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(&bytes).map_err(|error| wrong(&shown, &error.to_string()).into());
    }
    of_csv(&bytes).map_err(|why| wrong(&shown, &why).into())
}

/// Values are texts here: the host knows which type they have.
fn of_csv(bytes: &[u8]) -> Result<Vec<Label>, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |names: &[&str]| header.iter().position(|known| names.contains(&known.trim()));
    let (Some(id), Some(value)) = (column(&["id"]), column(&["value", "label"])) else {
        return Err("its first line does not name the columns `id` and `value`".to_owned());
    };
    let label =
        |record: csv::StringRecord| Label { id: record[id].to_owned(), value: Value::String(record[value].to_owned()) };
    reader.records().map(|record| record.map(label).map_err(|error| error.to_string())).collect()
}

fn wrong(file: &str, why: &str) -> Error {
    let hint = r#"write CSV with the columns `id` and `value`, or JSON such as `[{"id": "...", "value": 1}]`"#;
    Error::user("invalid-labels", format!("cannot read labels from `{file}`: {why}"), hint)
}
