//! The published schemas and the parser say the same.

use std::fs;

use serde_json::{Value, json};
use wasmlops_core::config::{Node, parse_pipeline, parse_project, pipeline_schema, project_schema};

use crate::golden::cases;

fn yaml(text: &str) -> Option<Value> {
    serde_saphyr::from_str::<Node>(text).ok().map(|node| node.to_json())
}

/// A part of the schema, and how a document looks with something in its place.
type Place<'a> = (&'a Value, &'a dyn Fn(&Value) -> Value);

#[test]
fn schemas_are_valid_and_take_what_the_parser_takes() {
    let pipeline = jsonschema::draft202012::new(&pipeline_schema()).unwrap();
    let project = jsonschema::draft202012::new(&project_schema()).unwrap();
    let mut taken = 0;
    for case in cases() {
        let text = fs::read_to_string(case.join("pipeline.yaml")).unwrap();
        if parse_pipeline("pipeline.yaml", &text).is_ok() {
            let errors: Vec<_> = pipeline.iter_errors(&yaml(&text).unwrap()).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", case.display());
            taken += 1;
        }
        let Ok(text) = fs::read_to_string(case.join("project.yaml")) else { continue };
        if parse_project("wasmlops.yaml", &text).is_ok() {
            assert!(project.is_valid(&yaml(&text).unwrap()), "{}", case.display());
        }
    }
    assert!(taken > 10, "{taken} cases were compared");
}

/// Each key of the schema alone is known to the parser, and a key beside them is known to neither.
#[test]
fn schema_and_parser_know_the_same_keys() {
    let step = |keys: &Value| json!({"pipeline": "p", "steps": {"s": keys}});
    let part = |schema: &Value, pointer: &str| schema.pointer(pointer).unwrap().clone();
    let schema = pipeline_schema();
    let steps = part(&schema, "/properties/steps/additionalProperties/anyOf/0");
    let model = part(&schema, "/properties/steps/additionalProperties/anyOf/1");
    let artifact = part(&schema, "/properties/steps/additionalProperties/anyOf/2");
    let search = part(&schema, "/properties/steps/additionalProperties/anyOf/4");
    let param = part(&schema, "/properties/params/additionalProperties/anyOf/0");
    let with = |own: &'static str| {
        move |keys: &Value| {
            let mut keys = keys.clone();
            keys.as_object_mut().unwrap().entry(own).or_insert_with(|| json!("x"));
            json!({"pipeline": "p", "steps": {"s": keys}})
        }
    };
    let places: [Place<'_>; 9] = [
        (&schema, &|keys| keys.clone()),
        (&search, &with("search")),
        (&param, &|keys| json!({"pipeline": "p", "params": {"x": keys}, "steps": {}})),
        (&steps, &step),
        (&model, &with("model")),
        (&artifact, &with("artifact")),
        (&part(&steps, "/properties/retry"), &|keys| step(&json!({"retry": keys}))),
        (&part(&steps, "/properties/limits"), &|keys| step(&json!({"limits": keys}))),
        (&part(&steps, "/properties/grants"), &|keys| step(&json!({"grants": keys}))),
    ];
    for (object, document) in places {
        check_keys(object, document, |text| parse_pipeline("p.yaml", text).err().map(|errors| errors.to_string()));
    }
}

#[test]
fn project_schema_and_parser_know_the_same_keys() {
    let part = |schema: &Value, pointer: &str| schema.pointer(pointer).unwrap().clone();
    let schema = project_schema();
    let project = |key: &'static str| move |keys: &Value| json!({"project": "p", key: keys});
    let plugin = part(&schema, "/properties/plugins/additionalProperties/anyOf/1");
    let endpoint = part(&schema, "/properties/endpoints/additionalProperties");
    let monitor = part(&schema, "/properties/monitors/additionalProperties");
    let rule = part(&monitor, "/properties/rules/items");
    let action = |number: usize| part(&rule, &format!("/properties/do/anyOf/0/anyOf/{number}"));
    let in_endpoint = |keys: Value| json!({"project": "p", "endpoints": {"e": keys}});
    let in_monitor = |keys: Value| json!({"project": "p", "monitors": {"m": keys}});
    let in_rule = |keys: Value| in_monitor(json!({"rules": [keys]}));
    let in_action = |keys: &Value, own: &str| {
        let mut keys = keys.clone();
        keys.as_object_mut().unwrap().entry(own).or_insert_with(|| json!("x"));
        in_rule(json!({"do": keys}))
    };
    let places: [Place<'_>; 16] = [
        (&schema, &|keys| keys.clone()),
        (&plugin, &|keys| json!({"project": "p", "plugins": {"x": keys}})),
        (&part(&schema, "/properties/policy"), &project("policy")),
        (&part(&schema, "/properties/policy/properties/limits"), &|keys| project("policy")(&json!({"limits": keys}))),
        (&endpoint, &|keys| in_endpoint(keys.clone())),
        (&part(&endpoint, "/properties/batch"), &|keys| in_endpoint(json!({"batch": keys}))),
        (&part(&endpoint, "/properties/canary"), &|keys| in_endpoint(json!({"canary": keys}))),
        (&part(&endpoint, "/properties/rollback"), &|keys| in_endpoint(json!({"rollback": keys}))),
        (&part(&endpoint, "/properties/rollback/properties/score"), &|keys| {
            in_endpoint(json!({"rollback": {"score": keys}}))
        }),
        (&part(&endpoint, "/properties/log"), &|keys| in_endpoint(json!({"log": keys}))),
        (&part(&endpoint, "/properties/labels"), &|keys| in_endpoint(json!({"labels": keys}))),
        (&monitor, &|keys| in_monitor(keys.clone())),
        (&part(&monitor, "/properties/window"), &|keys| in_monitor(json!({"window": keys}))),
        (&rule, &|keys| in_rule(keys.clone())),
        (&action(1), &|keys| in_action(keys, "webhook")),
        (&action(2), &|keys| in_action(keys, "run")),
    ];
    for (object, document) in places {
        check_keys(object, document, |text| parse_project("p.yaml", text).err().map(|errors| errors.to_string()));
    }
    let limit = part(&rule, "/properties/limit");
    let parse = |text: &str| parse_project("p.yaml", text).err().map(|errors| errors.to_string());
    check_keys(&limit, &|keys| in_rule(json!({"limit": keys})), parse);
}

fn check_keys(object: &Value, document: &dyn Fn(&Value) -> Value, parse: impl Fn(&str) -> Option<String>) {
    let refuses = |key: &str| {
        let text = document(&json!({key: null})).to_string();
        parse(&text).is_some_and(|errors| errors.contains(&format!("has no key `{key}`")))
    };
    assert_eq!(object["additionalProperties"], json!(false));
    for key in object["properties"].as_object().unwrap().keys() {
        assert!(!refuses(key), "the parser does not know `{key}`");
    }
    assert!(refuses("surely_unknown"));
}

#[test]
fn schedules_in_schema_and_parser() {
    let schema = project_schema();
    let schedule = schema.pointer("/properties/schedules/additionalProperties").unwrap();
    let in_schedule = |keys: Value| json!({"project": "p", "schedules": {"s": keys}});
    let parse = |text: &str| parse_project("p.yaml", text).err().map(|errors| errors.to_string());
    check_keys(schedule, &|keys| in_schedule(keys.clone()), parse);
    let catch_up = schedule.pointer("/properties/catch_up/anyOf/1").unwrap();
    check_keys(catch_up, &|keys| in_schedule(json!({"catch_up": keys})), parse);
}
