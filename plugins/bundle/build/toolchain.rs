//! Which cargo and rustc build components, and in which environment: the one answer for this crate's build script and
//! for `cargo xtask wasm-target`, which share this file. It finds toolchains and changes nothing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of every plugin: a cdylib built for it is a component.
pub const TARGET: &str = "wasm32-wasip2";

/// Names a toolchain folder (with `bin/cargo` and `bin/rustc`) that is to be used instead of what would be found.
pub const OVERRIDE: &str = "WASMLOPS_WASM_TOOLCHAIN";

/// The name under which a toolchain made by hand is linked in rustup, for `cargo +wasm`.
pub const LINKED_NAME: &str = "wasm";

/// A cargo with its compiler.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub cargo: PathBuf,
    pub rustc: PathBuf,
}

impl Toolchain {
    /// The first toolchain that can build for [`TARGET`]: the one that [`OVERRIDE`] names (and no other, if it is set),
    /// the one in use, rustup's toolchain `wasm`, the folder that `cargo xtask wasm-target` lays out.
    pub fn find() -> Option<Toolchain> {
        if let Some(folder) = env::var_os(OVERRIDE).filter(|folder| !folder.is_empty()) {
            return Some(Toolchain::in_folder(Path::new(&folder))).filter(Toolchain::has_target);
        }
        let made_by_hand = || linked_folder().into_iter().chain(laid_out_folder());
        std::iter::once(Toolchain::in_use())
            .chain(made_by_hand().map(|folder| Toolchain::in_folder(&folder)))
            .find(Toolchain::has_target)
    }

    /// The cargo that runs this program, and its compiler.
    pub fn in_use() -> Toolchain {
        let program = |name: &str, default: &str| env::var_os(name).unwrap_or_else(|| default.into()).into();
        Toolchain { cargo: program("CARGO", "cargo"), rustc: program("RUSTC", "rustc") }
    }

    pub fn in_folder(folder: &Path) -> Toolchain {
        Toolchain { cargo: folder.join("bin/cargo"), rustc: folder.join("bin/rustc") }
    }

    /// Where the compiler keeps its libraries; `None` where it cannot be run.
    pub fn sysroot(&self) -> Option<PathBuf> {
        Some(PathBuf::from(self.ask_rustc(&["--print", "sysroot"])?.trim_end()))
    }

    /// Whether the standard library for [`TARGET`] is there.
    pub fn has_target(&self) -> bool {
        let Some(sysroot) = self.sysroot() else { return false };
        let Ok(entries) = sysroot.join("lib/rustlib").join(TARGET).join("lib").read_dir() else { return false };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }

    /// What the compiler answers; `None` where it cannot be run.
    pub fn ask_rustc(&self, arguments: &[&str]) -> Option<String> {
        let output =
            Command::new(&self.rustc).args(arguments).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    }
}

/// Where `cargo xtask wasm-target` puts a toolchain that it makes from Debian's packages.
pub fn laid_out_folder() -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os("HOME")?).join(".local/share/wasmlops/wasm-toolchain"))
}

fn linked_folder() -> Option<PathBuf> {
    let output = Command::new("rustup").args(["which", "--toolchain", LINKED_NAME, "rustc"]).output().ok()?;
    let rustc = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(Path::new(rustc.trim_end()).parent()?.parent()?.to_owned())
}
