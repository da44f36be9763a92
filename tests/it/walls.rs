//! The walls of the house: which crate may know which, what stays out of the pure ones, and that every module says what
//! it is for. A new edge between crates is a decision: make it here, in the commit that needs it, and say why there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// What each crate, by its folder, may depend on inside the workspace, be it to run or to build. The first line that fits
/// a folder counts: `plugins/*` stands for every plugin.
const MAY_USE: &[(&str, &[&str])] = &[
    ("registry/package", &[]),
    ("registry/catalog", &["registry/package"]),
    ("host/core", &["registry/package"]),
    ("host/engine", &["host/core", "registry/package"]),
    ("host/store", &["host/core", "registry/package"]),
    ("host/server", &["host/engine", "host/store", "host/core", "registry/catalog", "registry/package"]),
    // The composition root.
    ("host/cli", &["host/server", "host/engine", "host/store", "host/core", "registry/package", "plugins/bundle"]),
    ("sdk/rust", &[]),
    ("sdk/statistics", &["sdk/rust"]),
    ("sdk/formats", &["sdk/rust"]),
    // It builds the plugins and embeds their bytes; it links none of them.
    ("plugins/bundle", &[]),
    ("plugins/*", &["sdk/rust", "sdk/statistics", "sdk/formats"]),
    // What a team writes knows what plugin authors know.
    ("examples/payments/source", &["sdk/rust"]),
    ("tests", &[]),
    ("xtask", &[]),
];

/// What tests may use beyond that.
const TESTS_MAY_USE: &[(&str, &[&str])] = &[
    ("plugins/bundle", &["registry/package"]),
    (
        "tests",
        &[
            "host/server",
            "host/engine",
            "host/store",
            "host/core",
            "registry/catalog",
            "registry/package",
            "plugins/bundle",
            "plugins/*",
            "sdk/rust",
        ],
    ),
];

/// Foreign crates, by the beginning of their names, that only these folders may name.
const KEPT_INSIDE: &[(&str, &[&str])] =
    &[("wasmtime", &["host/engine"]), ("sqlx", &["host/store", "registry/catalog"])];

/// Crates that decide and do nothing, and what must not be among the crates that they are built from.
const PURE: &[&str] = &["wasmlops-package", "wasmlops-core", "wasmlops-sdk"];
const KEPT_OUT_OF_PURE: &[&str] = &["tokio", "sqlx", "wasmtime"];

/// Words that do not stand in the product's code below these folders.
const NOT_SAID_IN: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["host/core", "host/store", "registry"]),
    // The store's writer times its commits.
    ("Instant::now", &["host/core", "registry"]),
    ("std::fs", &["host/core", "registry/package"]),
    ("std::net", &["host/core", "registry/package"]),
    ("std::thread", &["host/core", "registry/package"]),
    // The command line is the only reader of the environment.
    ("env::var", &["host/core", "host/engine", "host/store", "host/server", "registry"]),
];

