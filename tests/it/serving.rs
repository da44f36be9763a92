//! `wasmlops serve` over HTTP, as clients see it: predictions by both protocols, refusals, labels, stopping, coming back.

use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};

use crate::served::{PREDICT, Served, published, rows};

#[test]
fn both_protocols_answer_the_same_and_survive_a_kill() {
    let project = published();
    let rows = rows(&project, 3);
    let served = Served::start(&project);

    let answer = served.post(PREDICT, &json!({ "id": "first", "rows": rows }));
    assert_eq!((answer.status, &answer.body["id"], &answer.body["version"]), (200, &json!("first"), &json!(1)));
    let predictions = answer.body["predictions"].as_array().unwrap().clone();
    let ids: Vec<&Value> = predictions.iter().map(|prediction| &prediction["id"]).collect();
    assert_eq!(ids, ["first.0", "first.1", "first.2"]);

    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let lists: Vec<Vec<&Value>> = rows.iter().map(|row| names.iter().map(|name| &row[*name]).collect()).collect();
    let listed = served.post(PREDICT, &json!({ "rows": lists, "columns": names }));
    assert_eq!(listed.body["predictions"][1]["probabilities"], predictions[1]["probabilities"]);

    let matrix = json!({ "name": "input", "shape": [3, names.len()], "datatype": "FP64", "data": lists });
    let columns: Vec<Value> = names
        .iter()
        .map(|name| {
            let data: Vec<&Value> = rows.iter().map(|row| &row[*name]).collect();
            json!({ "name": name, "shape": [3], "datatype": "FP64", "data": data })
        })
        .collect();
    for inputs in [json!([matrix]), json!(columns)] {
        for path in ["/v2/models/breast-cancer/infer", "/v2/models/breast-cancer/versions/1/infer"] {
            let inferred = served.post(path, &json!({ "inputs": inputs, "id": "q" })).body;
            assert_eq!((&inferred["id"], &inferred["model_version"]), (&json!("q"), &json!("1")), "{inferred}");
            let output = |name: &str| {
                let all = inferred["outputs"].as_array().unwrap();
                all.iter().find(|output| output["name"] == name).unwrap()["data"].clone()
            };
            for (row, prediction) in predictions.iter().enumerate() {
                assert_eq!(output("prediction")[row], prediction["prediction"]);
                assert_eq!(output("probability.1")[row], prediction["probabilities"]["1"]);
            }
        }
    }

    served.signal("-KILL");
    drop(served);
    let again = Served::start(&project);
    let answer = again.post(PREDICT, &json!({ "rows": rows })).body;
    assert_eq!(answer["predictions"][2]["probabilities"], predictions[2]["probabilities"]);
    let labels = json!({ "labels": [{ "id": "first.1", "value": 0 }, { "id": "nobody", "value": 1 }] });
    let path = "/api/v1/endpoints/breast-cancer/labels";
    let recorded = again.post(path, &labels).body;
    assert_eq!(recorded, json!({ "accepted": 1, "duplicate": 0, "unknown": ["nobody"], "late": [] }));
    assert_eq!(again.post(path, &json!({ "labels": [{ "id": "first.1", "value": 1 }] })).status, 409);
}

