//! Builds the standard plugins as components and hands them to the crate. They are compiled by a cargo of their own, in
//! a target folder of their own (`target/guests`), which development, lints, documentation and tests share; the same
//! sources give the same bytes wherever they lie.

#[path = "build/compile.rs"]
mod compile;
#[path = "build/toolchain.rs"]
mod toolchain;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use toolchain::{OVERRIDE, TARGET, Toolchain};

/// The standard plugins: the packages in `plugins/` that are embedded.
const PLUGINS: [&str; 25] = [
    "bundle",
    "concat",
    "csv-source",
    "data-quality",
    "drift",
    "evaluation-report",
    "explain",
    "fairness",
    "gbdt",
    "http-deployer",
    "http-source",
    "json-source",
    "latency-and-errors",
    "linear-model",
    "local-endpoint",
    "model-gate",
    "onnx-predictor",
    "parquet-source",
    "performance",
    "prediction-drift",
    "privacy",
    "split",
    "table-query",
    "tabular-features",
    "tree-ensemble",
];

/// Plugins of the examples: compiled by the same call, for the tests. They do not go into the binary.
const EXAMPLES: [&str; 1] = ["payments-source"];

fn main() -> ExitCode {
    match build_and_embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn build_and_embed() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let toolchain = Toolchain::find().ok_or_else(|| {
        let failure = format!("the standard plugins need the Rust target `{TARGET}`, which no toolchain here has");
        failure + "\nhint: run `cargo xtask wasm-target`"
    })?;
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    let workspace = workspace()?;
    let target_dir = guests_folder(&out_dir);

    compile::compile(&toolchain, &workspace, &target_dir)?;
    watch_sources(&workspace, &target_dir)?;
    embed(&PLUGINS, "bundle.rs", &target_dir, &out_dir)?;
    embed(&EXAMPLES, "examples.rs", &target_dir, &out_dir)
}

fn workspace() -> Result<PathBuf, String> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts"));
    let workspace = package.parent().and_then(Path::parent).expect("this package is `plugins/bundle` of its workspace");
    workspace.canonicalize().map_err(cannot("resolve", workspace))
}

/// `guests` in the target folder of the build around this one, which cargo has marked with a `CACHEDIR.TAG`.
fn guests_folder(out_dir: &Path) -> PathBuf {
    let target = out_dir.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.unwrap_or(out_dir).join("guests")
}

/// Has cargo run this again when a source of a plugin changes, a crate that it uses, or the versions of foreign ones.
/// Each component's dep-info names the files of all packages in the workspace that went into it.
fn watch_sources(workspace: &Path, target_dir: &Path) -> Result<(), String> {
    let mut watched = BTreeSet::from(["Cargo.toml", "Cargo.lock", "wit"].map(|path| workspace.join(path)));
    for plugin in PLUGINS.into_iter().chain(EXAMPLES) {
        let path = built(target_dir, plugin, "d");
        let dep_info = fs::read_to_string(&path).map_err(cannot("read", &path))?;
        // What build scripts generate follows from sources.
        for source in sources(&dep_info).filter(|source| !source.starts_with(target_dir)) {
            let manifests = source.ancestors().map(|folder| folder.join("Cargo.toml"));
            watched.extend(manifests.take_while(|path| path.starts_with(workspace)).find(|path| path.exists()));
            watched.insert(source);
        }
    }
    for path in watched {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}

/// The right-hand sides of a dep-info file, where a blank in a path is written as `\ `.
fn sources(dep_info: &str) -> impl Iterator<Item = PathBuf> {
    dep_info.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, files)| {
        let files = files.replace("\\ ", "\u{0}");
        files.split_whitespace().map(|file| PathBuf::from(file.replace('\u{0}', " "))).collect::<Vec<_>>()
    })
}

/// Copies components and writes a list of them as Rust source.
fn embed(plugins: &[&str], file: &str, target_dir: &Path, out_dir: &Path) -> Result<(), String> {
    let mut list = String::from("&[\n");
    for plugin in plugins {
        let component = built(target_dir, plugin, "wasm");
        fs::copy(&component, out_dir.join(format!("{plugin}.wasm"))).map_err(cannot("copy", &component))?;
        let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{plugin}.wasm\"))");
        writeln!(list, "    Embedded {{ name: \"{plugin}\", bytes: {bytes} }},").expect("a string takes all writes");
    }
    list.push_str("]\n");
    let path = out_dir.join(file);
    fs::write(&path, list).map_err(cannot("write", &path))
}

/// What cargo has made of a plugin: it names files after the library, which has no `-` in its name.
fn built(target_dir: &Path, plugin: &str, extension: &str) -> PathBuf {
    target_dir.join(TARGET).join(compile::PROFILE_NAME).join(plugin.replace('-', "_")).with_extension(extension)
}

fn cannot(what: &str, path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("cannot {what} `{}`: {error}", path.display())
}
