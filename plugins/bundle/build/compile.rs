//! One call of cargo that compiles the standard plugins, such that the bytes depend on the sources and the compiler
//! alone: not on folders, nor on the settings of the build around this one, nor on those of the machine.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::toolchain::{TARGET, Toolchain};
use crate::{EXAMPLES, PLUGINS};

/// Also the name of the folder below the target's, where cargo puts components.
pub const PROFILE_NAME: &str = "guest";

/// How plugins are compiled: fast code first, then small. They abort on a panic, after its message was written, since
/// the host drops an instance that has trapped anyway.
const PROFILE: [&str; 6] = [
    "profile.guest.inherits='release'",
    "profile.guest.opt-level=3",
    "profile.guest.lto=true",
    "profile.guest.codegen-units=1",
    "profile.guest.panic='abort'",
    "profile.guest.strip='debuginfo'",
];

/// Builds the components of [`PLUGINS`] and [`EXAMPLES`] into the target folder.
pub fn compile(toolchain: &Toolchain, workspace: &Path, target_dir: &Path) -> Result<(), String> {
    let mut cargo = clean_cargo(toolchain);
    cargo.current_dir(workspace);
    cargo.args(["build", "--locked", "--lib", "--target", TARGET, "--profile", PROFILE_NAME]);
    cargo.arg("--target-dir").arg(target_dir);
    for setting in PROFILE {
        cargo.args(["--config", setting]);
    }
    for plugin in PLUGINS.into_iter().chain(EXAMPLES) {
        cargo.args(["--package", plugin]);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags(toolchain, workspace).join("\u{1f}"));

    let status = cargo.status().map_err(|error| format!("cannot run `{}`: {error}", toolchain.cargo.display()))?;
    if status.success() { Ok(()) } else { Err(format!("the standard plugins do not build ({status})")) }
}

/// SIMD, and names instead of the folders that differ between machines. Where several prefixes fit, the last one wins.
fn rustflags(toolchain: &Toolchain, workspace: &Path) -> Vec<String> {
    let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
    let mut remap = |from: &Path, to: &str| flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    remap(workspace, "/wasmlops");
    if let Some(cargo_home) = cargo_home() {
        remap(&cargo_home, "/cargo");
        // A folder per registry: a mirror of crates.io has another name and the same crates.
        // Sorted, since cargo compiles anew where flags differ.
        let registries = fs::read_dir(cargo_home.join("registry/src")).into_iter().flatten().flatten();
        for registry in registries.map(|registry| registry.path()).collect::<BTreeSet<_>>() {
            remap(&registry, "/crates");
        }
    }
    if let (Some(sysroot), Some(commit)) = (toolchain.sysroot(), commit(toolchain)) {
        // With the component `rust-src`, the compiler would name the standard library's sources where they lie.
        remap(&sysroot.join("lib/rustlib/src/rust"), &format!("/rustc/{commit}"));
    }
    flags
}

fn cargo_home() -> Option<PathBuf> {
    let default = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default)
}

/// The toolchain's cargo, with nothing in its environment that would make the same sources give other bytes.
fn clean_cargo(toolchain: &Toolchain) -> Command {
    let mut command = Command::new(&toolchain.cargo);
    for (name, _) in env::vars_os().filter(|(name, _)| belongs_to_outer_build(name)) {
        command.env_remove(name);
    }
    command.env("RUSTC", &toolchain.rustc);
    command
}

/// Compilers, wrappers, flags and profiles of the build around this one (clippy's and rustdoc's among them), and what
/// cargo tells build scripts. What says how to reach the network, where cargo's home is and how many jobs may run stays.
fn belongs_to_outer_build(name: &OsStr) -> bool {
    const KEPT: [&str; 8] = [
        "CARGO_HOME",
        "CARGO_MAKEFLAGS",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTRY_",
        "CARGO_REGISTRIES_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const DROPPED: [&str; 7] = ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CLIPPY_", "DEP_", "__CARGO"];
    const DROPPED_WHOLE: [&str; 7] = ["TARGET", "HOST", "OUT_DIR", "PROFILE", "OPT_LEVEL", "DEBUG", "NUM_JOBS"];

    let Some(name) = name.to_str() else { return false };
    let starts_with_any = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    !starts_with_any(&KEPT) && (starts_with_any(&DROPPED) || DROPPED_WHOLE.contains(&name))
}

/// The standard library's commit: its sources are known as `/rustc/<commit>/library/...`.
fn commit(toolchain: &Toolchain) -> Option<String> {
    let version = toolchain.ask_rustc(&["--version", "--verbose"])?;
    version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).map(str::to_owned)
}