#[test]
fn nothing_that_was_answered_is_lost_when_the_server_is_killed_under_traffic() {
    const LABELS: &str = "/api/v1/endpoints/breast-cancer/labels";
    let project = published();
    let rows = rows(&project, 1);
    let served = Served::start(&project);
    let labelled = Mutex::new(Vec::new());
    let answered = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // Until the server is gone: what has no answer was never acknowledged.
                while let Some(answer) = served.try_post(PREDICT, &json!({ "rows": rows })) {
                    let id = answer.body["id"].clone();
                    answered.lock().unwrap().push(id.clone());
                    let label = json!({ "labels": [{ "id": id, "value": 1 }] });
                    match served.try_post(LABELS, &label) {
                        Some(told) => {
                            assert_eq!(told.body["accepted"], 1, "{}", told.body);
                            labelled.lock().unwrap().push(id);
                        }
                        None => break,
                    }
                }
            });
        }
        while answered.lock().unwrap().len() < 100 {
            thread::yield_now();
        }
        served.signal("-KILL");
    });
    drop(served);
    let (labelled, answered) = (labelled.into_inner().unwrap(), answered.into_inner().unwrap());
    assert!(labelled.len() >= 50, "{} labels", labelled.len());

    let again = Served::start(&project);
    let label = |id: &Value| json!({ "id": id, "value": 1 });
    let repeated: Vec<Value> = labelled.iter().map(label).collect();
    let told = again.post(LABELS, &json!({ "labels": repeated })).body;
    assert_eq!(
        (&told["duplicate"], &told["unknown"]),
        (&json!(labelled.len()), &json!([])),
        "a label was lost: {told}"
    );
    let all: Vec<Value> = answered.iter().map(label).collect();
    let told = again.post(LABELS, &json!({ "labels": all })).body;
    assert_eq!(told["unknown"], json!([]), "a record was lost: {told}");
    assert_eq!(again.post(PREDICT, &json!({ "rows": rows })).body["version"], 1);
}

#[test]
fn refusals_say_what_was_expected() {
    let project = published();
    let served = Served::start(&project);
    let mut row = rows(&project, 1).remove(0);
    row["mean_radius"] = json!("wide");
    row["colour"] = json!("red");
    row.as_object_mut().unwrap().remove("mean_texture");
    let refused = served.post(PREDICT, &json!({ "rows": [row] }));
    assert_eq!(refused.status, 400);
    assert!(refused.head.contains("content-type: application/problem+json"), "{}", refused.head);
    assert_eq!(refused.body["code"], "invalid-columns");
    let mut columns: Vec<&str> =
        refused.body["columns"].as_array().unwrap().iter().map(|column| column["column"].as_str().unwrap()).collect();
    columns.sort_unstable();
    assert_eq!(columns, ["colour", "mean_radius", "mean_texture"]);

    for (method, path, status) in [
        ("GET", "/api/v1/endpoints/nobody", 404),
        ("POST", "/api/v1/endpoints/nobody/predict", 404),
        ("GET", PREDICT, 405),
        ("GET", "/api/v2", 404),
        ("GET", "/api/v1/models/nobody", 404),
        ("GET", "/v2/models/nobody", 404),
        ("GET", "/v2/models/nobody/ready", 404),
        ("GET", "/v2/models/breast-cancer/versions/2", 404),
        ("GET", "/v2/models/breast-cancer/versions/x/ready", 404),
        ("POST", "/v2/models/breast-cancer/versions/2/infer", 404),
        ("POST", "/v2/models/breast-cancer/infer", 400),
        ("POST", PREDICT, 400),
    ] {
        let answer = served.ask(method, path, "", b"{");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let told = if path.starts_with("/v2") { &answer.body["error"] } else { &answer.body["code"] };
        assert!(told.is_string(), "{method} {path}: {}", answer.body);
    }
    let foreign = served.ask("GET", "/healthz", "Origin: https://example.com\r\n", b"");
    assert_eq!(foreign.status, 403);
    assert_eq!(served.get("/v2/health/live").body, json!({ "live": true }));
    assert_eq!(served.get("/v2/models/breast-cancer/ready").body, json!({ "name": "breast-cancer", "ready": true }));
    let history = served.get("/api/v1/models/breast-cancer/aliases/champion/history").body;
    assert_eq!(history["items"][0]["to"], 1);
}

#[test]
fn a_server_that_is_told_to_stop_ends_well() {
    let project = published();
    let mut served = Served::start(&project);
    served.signal("-TERM");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    let public = project.wasmlops(&["serve", "--bind", "0.0.0.0:0"]);
    assert_eq!(public.code, Some(2), "{}", public.stderr);
    assert!(public.stderr.contains("--tls-cert"), "{}", public.stderr);
}
