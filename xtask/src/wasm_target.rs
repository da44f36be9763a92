//! `cargo xtask wasm-target`: makes sure that plugins can be built, and says what it did. Nothing happens where they
//! can; else rustup is asked for the target; else a toolchain is made from Debian's packages.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::program;
use crate::toolchain::{OVERRIDE, TARGET, Toolchain, laid_out_folder};

pub fn ensure() -> Result<()> {
    if let Some(toolchain) = Toolchain::find() {
        eprintln!("xtask: {TARGET} is there; plugins are built by {}", toolchain.cargo.display());
        return Ok(());
    }
    if let Some(folder) = env::var_os(OVERRIDE).filter(|folder| !folder.is_empty()) {
        bail!("`{OVERRIDE}` names `{}`, which cannot build for `{TARGET}`\nhint: unset it", folder.display());
    }
    let Err(no_rustup) = add_with_rustup() else { return Ok(()) };
    eprintln!("xtask: {no_rustup:#}; trying Debian's packages");
    let Err(no_debian) = make_from_debian() else { return Ok(()) };
    bail!(
        "plugins cannot be built: no toolchain has the target `{TARGET}`\n  rustup: {no_rustup:#}\n  Debian: \
         {no_debian:#}\nhint: on a machine with network run `rustup target add {TARGET}`; without, unpack \
         `rust-std-<version>-{TARGET}` from https://static.rust-lang.org/dist into the sysroot that `rustc --print \
         sysroot` names; or set `{OVERRIDE}` to the folder of a toolchain that has the target"
    )
}

/// Builds a toolchain from Debian's packages (`xtask/wasm-target-debian.sh`), even where another one would do.
pub fn make_from_debian() -> Result<()> {
    let folder = laid_out_folder().context("`HOME` is not set")?;
    program::run(Command::new(program::workspace().join("xtask/wasm-target-debian.sh")).arg(&folder))?;
    ensure!(
        Toolchain::in_folder(&folder).has_target(),
        "the toolchain in `{}` still cannot build for `{TARGET}`: this is a bug in xtask/wasm-target-debian.sh",
        folder.display()
    );
    eprintln!("xtask: made a toolchain with {TARGET} in {}", folder.display());
    if Toolchain::in_use().has_target() {
        eprintln!(
            "xtask: the toolchain in use has the target, too, and goes first; `{OVERRIDE}={}` uses the other one",
            folder.display()
        );
    }
    Ok(())
}

fn add_with_rustup() -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    if let Some(name) = env::var_os("RUSTUP_TOOLCHAIN") {
        rustup.arg("--toolchain").arg(name);
    }
    program::run(&mut rustup)?;
    let sysroot = Toolchain::in_use().sysroot().unwrap_or_else(|| PathBuf::from("?"));
    ensure!(Toolchain::in_use().has_target(), "rustup does not manage the toolchain in use, `{}`", sysroot.display());
    eprintln!("xtask: added {TARGET} to {}", sysroot.display());
    Ok(())
}
