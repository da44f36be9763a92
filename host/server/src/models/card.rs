//! The model card: Markdown with the YAML head of Hugging Face's cards (huggingface.co/docs/hub/model-cards), filled from
//! recorded facts alone. What people wrote stands in a section of its own at the end. The same facts give the same bytes.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wasmlops_catalog::{Note, Tags, VersionRow};
use wasmlops_core::artifact::{ModelDocument, ReportRef, VersionDocument};
use wasmlops_core::call::{Check, ValidationReport};
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::table::{DataType, Field};
use wasmlops_store::BlobError;

use super::ModelVersion;
use super::views::Known;
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// The tag that names the licence, in Hugging Face's identifiers.
const LICENSE: &str = "license";

/// All that a card says.
struct Facts<'a> {
    row: &'a VersionRow,
    content: &'a VersionDocument,
    tags: &'a Tags,
    note: Option<&'a Note>,
    /// Absent: the report is no longer kept.
    reports: Vec<(&'a ReportRef, Option<ValidationReport>)>,
}

/// The card of a version. The licence is its tag `license`.
pub async fn card(host: &Host, version: &ModelVersion) -> Result<String> {
    let reference = ModelRef { name: version.name.clone(), selector: Selector::Version(version.version) };
    let row = super::required_row(host, &reference).await?;
    let known = Known::of(host, &row).await?;
    let mut reports = Vec::new();
    for report in &version.document.reports {
        reports.push((report, self::report(host, report).await?));
    }
    let facts = Facts { row: &row, content: &version.document, tags: &known.tags, note: known.note.as_ref(), reports };
    Ok(facts.head() + &facts.body())
}

async fn report(host: &Host, report: &ReportRef) -> Result<Option<ValidationReport>> {
    match host.store.blobs().get(&report.digest).await {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(Error::bug),
        Err(BlobError::Missing(_)) => Ok(None),
        Err(error) => Err(Error::store(error)),
    }
}

impl Facts<'_> {
    /// What Hugging Face's hub and its tools read.
    fn head(&self) -> String {
        let (content, name) = (self.content, &self.content.name);
        let task = task(&content.document);
        let license = self.tags.get(LICENSE).map_or("unknown", String::as_str);
        let mut text = format!("---\nlicense: {}\nlibrary_name: wasmlops\npipeline_tag: {task}\n", quoted(license));
        let own = self.tags.iter().filter(|(key, _)| *key != LICENSE);
        let own = own.map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}:{value}") });
        let tags = ["wasmlops".to_owned(), task.to_owned()].into_iter().chain(content.origin.clone()).chain(own);
        list(&mut text, "tags", tags);
        let datasets = self.datasets();
        list(&mut text, "datasets", datasets.iter().cloned());
        list(&mut text, "metrics", content.metrics.keys().cloned());
        let _ = write!(text, "model-index:\n  - name: {}\n    results:", quoted(name));
        if content.metrics.is_empty() {
            return text + " []\n---\n\n";
        }
        let dataset = datasets.first().map_or(name.as_str(), String::as_str);
        let _ = write!(text, "\n      - task:\n          type: {task}\n        dataset:\n");
        let _ = write!(text, "          type: {0}\n          name: {0}\n", quoted(dataset));
        if let Some(evaluation) = content.evaluation {
            let _ = writeln!(text, "          revision: {}", quoted(&evaluation.to_string()));
        }
        text += "        metrics:\n";
        for (metric, value) in &content.metrics {
            let _ = write!(text, "          - type: {}\n            value: {value}\n", quoted(metric));
        }
        text + "---\n\n"
    }

    fn body(&self) -> String {
        let content = self.content;
        let mut text = format!("# {}, version {}\n\n", content.name, self.row.version);
        text += "Everything up to the section *Notes* is generated from recorded facts.\n\n## Model\n\n";
        text += &self.model();
        let _ = write!(
            text,
            "\n## Inputs\n\n{}",
            columns(&content.document.input.fields, content.document.target.as_ref())
        );
        let _ = write!(text, "\n## Outputs\n\n{}", columns(&content.document.output.fields, None));
        text += "\n## Metrics\n\n";
        text += &match content.metrics.is_empty() {
            true => "None were recorded.\n".to_owned(),
            false => {
                table(&["metric", "value"], content.metrics.iter().map(|(name, value)| [code(name), value.to_string()]))
            }
        };
        text += "\n## Gates\n\n";
        if self.reports.is_empty() {
            text += "No gate has judged this version.\n";
        }
        self.reports.iter().for_each(|(reference, report)| text += &gate(reference, report.as_ref()));
        let _ = write!(text, "\n## Data\n\n{}", self.data());
        let _ = write!(text, "\n## Code\n\n{}", self.code());
        text + "\n## Notes\n\n" + &self.notes()
    }

    fn model(&self) -> String {
        let (row, document) = (self.row, &self.content.document);
        let steps = document.transforms.iter().map(|transform| format!("`{}`", transform.plugin));
        let chain: Vec<String> = steps.chain([format!("`{}`", document.plugin)]).collect();
        let made_by = match (&row.run, &row.step) {
            (Some(run), Some(step)) => format!("run `{run}`, step `{step}`"),
            (Some(run), None) => format!("run `{run}`"),
            _ => "no run".to_owned(),
        };
        let mut rows = vec![
            ["content".to_owned(), code(&row.digest.to_string())],
            ["model".to_owned(), code(&row.model_digest.to_string())],
            ["weights".to_owned(), code(&document.model.to_string())],
            ["predicts with".to_owned(), chain.join(" → ")],
            ["registered".to_owned(), rfc3339(row.created)],
            ["by".to_owned(), code(&row.actor)],
            ["made by".to_owned(), made_by],
        ];
        rows.extend(document.target.as_ref().map(|target| ["target".to_owned(), code(target)]));
        rows.extend(self.content.origin.as_ref().map(|origin| ["imported from".to_owned(), code(origin)]));
        rows.extend(row.git_commit.as_ref().map(|commit| ["commit".to_owned(), code(commit)]));
        table(&["fact", "value"], rows)
    }

    fn data(&self) -> String {
        let sources = self.content.data.iter().map(|(name, digest)| [code(name), code(&digest.to_string())]);
        let tables = [("training rows", self.content.training), ("evaluation rows", self.content.evaluation)];
        let tables =
            tables.into_iter().filter_map(|(what, digest)| Some([what.to_owned(), code(&digest?.to_string())]));
        let rows: Vec<[String; 2]> = sources.chain(tables).collect();
        if rows.is_empty() { "None was recorded.\n".to_owned() } else { table(&["data", "digest"], rows) }
    }

    fn code(&self) -> String {
        let code_of = &self.content.code;
        let mut text = match code_of.pipeline.as_str() {
            "" => "Made by no pipeline.\n\n".to_owned(),
            pipeline => format!("Pipeline {}.\n\n", code(pipeline)),
        };
        text += &table(&["step", "plugin"], code_of.plugins.iter().map(|(step, plugin)| [code(step), code(plugin)]));
        text
    }

    fn notes(&self) -> String {
        match self.note {
            Some(note) => {
                let (by, time) = (code(&note.actor), rfc3339(note.time));
                format!("*Written by {by} on {time}, not generated.*\n\n{}\n", note.text.trim_end())
            }
            None => "*Nobody has written any.*\n".to_owned(),
        }
    }

    /// The names of the source files, without folders and endings: what a person calls the data.
    fn datasets(&self) -> Vec<String> {
        let stem = |name: &String| {
            let file = name.rsplit('/').next().unwrap_or(name);
            file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned()
        };
        let plugins = &self.content.code.plugins;
        let of_step = |name: &&String| name.split_once('.').is_some_and(|(step, _)| plugins.contains_key(step));
        let files = self.content.data.keys().filter(|name| !of_step(name));
        let names: BTreeSet<String> = files.map(stem).filter(|name| !name.is_empty()).collect();
        names.into_iter().collect()
    }
}

