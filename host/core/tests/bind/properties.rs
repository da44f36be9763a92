//! What must hold for every pipeline: binding is deterministic and topological, and no text makes it panic.

use std::collections::HashMap;
use std::fs;

use proptest::prelude::*;
use wasmlops_core::config::{Policy, parse_pipeline, parse_project};
use wasmlops_core::graph::{Bindings, Graph, MAX_STEPS, Pipelines, bind};

use crate::golden::{cases, no_params};
use crate::plugins::plugins;

fn bind_text(text: &str) -> Option<Graph> {
    let pipeline = parse_pipeline("p.yaml", text).ok()?;
    let pipelines = Pipelines::default();
    let given =
        Bindings { params: &no_params(), plugins: &plugins(), policy: &Policy::default(), pipelines: &pipelines };
    bind(&pipeline, given).map_err(|errors| errors.to_string()).ok()
}

/// A pipeline of processors in which each step reads from earlier ones, written in a random order; some have a matrix.
fn pipelines() -> impl Strategy<Value = String> {
    let step = (proptest::collection::vec(any::<prop::sample::Index>(), 1..4), 0usize..4, any::<bool>());
    proptest::collection::vec(step, 1..12).prop_flat_map(|steps| {
        let mut lines = vec!["  s0: { uses: csv-source, with: { path: a.csv }, grants: { read: [a.csv] } }".to_owned()];
        for (number, (reads, width, needs)) in steps.into_iter().enumerate() {
            let names: Vec<_> = reads.iter().map(|read| read.index(number + 1)).collect();
            let output = |n: &usize| if *n == 0 { "table" } else { "joined" };
            let inputs: Vec<_> = names.iter().enumerate().map(|(at, n)| format!("i{at}: s{n}.{}", output(n))).collect();
            // One matrix alone, so that a reader's axes always fit.
            let matrix = if number == 3 && width > 1 {
                format!(", matrix: {{ w: [{}] }}", ["1, 2", "1, 2, x"][width % 2])
            } else {
                String::new()
            };
            let wait = if needs && number != 3 { format!(", needs: s{number}") } else { String::new() };
            lines.push(format!(
                "  s{}: {{ uses: join, inputs: {{ {} }}{matrix}{wait} }}",
                number + 1,
                inputs.join(", ")
            ));
        }
        Just(lines).prop_shuffle().prop_map(|lines| format!("pipeline: p\nsteps:\n{}\n", lines.join("\n")))
    })
}

/// A valid pipeline with a few characters removed, doubled, or replaced by others that mean something in YAML.
fn mutations() -> impl Strategy<Value = (String, String)> {
    let read =
        |name: &'static str| cases().into_iter().filter_map(move |case| fs::read_to_string(case.join(name)).ok());
    let pipelines: Vec<_> = read("pipeline.yaml").filter(|text| text.len() < 10_000).collect();
    let projects: Vec<_> = read("project.yaml").collect();
    let edit = (any::<prop::sample::Index>(), 0..4u8, "[:{}\\[\\]\"'$#&*!|>%@,.\\-\n\t 0a\u{e9}\u{1F600}~]");
    let edits = proptest::collection::vec(edit, 1..6);
    (prop::sample::select(pipelines), prop::sample::select(projects), edits)
        .prop_map(|(pipeline, project, edits)| (mutate(pipeline, &edits), mutate(project, &edits)))
}

fn mutate(text: String, edits: &[(prop::sample::Index, u8, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, edit, with) in edits {
        let at = at.index(characters.len().max(1)).min(characters.len());
        let end = (at + 1).min(characters.len());
        match edit {
            0 => drop(characters.splice(at..end, [])),
            1 => drop(characters.splice(at..at, with.chars())),
            2 => drop(characters.splice(at..end, with.chars())),
            _ => {
                let copy: Vec<_> = characters[at..(at + 20).min(characters.len())].to_vec();
                characters.splice(at..at, copy);
            }
        }
    }
    characters.into_iter().collect()
}

/// The widest pipeline that is allowed binds, and one step more is refused.
#[test]
fn ten_thousand_steps_bind() {
    let text = |steps: usize| {
        let chain = (1..steps).map(|n| {
            format!(
                "  s{n}: {{ uses: join, inputs: {{ x: s{}.{} }} }}\n",
                n - 1,
                if n == 1 { "table" } else { "joined" }
            )
        });
        let first = "pipeline: p\nsteps:\n  s0: { uses: csv-source, with: { path: a.csv }, grants: { read: a.csv } }\n";
        first.to_owned() + &chain.collect::<String>()
    };
    assert_eq!(bind_text(&text(MAX_STEPS)).map(|graph| graph.steps.len()), Some(MAX_STEPS));
    assert!(bind_text(&text(MAX_STEPS + 1)).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn binding_is_deterministic_and_topological(text in pipelines()) {
        let graph = bind_text(&text).expect("the generator makes pipelines without mistakes");
        let again = bind_text(&text).expect("as before");
        prop_assert_eq!(serde_json::to_string(&graph).unwrap(), serde_json::to_string(&again).unwrap());
        let places: HashMap<_, _> = graph.steps.iter().enumerate().map(|(at, step)| (step.key.clone(), at)).collect();
        prop_assert_eq!(places.len(), graph.steps.len(), "every step has a key of its own");
        for (at, step) in graph.steps.iter().enumerate() {
            for dependency in step.dependencies() {
                prop_assert!(places[&dependency] < at, "`{}` stands before `{}`", dependency, step.key);
            }
        }
    }

    #[test]
    fn no_mutation_panics((pipeline, project) in mutations()) {
        bind_text(&pipeline);
        if let Err(errors) = parse_pipeline("p.yaml", &pipeline) {
            prop_assert!(!errors.0.is_empty() && !errors.to_string().is_empty());
        }
        let _ = parse_project("p.yaml", &project).map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_condition_panics(text in "[a-z0-9.()\\[\\]'\"+&|!?:<>=, {}-]{0,60}") {
        let text = format!("pipeline: p\nsteps:\n  s:\n    uses: join\n    when: |-\n      {text}\n");
        bind_text(&text);
    }
}
