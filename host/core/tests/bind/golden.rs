//! Every case under `tests/ui`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use wasmlops_core::config::{Policy, format_duration, format_size, parse_pipeline, parse_project};
use wasmlops_core::diagnostics::Diagnostics;
use wasmlops_core::graph::{Bindings, BoundStep, Graph, Mode, Pipelines, bind};
use wasmlops_core::limits::Limits;

use crate::plugins::plugins;

/// The folders of all cases, in order of their names.
pub fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_gives_what_is_expected() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let actual = render(&case);
        let expected = fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
        if bless {
            fs::write(case.join("expected.txt"), &actual).unwrap();
        } else if actual != expected {
            wrong.push(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 accepts what follows\n{}", wrong.join("\n\n"));
}

fn render(case: &Path) -> String {
    let text = match bind_case(case) {
        Ok(graph) => {
            let json = serde_json::to_string(&graph).unwrap();
            assert_eq!(serde_json::from_str::<Graph>(&json).unwrap(), graph, "a graph survives being stored");
            summary(&graph)
        }
        Err(diagnostics) => diagnostics.to_string(),
    };
    text.trim_end().to_owned() + "\n"
}

fn bind_case(case: &Path) -> Result<Graph, Diagnostics> {
    let read = |name: &str| fs::read_to_string(case.join(name)).ok();
    let policy = match read("project.yaml") {
        Some(text) => parse_project("wasmlops.yaml", &text)?.policy,
        None => Policy::default(),
    };
    let params = read("params.json").map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default();
    let pipeline = parse_pipeline("pipeline.yaml", &read("pipeline.yaml").unwrap())?;
    let pipelines = pipelines(case)?;
    bind(&pipeline, Bindings { params: &params, plugins: &plugins(), policy: &policy, pipelines: &pipelines })
}

/// What searches may run: the folder's `pipelines`.
pub fn pipelines(case: &Path) -> Result<Pipelines, Diagnostics> {
    let mut pipelines = Pipelines::default();
    for entry in fs::read_dir(case.join("pipelines")).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file = format!("pipelines/{name}.yaml");
        pipelines.read.insert(name.clone(), parse_pipeline(&file, &fs::read_to_string(path).unwrap())?);
        pipelines.names.push(name);
    }
    pipelines.names.sort();
    Ok(pipelines)
}

fn summary(graph: &Graph) -> String {
    let mut text = format!("pipeline {}\n", graph.pipeline);
    for (name, value) in &graph.params {
        writeln!(text, "param {name} = {value}").unwrap();
    }
    graph.steps.iter().for_each(|step| step_summary(step, &mut text));
    text
}

fn step_summary(step: &BoundStep, text: &mut String) {
    let apply = if step.mode == Mode::Apply { " (apply)" } else { "" };
    writeln!(text, "\n{}: {} {}{apply}", step.key, step.kind, step.plugin).unwrap();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() && value != "{}" {
            writeln!(text, "  {name}: {value}").unwrap();
        }
    };
    let list = |items: Vec<String>| items.join(", ");
    line("matrix", Value::Object(step.matrix.clone()).to_string());
    line("config", step.config.to_string());
    let inputs =
        step.inputs.iter().map(|(name, from)| format!("{name} = {}.{} ({})", from.step, from.output, from.artifact));
    line("inputs", list(inputs.collect()));
    line("needs", list(step.needs.iter().map(ToString::to_string).collect()));
    line("when", step.when.as_ref().map(|when| when.text().to_owned()).unwrap_or_default());
    line("when sees", list(step.when_steps.iter().map(|(name, key)| format!("{name} = {key}")).collect()));
    line("read", list(step.read.iter().map(ToString::to_string).collect()));
    line("http", list(step.http.iter().map(ToString::to_string).collect()));
    line("endpoints", list(step.endpoints.clone()));
    line("credentials", list(step.credentials.iter().map(ToString::to_string).collect()));
    line("secrets", list(step.secrets.clone()));
    line("can lack", list(step.optional_inputs.clone()));
    let outputs = step.outputs.iter().map(|output| {
        format!("{} ({}{})", output.name, output.artifact, if output.optional { ", optional" } else { "" })
    });
    line("outputs", list(outputs.collect()));
    if let Some(search) = &step.search {
        line("search", serde_json::to_string(&search.search).unwrap());
        line("trial", search.trial.steps.iter().map(|step| step.key.to_string()).collect::<Vec<_>>().join(", "));
        let outputs = search.outputs.iter().map(|(name, from)| format!("{name} = {}.{}", from.step, from.output));
        line("of the best", list(outputs.collect()));
    }
    if step.limits != Limits::default() {
        line(
            "limits",
            format!("memory {}, timeout {}", format_size(step.limits.memory), format_duration(step.limits.timeout)),
        );
    }
    if step.retry.attempts > 1 {
        line("retry", format!("{} attempts, {} apart", step.retry.attempts, format_duration(step.retry.backoff)));
    }
    if step.strict || !step.cache {
        line("profile", format!("strict {}, cache {}", step.strict, step.cache));
    }
}

/// Parameters for tests that have none.
pub fn no_params() -> Map<String, Value> {
    Map::new()
}
