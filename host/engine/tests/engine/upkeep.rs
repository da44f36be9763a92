//! What would rot unseen: guests without a test, guests missing from the documentation, an old wasmtime.

use std::collections::BTreeSet;
use std::path::Path;

use crate::behaviour::BEHAVING;
use crate::hostile::HOSTILE;
use crate::lab::guests;

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| name.replace('_', "-")).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_guest_has_a_test() {
    let files: BTreeSet<String> = std::fs::read_dir(guests())
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".wat")?.to_owned()))
        .collect();
    let tested: BTreeSet<String> = &names(HOSTILE) | &names(BEHAVING);
    assert_eq!(files, tested, "guests on the left, guests that a test names on the right");
}

#[test]
fn every_hostile_guest_is_documented() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let documented: BTreeSet<String> =
        text.split("tests/guests/").skip(1).filter_map(|rest| Some(rest.split_once(".wat")?.0.to_owned())).collect();
    assert_eq!(documented, names(HOSTILE), "the table in docs/security.md on the left, the tests on the right");
}

/// The long-term-support line that Rust 1.95 builds. 48.0.8 has the fixes that the sandbox relies on; raise the floor
/// when an advisory names a later patch.
#[test]
fn wasmtime_is_48_0_8_or_a_later_patch() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in ["wasmtime", "wasmtime-wasi", "wasmtime-wasi-http"] {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap();
        let version = rest.split('"').next().unwrap();
        println!("{name} {version}");
        let patch = version.strip_prefix("48.0.").unwrap_or_else(|| panic!("{name} {version} is not on the line 48"));
        assert!(patch.parse::<u32>().unwrap() >= 8, "{name} {version} lacks fixes of 48.0.8");
    }
}
