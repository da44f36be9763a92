//! What contributors run: `cargo xtask <command>`. One file a command; what they say goes to stderr, what the programs
//! they start say goes where those send it. Compiles in seconds, since it stands before everything else: it knows the
//! project's crates as command lines only.

mod ci;
mod demo;
mod plugins;
mod program;
mod test;
#[path = "../../plugins/bundle/build/toolchain.rs"]
mod toolchain;
mod wasm_target;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
usage: cargo xtask <command>

  demo [--once]           build `wasmlops`, run examples/breast-cancer in a fresh folder, run it again from the cache,
                          verify it (`--once`: return when that is done, which is all there is to do in this version)
  test [ARGUMENTS]        all tests; ARGUMENTS go to `cargo test --workspace`
  ci                      what CI asks of a change: format, lints, docs, tests
  plugins                 build the standard plugins and list them: name, version, size, digest
  wasm-target [--debian]  make sure that plugins can be built (`--debian`: from Debian's packages, even where rustup
                          could bring the target)
  help                    this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["demo"] | ["demo", "--once"] => demo::run(),
        ["test", arguments @ ..] => test::run(arguments),
        ["ci"] => ci::run(),
        ["plugins"] => plugins::run(),
        ["wasm-target"] => wasm_target::ensure(),
        ["wasm-target", "--debian"] => wasm_target::make_from_debian(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => bail!("there is no command `{}`\nhint: `cargo xtask help` lists what there is", arguments.join(" ")),
    }
}