fn gate(reference: &ReportRef, report: Option<&ValidationReport>) -> String {
    let word = if reference.passed { "passed" } else { "failed" };
    let mut text = format!("### {}: {word}\n\nReport `{}`.", code(&reference.step), reference.digest);
    let Some(report) = report else { return text + " It is no longer kept.\n\n" };
    let _ = write!(text, " {}\n\n", plain(&report.summary));
    let cells = |check: &Check| {
        let place = [check.column.as_deref(), check.slice.as_deref()].into_iter().flatten().map(code);
        [
            code(&check.name),
            place.collect::<Vec<_>>().join(", "),
            check.observed.map_or_else(String::new, |observed| observed.to_string()),
            plain(&check.expected),
            if check.passed { "passed" } else { "failed" }.to_owned(),
            check.count.to_string(),
        ]
    };
    let header = ["check", "of", "observed", "expected", "result", "rows"];
    text + &table(&header, report.checks.iter().map(cells)) + "\n"
}

/// What Hugging Face calls the task.
fn task(document: &ModelDocument) -> &'static str {
    let fields = &document.output.fields;
    let class = |field: &Field| {
        field.name.starts_with("probability.")
            || (field.name == "prediction"
                && matches!(field.data_type, DataType::Categorical | DataType::Utf8 | DataType::Bool))
    };
    if fields.iter().any(class) { "tabular-classification" } else { "tabular-regression" }
}

fn columns(fields: &[Field], target: Option<&String>) -> String {
    let cells = |field: &Field| {
        let role = if Some(&field.name) == target { "target" } else { "" };
        let nulls = if field.nullable { "yes" } else { "no" };
        [code(&field.name), field.data_type.to_string(), nulls.to_owned(), role.to_owned()]
    };
    match target {
        Some(_) => table(&["column", "type", "may be null", "role"], fields.iter().map(cells)),
        None => table(&["column", "type", "may be null"], fields.iter().map(|field| cells(field)[..3].to_vec())),
    }
}

fn table<R: AsRef<[String]>>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
    rows.into_iter().for_each(|row| text += &line(row.as_ref()));
    text
}

/// Text in a cell as it is: no line break, no end of the cell, no markup.
fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => clean.push(' '),
            '\\' | '|' | '`' | '*' | '_' | '<' | '[' | '#' => clean.extend(['\\', c]),
            c => clean.push(c),
        }
    }
    clean
}

/// Text as code. A back-tick would end it.
fn code(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() || c == '`' { '\'' } else { c }).collect();
    format!("`{}`", clean.replace('|', "\\|"))
}

/// A YAML scalar that is read as this text: JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(text: &mut String, key: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        let _ = writeln!(text, "{key}: []");
        return;
    }
    let _ = writeln!(text, "{key}:");
    items.iter().for_each(|item| {
        let _ = writeln!(text, "  - {}", quoted(item));
    });
}
