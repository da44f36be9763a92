//! What `Component::inspect` says of components made by hand, good and bad.

use serde_json::{Value, json};

use super::*;

fn manifest() -> Value {
    let port = |name: &str| json!({ "name": name, "description": "rows" });
    json!({
        "name": "linear-model",
        "version": "0.1.3",
        "contract": "0.1.0",
        "description": "Linear models",
        "kinds": {
            "trainer": { "config": { "type": "object" }, "inputs": [port("train")], "outputs": [port("model")] },
            "predictor": { "config": { "type": "object" } },
        },
    })
}

fn custom_section(content: &str) -> String {
    let escaped: String = content.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!(r#"(@custom "{SECTION}" "{escaped}")"#)
}

fn exports(names: &[&str]) -> String {
    names.iter().map(|name| format!(r#"(export "{name}" (instance $kind)) "#)).collect()
}

const BOTH: [&str; 2] = ["wasmlops:plugin/predictor@0.1.0", "wasmlops:plugin/trainer@0.1.0"];

/// A component with one core module that holds `sections`, and with `rest` behind it.
fn component(sections: &str, rest: &str) -> Vec<u8> {
    let text = format!("(component (core module {sections}) (instance $kind) {rest})");
    wat::parse_str(text).unwrap()
}

fn with_manifest(manifest: &Value) -> Result<Component, ComponentError> {
    Component::inspect(&component(&custom_section(&manifest.to_string()), &exports(&BOTH)))
}

fn with_exports(names: &[&str]) -> Result<Component, ComponentError> {
    Component::inspect(&component(&custom_section(&manifest().to_string()), &exports(names)))
}

#[test]
fn says_what_the_component_is() {
    let imports =
        r#"(import "wasmlops:plugin/log@0.1.0" (instance)) (import "wasi:filesystem/preopens@0.2.6" (instance))"#;
    let section = custom_section(&manifest().to_string());
    let bytes = component(&section, &format!("{imports} {}", exports(&BOTH)));
    let found = Component::inspect(&bytes).unwrap();
    assert_eq!(found.digest, Digest::sha256(&bytes));
    assert_eq!(found.size, bytes.len() as u64);
    assert_eq!(found.manifest.name.as_str(), "linear-model");
    assert_eq!(found.kinds, BTreeSet::from([Kind::Trainer, Kind::Predictor]));
    assert_eq!(found.contract, Version::new(0, 1, 0));
    assert_eq!(found.imports, ["wasmlops:plugin/log@0.1.0", "wasi:filesystem/preopens@0.2.6"]);
    assert!(found.needs_files);
    assert!(!found.needs_http && !found.needs_endpoints);
    assert!(!with_manifest(&manifest()).unwrap().needs_files);
}

#[test]
fn says_what_it_reaches_outside() {
    let imports = r#"(import "wasi:http/outgoing-handler@0.2.12" (instance))
                     (import "wasmlops:plugin/endpoints@0.1.0" (instance))"#;
    let section = custom_section(&manifest().to_string());
    let found = Component::inspect(&component(&section, &format!("{imports} {}", exports(&BOTH)))).unwrap();
    assert!(found.needs_http && found.needs_endpoints && !found.needs_files);
}

#[test]
fn finds_the_manifest_at_any_depth_and_only_one() {
    let section = custom_section(&manifest().to_string());
    let nested = format!("(component (core module {section})) {}", exports(&BOTH));
    assert!(Component::inspect(&component("", &nested)).is_ok());
    assert_eq!(Component::inspect(&component(&section, &nested)), Err(ComponentError::DuplicateManifest));
    assert_eq!(
        Component::inspect(&component(&section.repeat(2), &exports(&BOTH))),
        Err(ComponentError::DuplicateManifest)
    );
    assert_eq!(Component::inspect(&component("", &exports(&BOTH))), Err(ComponentError::NoManifest));
}

#[test]
fn imports_and_exports_of_nested_components_are_their_own() {
    let section = custom_section(&manifest().to_string());
    let nested = r#"(component (import "wasi:filesystem/preopens@0.2.6" (instance)) (instance $kind)
                       (export "wasmlops:plugin/monitor@0.1.0" (instance $kind)))"#;
    let found = Component::inspect(&component(&section, &format!("{nested} {}", exports(&BOTH)))).unwrap();
    assert_eq!(found.imports, Vec::<String>::new());
    assert_eq!(found.kinds.len(), 2);
}

#[test]
fn refuses_what_is_no_component() {
    let module = wat::parse_str("(module)").unwrap();
    assert_eq!(Component::inspect(&module), Err(ComponentError::CoreModule));
    assert_eq!(Component::inspect(b"\x7fELF\x02\x01\x01"), Err(ComponentError::Precompiled));
    for bytes in [&b""[..], b"#!/bin/sh", b"\0as", b"PK\x03\x04"] {
        assert!(matches!(Component::inspect(bytes), Err(ComponentError::NotWasm { .. })), "{bytes:?}");
    }
    let size = MAX_COMPONENT_BYTES + 1;
    assert_eq!(Component::inspect(&vec![0; size]), Err(ComponentError::TooLarge { size }));
}

#[test]
fn refuses_what_the_engine_would_not_run() {
    let section = custom_section(&manifest().to_string());
    for feature in ["(memory i64 1)", "(type (struct))", "(tag)", "(memory 1 1 shared)"] {
        let refused = Component::inspect(&component(&format!("{section} {feature}"), &exports(&BOTH)));
        assert!(matches!(refused, Err(ComponentError::Malformed { .. })), "{feature}: {refused:?}");
    }
    let simd = "(func (result v128) (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)))";
    assert!(Component::inspect(&component(&format!("{section} {simd}"), &exports(&BOTH))).is_ok());
}

#[test]
fn damage_is_found_and_never_panics() {
    let good = component(&custom_section(&manifest().to_string()), &exports(&BOTH));
    assert!(matches!(Component::inspect(&good[..good.len() - 1]), Err(ComponentError::Malformed { .. })));
    for place in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[place] ^= flip;
            let _ = Component::inspect(&bytes);
        }
        let _ = Component::inspect(&good[..place]);
    }
}