#[test]
fn crates_know_only_what_lies_below_them() {
    let mut problems = Vec::new();
    for package in packages() {
        for dependency in &package.dependencies {
            let Some(used) = &dependency.folder else { continue };
            let test_only = dependency.kind.as_deref() == Some("dev");
            let allowed = is_allowed(MAY_USE, &package.folder, used)
                || (test_only && is_allowed(TESTS_MAY_USE, &package.folder, used));
            if !allowed {
                problems.push(format!("`{}` must not depend on `{used}`", package.folder));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn every_crate_has_its_place() {
    let known = |folder: &str| MAY_USE.iter().any(|(pattern, _)| matches(pattern, folder));
    let strangers = packages().into_iter().map(|package| package.folder).filter(|folder| !known(folder));
    assert_none(&strangers.map(|folder| format!("`{folder}` is not in the list of edges")).collect::<Vec<_>>());
}

#[test]
fn wasmtime_and_sql_stay_in_their_crates() {
    let mut problems = Vec::new();
    for package in packages() {
        for (crates, folders) in KEPT_INSIDE {
            let uses = package.dependencies.iter().any(|dependency| dependency.name.starts_with(crates));
            if uses && !folders.contains(&package.folder.as_str()) {
                problems.push(format!("`{}` must not name `{crates}`", package.folder));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn pure_crates_are_built_from_pure_ones() {
    let mut problems = Vec::new();
    for package in PURE {
        let tree =
            ["tree", "--offline", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
        for line in cargo(&tree).lines() {
            let name = line.split_whitespace().next().unwrap_or_default();
            if KEPT_OUT_OF_PURE.iter().any(|crates| name.starts_with(crates)) {
                problems.push(format!("`{package}` depends on `{name}`: `cargo tree -p {package} -i {name}` says how"));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn clock_files_and_environment_stay_outside() {
    let mut problems = Vec::new();
    for (word, folders) in NOT_SAID_IN {
        let files = folders.iter().flat_map(|folder| rust_files(&workspace().join(folder)));
        for file in files.filter(|file| is_product(file)) {
            let text = fs::read_to_string(&file).expect("a source file is text");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            if code.contains(word) {
                problems.push(format!("`{}` must not use `{word}`", file.display()));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn every_module_says_what_it_is_for() {
    let mut problems = Vec::new();
    for folder in ["host", "registry", "sdk", "plugins", "examples", "xtask", "tests"] {
        for file in rust_files(&workspace().join(folder)) {
            let text = fs::read_to_string(&file).expect("a source file is text");
            if !text.starts_with("//!") {
                problems.push(format!("`{}` does not begin with a `//!` line", file.display()));
            }
        }
    }
    assert_none(&problems);
}

/// One version of the contract is current: its folder is the newest, its files say so, and the SDK and the engine are
/// built from it.
#[test]
fn sdk_and_engine_speak_the_newest_contract() {
    let folders = fs::read_dir(workspace().join("wit")).expect("the contract is in `wit`");
    let folders = folders.map(|entry| entry.expect("a readable folder").path()).filter(|path| path.is_dir());
    let version = |path: &PathBuf| -> Vec<u64> {
        let name = path.file_name().expect("a name").to_string_lossy();
        name.split('.').map(|number| number.parse().expect("folders in `wit` are named x.y.z")).collect()
    };
    let newest = folders.max_by_key(version).expect("there is a version of the contract");
    let name = newest.file_name().expect("a name").to_string_lossy();

    for file in fs::read_dir(&newest).expect("a readable folder") {
        let file = file.expect("a readable folder").path();
        let text = fs::read_to_string(&file).expect("WIT is text");
        assert!(
            text.contains(&format!("package wasmlops:plugin@{name};")),
            "`{}` is of another version",
            file.display()
        );
    }
    for bindings in ["sdk/rust/src/bindings.rs", "host/engine/src/bindings.rs"] {
        let text = fs::read_to_string(workspace().join(bindings)).expect("bindings are generated there");
        let paths: Vec<_> = text.match_indices("/wit/").map(|(at, _)| &text[at + 5..]).collect();
        assert!(!paths.is_empty(), "`{bindings}` names no folder in `wit`");
        assert!(paths.iter().all(|path| path.starts_with(&*name)), "`{bindings}` is not generated from `wit/{name}`");
    }
}

struct Package {
    folder: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// Its folder, if it is one of ours.
    folder: Option<String>,
    /// `dev` or `build`.
    kind: Option<String>,
}

/// The crates of the workspace.
fn packages() -> Vec<Package> {
    let text = cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo writes JSON");
    let root = PathBuf::from(metadata["workspace_root"].as_str().expect("a workspace has a root"));
    let folder = |path: &Path| {
        path.strip_prefix(&root).expect("our crates lie in the workspace").to_string_lossy().replace('\\', "/")
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |value: &Value| value.as_array().cloned().expect("a list");

    let dependency = |value: &Value| Dependency {
        name: text(&value["name"]).expect("a dependency has a name"),
        folder: value["path"].as_str().map(|path| folder(Path::new(path))),
        kind: text(&value["kind"]),
    };
    let package = |value: &Value| Package {
        folder: folder(Path::new(value["manifest_path"].as_str().expect("a path")).parent().expect("a folder")),
        dependencies: list(&value["dependencies"]).iter().map(dependency).collect(),
    };
    list(&metadata["packages"]).iter().map(package).collect()
}

fn is_allowed(list: &[(&str, &[&str])], user: &str, used: &str) -> bool {
    let entry = list.iter().find(|(pattern, _)| matches(pattern, user));
    entry.is_some_and(|(_, patterns)| patterns.iter().any(|pattern| matches(pattern, used)))
}

fn matches(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(parent) => folder.starts_with(parent),
        None => folder == pattern,
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() && path.file_name() != Some("target".as_ref()) {
            files.extend(rust_files(&path));
        } else if path.extension() == Some("rs".as_ref()) {
            files.push(path);
        }
    }
    files
}

/// Code that is part of the product: no test, example or benchmark.
fn is_product(file: &Path) -> bool {
    let below = |folder: &str| file.components().any(|part| part.as_os_str() == folder);
    below("src") && !below("tests") && file.file_stem() != Some("tests".as_ref())
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(workspace()).output().expect("cargo runs tests");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes text")
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("`tests` is a folder of the workspace")
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
