//! Traces as a collector gets them: one from the request or run down to the host call, with W3C's context in and out.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use serde_json::json;

use crate::outside::{Outside, Received};
use crate::served::{self, PREDICT, Served};
use crate::support::TestProject;

const PIPELINE: &str = "pipelines/breast-cancer.yaml";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A span as far as these tests look at it.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    trace: String,
    id: String,
    parent: String,
    attributes: BTreeMap<String, String>,
}

/// Spans of all requests that were answered well.
fn spans(received: &[Received], refused: usize) -> Vec<Seen> {
    let mut spans = Vec::new();
    for request in &received[refused..] {
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        let sent = ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap();
        for resource in sent.resource_spans {
            let of = attributes(&resource.resource.unwrap().attributes);
            assert_eq!((of["service.name"].as_str(), of["deployment"].as_str()), ("ml", "test,1"));
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                spans.push(Seen {
                    name: span.name,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    attributes: attributes(&span.attributes),
                });
            }
        }
    }
    spans
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.clone()) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    all.iter().map(|pair| (pair.key.clone(), text(&pair.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span `{name}` in {names:?}"))
}

fn environment(collector: &Outside) -> [(&'static str, String); 4] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.origin.clone()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=one%20two".to_owned()),
        ("OTEL_SERVICE_NAME", "ml".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment=test%2C1".to_owned()),
    ]
}

#[test]
fn a_run_is_one_trace_down_to_the_request_that_a_guest_sends() {
    let collector = Outside::start(|number| (if number == 0 { 503 } else { 200 }, json!({})));
    let outside = Outside::start(|_| (201, json!({ "id": "d-7", "url": "https://serve.example/7" })));
    let project = TestProject::example("breast-cancer");
    let origin = &outside.origin;
    let deploy = format!(
        r#"
  deploy:
    uses: http-deployer
    inputs: {{ release: publish.version }}
    with:
      deploy:
        request: {{ method: POST, url: "{origin}/secret-path", body: {{ version: "{{{{version}}}}" }} }}
        id: /id
        address: /url
      undeploy: {{ method: DELETE, url: "{origin}/gone" }}
    grants: {{ http: ["{origin}"] }}
"#
    );
    let text = project.read(PIPELINE);
    let (before, _) = text.split_once("  # The server gives the version its traffic").unwrap();
    project.write(PIPELINE, &format!("{before}{deploy}"));
    project.edit("wasmlops.yaml", "  read: [data]\n", &format!("  read: [data]\n  http: [\"{origin}\"]\n"));

    let output = project.command(&["run", "--json"]).envs(environment(&collector)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();

    let received = collector.received();
    assert!(received.len() >= 2, "what was answered with 503 comes again");
    assert_eq!(received[0].body, received[1].body);
    assert_eq!((received[0].line.as_str(), received[0].header("x-key")), ("POST /v1/traces", Some("one two")));
    let spans = spans(&received, 1);
    let whole = named(&spans, "run breast-cancer");
    assert_eq!(whole.attributes["wasmlops.run"], run["run"].as_str().unwrap());
    assert_eq!(whole.attributes["wasmlops.outcome"], "succeeded");
    assert!(whole.parent.is_empty() && spans.iter().all(|span| span.trace == whole.trace));
    let train = named(&spans, "step train");
    assert_eq!((&train.parent, train.attributes["wasmlops.plugin.name"].as_str()), (&whole.id, "linear-model"));
    assert!(train.attributes["wasmlops.plugin.digest"].starts_with("sha256:"), "{train:?}");
    assert_eq!(train.attributes["wasmlops.outcome"], "succeeded");
    assert!(spans.iter().any(|span| span.name == "blobs.put" && span.parent == train.id));
    let call = named(&spans, "POST");
    assert_eq!(call.parent, named(&spans, "step deploy").id);
    assert_eq!(call.attributes["http.response.status_code"], "201");
    let sent = outside.received()[0].header("traceparent").unwrap().to_owned();
    assert_eq!(sent, format!("00-{}-{}-01", whole.trace, call.id));
    let told = format!("{spans:?}");
    assert!(!told.contains("secret-path"), "a path may hold a secret");
}

#[test]
fn a_prediction_is_one_trace_and_the_last_spans_are_sent_at_the_end() {
    let collector = Outside::start(|_| (200, json!({})));
    let project = served::published();
    let rows = served::rows(&project, 1);
    let mut served = Served::start_with(&project, &environment(&collector));
    let context = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\n");
    let body = json!({ "rows": rows }).to_string();
    assert_eq!(served.ask("POST", PREDICT, &context, body.as_bytes()).status, 200);
    served.signal("-TERM");
    assert!(served.child.wait().unwrap().success());

    let spans = spans(&collector.received(), 0);
    let request = spans.iter().find(|span| span.trace == TRACE && span.parent == CALLER).unwrap();
    assert_eq!(request.attributes["http.route"], "/api/v1/endpoints/{name}/predict");
    assert_eq!(request.attributes["http.response.status_code"], "200");
    let of_trace: Vec<Seen> = spans.iter().filter(|span| span.trace == TRACE).cloned().collect();
    let predict = named(&of_trace, "predict");
    assert_eq!((&predict.parent, predict.attributes["wasmlops.model.version"].as_str()), (&request.id, "1"));
    assert_eq!(named(&of_trace, "predict.queue").parent, predict.id);
    assert_eq!(named(&of_trace, "predict.guest").parent, predict.id);
}

#[test]
fn a_collector_that_is_not_there_costs_no_run() {
    let project = TestProject::example("breast-cancer");
    let output =
        project.command(&["run", "--json"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").output().unwrap();
    assert!(output.status.success());
    let wrong = project.command(&["run"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}