#[test]
fn refuses_other_contracts() {
    for export in ["wasmlops:plugin/trainer@0.2.0", "wasmlops:plugin/trainer", "wasmlops:plugin/trainer@1.1.0"] {
        assert_eq!(with_exports(&[export]), Err(ComponentError::Contract { export: export.to_owned() }));
    }
    let mixed = ["wasmlops:plugin/predictor@0.1.0", "wasmlops:plugin/trainer@0.1.1"];
    assert_eq!(with_exports(&mixed), Err(ComponentError::Contract { export: mixed[1].to_owned() }));
    let newer = ["wasmlops:plugin/predictor@0.1.1", "wasmlops:plugin/trainer@0.1.1"];
    let (manifest, exports) = (Version::new(0, 1, 0), Version::new(0, 1, 1));
    assert_eq!(with_exports(&newer), Err(ComponentError::ContractDiffers { manifest, exports }));
}

#[test]
fn refuses_exports_that_the_manifest_does_not_say() {
    assert_eq!(with_exports(&[]), Err(ComponentError::NoKind));
    assert_eq!(with_exports(&["wasi:http/incoming-handler@0.2.6"]), Err(ComponentError::NoKind));
    let export = "wasmlops:plugin/oracle@0.1.0";
    assert_eq!(with_exports(&[export]), Err(ComponentError::UnknownKind { export: export.to_owned() }));
    let differ = with_exports(&BOTH[..1]).unwrap_err();
    let text = "manifest says kinds `trainer`, `predictor`, and the component exports `predictor`";
    assert!(differ.to_string().starts_with(text), "{differ}");
}

#[test]
fn refuses_manifests_that_are_wrong() {
    let reason = |change: &dyn Fn(&mut Value)| {
        let mut manifest = manifest();
        change(&mut manifest);
        match with_manifest(&manifest) {
            Err(ComponentError::Manifest { reason }) => reason,
            other => panic!("{other:?}"),
        }
    };
    let trainer = |key: &'static str, value: Value| {
        reason(&move |manifest: &mut Value| manifest["kinds"]["trainer"][key] = value.clone())
    };
    assert!(reason(&|manifest| manifest["surprise"] = json!(1)).contains("unknown field `surprise`"));
    assert!(
        reason(&|manifest| manifest["name"] = json!("Linear Model")).contains("`Linear Model` is not a plugin name")
    );
    assert_eq!(reason(&|manifest| manifest["kinds"] = json!({})), "`kinds` is empty");
    assert!(
        trainer("config", json!({ "type": "array" })).starts_with("`kinds.trainer.config` is not a JSON Schema with")
    );
    assert_eq!(
        trainer("outputs", json!([{ "name": "a" }, { "name": "a" }, { "name": "" }])),
        "`kinds.trainer.outputs` has `a` twice; `kinds.trainer.outputs` has an empty name"
    );
    assert!(trainer("outputs", json!([{ "name": "*" }])).contains("which only inputs may have"));
    let capability = json!({ "name": "read", "why": "it reads" });
    assert_eq!(
        reason(&|manifest| manifest["capabilities"] = json!([capability, capability])),
        "`capabilities` has `read` twice"
    );
}

#[test]
fn refuses_manifests_that_are_too_large() {
    let mut manifest = manifest();
    manifest["description"] = json!("x".repeat(MAX_MANIFEST_BYTES));
    assert!(matches!(with_manifest(&manifest), Err(ComponentError::ManifestTooLarge { .. })));
}

#[test]
fn kinds_have_one_text_everywhere() {
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse::<Kind>(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
    }
    assert!("Trainer".parse::<Kind>().unwrap_err().to_string().contains("expected one of `data-source`, `processor`"));
    assert!(Kind::ALL.is_sorted());
}
