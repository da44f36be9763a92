//! The payments example from end to end: a plugin of its own, the search, the page, the cache, the proof; then the
//! world changes, the monitor finds it, and a retraining follows.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::documents;
use crate::served::Served;
use crate::support::{TestProject, digests, each, step, workspace};

/// The longest that one thing is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Few payments and few trials, so that it takes seconds; as the README has it.
const SMALL: [&str; 6] = ["run", "payments", "--param", "rows=20000", "--param", "trials=4"];

/// Steps that compute nothing: an effect, and what is brought in where it is there.
const NOT_COMPUTED: [&str; 3] = ["deploy", "recent", "payments@champion"];

/// The example with its plugin where the project file looks for it, and the small numbers as defaults, so that a
/// monitor's run takes them too.
fn project() -> TestProject {
    let project = TestProject::example("payments");
    let plugin = wasmlops_plugins::examples().iter().find(|plugin| plugin.name == "payments-source").unwrap();
    let folder = project.path().join("plugins");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("payments-source.wasm"), plugin.bytes).unwrap();
    project.edit("pipelines/payments.yaml", "default: 200000", "default: 20000");
    project.edit("pipelines/payments.yaml", "default: 8", "default: 4");
    project
}

/// Those of the steps that compute something.
fn computed<'a>(view: &'a Value, field: &str) -> Vec<(&'a str, &'a str)> {
    each(view, field).into_iter().filter(|(step, _)| !NOT_COMPUTED.contains(step)).collect()
}

#[test]
fn the_example_is_trained_proved_watched_and_retrained() {
    let project = project();
    let first = project.json(0, &SMALL);
    assert_eq!(first["status"], "succeeded", "{first:#}");
    assert!(computed(&first, "cache").iter().all(|(_, cache)| *cache == "miss"), "{first:#}");
    let gate = &step(&first, "gate")["metrics"];
    assert!(gate["auc"].as_f64().unwrap() >= 0.85, "{gate:#}");
    assert_eq!(step(&first, "search")["metrics"]["trials"].as_f64(), Some(4.0), "{first:#}");

    let again = project.json(0, &SMALL);
    assert!(computed(&again, "cache").iter().all(|(_, cache)| *cache == "hit"), "{again:#}");
    assert_eq!(digests(&first), digests(&again));

    let id = first["run"].as_str().unwrap();
    let verified = project.json(0, &["verify", id]);
    assert!(computed(&verified, "result").iter().all(|(_, result)| *result == "equal"), "{verified:#}");

    the_page_stands_alone(&project, id);
    // What the README shows is what was done above, so that all of it is known already.
    documents::run_page(&workspace().join("examples/payments/README.md"), &project);
    the_world_changes(&project);
}

fn the_page_stands_alone(project: &TestProject, run: &str) {
    let output = format!("{run}/report.page");
    project.json(0, &["artifact", "export", &output, "page.html"]);
    let page = project.read("page.html");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"), "{}", &page[..200]);
    for drawing in ["roc", "precision_recall", "calibration", "confusion", "importance"] {
        assert!(page.contains(&format!("<figure id=\"{drawing}\">\n<svg ")), "no drawing `{drawing}`");
    }
    assert!(!page.contains("<script"));
    let shown = project.wasmlops(&["artifact", "show", &output]);
    assert!(shown.stdout.contains("a page for a browser") && !shown.stdout.contains("<svg"), "{shown:?}");
}

fn the_world_changes(project: &TestProject) {
    let served = Served::start(project);
    let quiet = ask(project, &served, "usual", "0", 1);
    assert_eq!(drifted(&quiet), Some(false), "{quiet:#}");
    let loud = ask(project, &served, "changed", "0.8", 2);
    assert_eq!(drifted(&loud), Some(true), "{loud:#}");

    let retraining = until(|| {
        let window = window(project, 2)?;
        let actions = window["actions"].as_array()?.clone();
        let run = actions.into_iter().find(|action| action["kind"] == "run")?;
        (run["state"] != "pending").then_some(run)
    });
    assert_eq!(retraining["state"], "done", "{retraining:#}");
    let run = project.json(0, &["runs", "show", retraining["id"].as_str().unwrap()]);
    assert_eq!(run["status"], "succeeded", "{run:#}");
    assert_eq!(step(&run, "ingest")["cache"], "hit", "{run:#}");
    assert_eq!(step(&run, "search")["cache"], "miss", "{run:#}");
    assert_eq!(project.json(0, &["model", "show", "payments@2"])["version"], 2);
}

/// Sends some days' payments and says which were fraud; gives the monitor's judgement.
fn ask(project: &TestProject, served: &Served, id: &str, drift: &str, number: i64) -> Value {
    let (id_param, drift) = (format!("id={id}"), format!("drift={drift}"));
    let run = project.json(0, &["run", "traffic", "--param", &id_param, "--param", &drift, "--param", "payments=500"]);
    let export = |output: &str| -> Value {
        let file = format!("{id}-{output}.json");
        let name = format!("{}/days.{output}", run["run"].as_str().unwrap());
        project.json(0, &["artifact", "export", &name, &file]);
        serde_json::from_str(&project.read(&file)).unwrap()
    };
    let (request, labels) = (export("requests"), export("labels"));
    let answer = served.post("/api/v1/endpoints/payments/predict", &request);
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    assert_eq!(answer.body["predictions"].as_array().unwrap().len(), 500);
    let told = served.post("/api/v1/endpoints/payments/labels", &serde_json::json!({ "labels": labels }));
    assert_eq!(told.body["accepted"], 500, "{:#}", told.body);
    until(|| window(project, number))
}

fn window(project: &TestProject, number: i64) -> Option<Value> {
    let shown = project.json(0, &["monitor", "show", "drift"]);
    let windows = shown["windows"].as_array()?.clone();
    windows.into_iter().find(|window| window["window"] == number)
}

/// Whether the data as a whole has drifted; nothing where the monitor did not say.
fn drifted(window: &Value) -> Option<bool> {
    let findings = window["findings"].as_array()?;
    findings.iter().find(|finding| finding["statistic"] == "share_drifted")?["found"].as_bool()
}

fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}
