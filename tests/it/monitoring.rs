//! Monitors of a running server: what they find leads to what the rules say, once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::outside::Outside;
use crate::served::{PREDICT, Served, published, rows};
use crate::support::TestProject;

/// The longest that a window is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The example, with one monitor that tells a system outside of drift in 40 rows.
fn project(outside: &Outside) -> TestProject {
    let project = published();
    let text = project.read("wasmlops.yaml");
    let (before, _) = text.split_once("\nmonitors:").unwrap();
    let monitors = format!(
        r#"
monitors:
  drift:
    uses: drift
    endpoint: breast-cancer
    window: {{ rows: 40 }}
    with: {{ min_rows: 20 }}
    rules:
      - name: tell
        when: findings.exists(f, f.statistic == 'share_drifted' && f.found)
        do: [{{ webhook: "{}/alerts" }}, pause-canary]
        cooldown: 1h
"#,
        outside.origin
    );
    project.write("wasmlops.yaml", &format!("{before}{monitors}"));
    project.edit("wasmlops.yaml", "  read: [data]\n", &format!("  read: [data]\n  http: [\"{}\"]\n", outside.origin));
    project
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

/// The window of that number, once its actions are over.
fn window(project: &TestProject, number: i64) -> Value {
    until(|| {
        let shown = project.json(0, &["monitor", "show", "drift"]);
        let windows = shown["windows"].as_array()?.clone();
        let window = windows.into_iter().find(|window| window["window"] == number)?;
        let over = window["actions"].as_array()?.iter().all(|action| action["state"] != "pending");
        over.then_some(window)
    })
}

fn send(served: &Served, project: &TestProject, scale: f64) {
    let mut rows = rows(project, 40);
    for cell in rows.iter_mut().flat_map(|row| row.as_object_mut().unwrap().values_mut()) {
        *cell = json!(cell.as_f64().unwrap() * scale);
    }
    assert_eq!(served.post(PREDICT, &json!({ "rows": rows })).status, 200);
}

fn states(window: &Value) -> Vec<(&str, &str)> {
    let actions = window["actions"].as_array().unwrap().iter();
    actions.map(|action| (action["kind"].as_str().unwrap(), action["state"].as_str().unwrap())).collect()
}

#[test]
fn drift_is_told_outside_until_somebody_listens_and_then_the_rule_rests() {
    // The first try meets a system that is not there yet.
    let outside = Outside::start(|number| (if number == 0 { 503 } else { 202 }, json!({})));
    let project = project(&outside);
    let served = Served::start(&project);
    send(&served, &project, 3.0);
    let first = window(&project, 1);
    let mut done = states(&first);
    done.sort_unstable();
    assert_eq!(done, [("pause-canary", "done"), ("webhook", "done")], "{first:#}");

    let received = outside.received();
    assert_eq!(received.len(), 2, "{received:?}");
    let event = received[1].json();
    assert_eq!(received[0].json(), event, "the same event each time");
    assert_eq!(received[1].header("content-type"), Some("application/cloudevents+json"));
    assert_eq!((&event["specversion"], &event["subject"]), (&json!("1.0"), &json!("breast-cancer")));
    assert_eq!(event["data"]["window"]["rows"], 40);
    assert!(event["data"]["findings"].as_array().unwrap().iter().all(|finding| finding["found"] == true), "{event:#}");

    // A judgement is a run: it can be proved like any other.
    let verified = project.json(0, &["verify", first["run"].as_str().unwrap()]);
    assert_eq!(verified["result"], "equal", "{verified:#}");

    send(&served, &project, 3.0);
    let second = window(&project, 2);
    assert!(states(&second).iter().all(|(_, state)| *state == "held"), "{second:#}");
    assert_eq!(outside.received().len(), 2);
}
