//! A trial's graph follows from the run's own graph: it is what binding the trial with these values gives.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wasmlops_core::config::{Policy, parse_pipeline};
use wasmlops_core::graph::{Bindings, BoundSearch, Graph, Pipelines, bind};
use wasmlops_core::search::Trial;
use wasmlops_package::Digest;

use crate::golden::{no_params, pipelines};
use crate::plugins::plugins;

fn case() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/search")
}

fn bound() -> Graph {
    let pipeline = parse_pipeline("pipeline.yaml", &fs::read_to_string(case().join("pipeline.yaml")).unwrap()).unwrap();
    let pipelines = pipelines(&case()).unwrap();
    let (params, policy) = (no_params(), Policy::default());
    bind(&pipeline, Bindings { params: &params, plugins: &plugins(), policy: &policy, pipelines: &pipelines }).unwrap()
}

fn search(graph: &Graph) -> &BoundSearch {
    graph.steps.iter().find_map(|step| step.search.as_deref()).unwrap()
}

fn trial_bound_with(params: &Map<String, Value>) -> Graph {
    let trial = &pipelines(&case()).unwrap().read["trial"];
    let (policy, pipelines) = (Policy::default(), Pipelines::default());
    bind(trial, Bindings { params, plugins: &plugins(), policy: &policy, pipelines: &pipelines }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_trial_is_what_binding_gives(depth in 1_i64..32, alpha in 0.001_f64..10.0, label in "[abc]") {
        let graph = bound();
        let inputs: Vec<_> = ["train", "held_out", "features"]
            .map(|name| (name.to_owned(), Digest::blake3(name.as_bytes())))
            .to_vec();
        let params = json!({"depth": depth, "alpha": alpha, "label": label}).as_object().unwrap().clone();
        let trial = search(&graph).trial_graph(&Trial { number: 1, params: params.clone() }, &inputs);
        let mut all = params;
        all.insert("task".to_owned(), "binary".into());
        all.extend(inputs.iter().map(|(name, digest)| (name.clone(), digest.to_string().into())));
        prop_assert_eq!(trial, trial_bound_with(&all));
    }
}

#[test]
fn the_key_knows_what_a_trial_is_made_of() {
    let names = ["train", "held_out", "features"];
    let graph = bound();
    let before = search(&graph).essence(&names);
    assert_eq!(before, search(&bound()).essence(&names));
    // What is searched and what is handed over is no constant of the search.
    assert_eq!(before["params"], json!({"task": "binary"}));
    let changed = |change: fn(&mut BoundSearch)| {
        let mut search = search(&graph).clone();
        change(&mut search);
        search.essence(&names)
    };
    assert_ne!(before, changed(|search| search.search.parallel = 3));
    assert_ne!(before, changed(|search| search.search.seed = Some(8)));
    assert_ne!(before, changed(|search| drop(search.trial.params.insert("task".to_owned(), "x".into()))));
    assert_ne!(before, changed(|search| search.trial.steps[3].plugin.digest = Digest::sha256(b"other")));
    assert_ne!(before, changed(|search| drop(search.options.insert("gate".to_owned(), json!({})))));
    assert_ne!(before, changed(|search| search.trial.steps[3].limits.memory += 1));
    // How long a step may take, and where it stands in the file, changes no result.
    assert_eq!(before, changed(|search| search.trial.steps[3].limits.timeout *= 2));
    assert_eq!(before, changed(|search| search.trial.steps[3].spans.step.line += 1));
}
