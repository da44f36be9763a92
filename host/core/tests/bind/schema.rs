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
    let steps = part(&schema, "/properties/steps/additionalProperties");
    let param = part(&schema, "/properties/params/additionalProperties/anyOf/0");
    let places: [Place<'_>; 6] = [
        (&schema, &|keys| keys.clone()),
        (&param, &|keys| json!({"pipeline": "p", "params": {"x": keys}, "steps": {}})),
        (&steps, &step),
        (&part(&steps, "/properties/retry"), &|keys| step(&json!({"retry": keys}))),
        (&part(&steps, "/properties/limits"), &|keys| step(&json!({"limits": keys}))),
        (&part(&steps, "/properties/grants"), &|keys| step(&json!({"grants": keys}))),
    ];
    for (object, document) in places {
        check_keys(object, document, |text| parse_pipeline("p.yaml", text).err().map(|errors| errors.to_string()));
    }
    let schema = project_schema();
    let plugin = part(&schema, "/properties/plugins/additionalProperties/anyOf/1");
    let places: [Place<'_>; 4] = [
        (&schema, &|keys| keys.clone()),
        (&plugin, &|keys| json!({"project": "p", "plugins": {"x": keys}})),
        (&part(&schema, "/properties/policy"), &|keys| json!({"project": "p", "policy": keys})),
        (
            &part(&schema, "/properties/policy/properties/limits"),
            &|keys| json!({"project": "p", "policy": {"limits": keys}}),
        ),
    ];
    for (object, document) in places {
        check_keys(object, document, |text| parse_project("p.yaml", text).err().map(|errors| errors.to_string()));
    }
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
