//! What contributors run: `cargo xtask <command>`. One file a command; what they say goes to stderr, what the programs
//! they start say goes where those send it. Compiles in seconds, since it stands before everything else: it knows the
//! project's crates as command lines only.

mod bench;
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

  demo [--once]           build `wasmlops` and close the loop on examples/breast-cancer: train, gate, deploy, serve, find
                          drift, retrain, canary, promote, roll back, trace; then serve on (`--once`: return instead;
                          `--once --binary FILE`: with a `wasmlops` that is built already)
  test [ARGUMENTS]        all tests; ARGUMENTS go to `cargo test --workspace`
  ci                      what CI asks of a change: format, lints, docs, tests
  bench [--dev] [--python FILE] [NAME…]
                          measure serving and monitoring, as docs/benchmarks.md says: predict, batches, swap, drift,
                          footprint, api, mlflow (`--dev`: with the dev profile; FILE: a Python with Evidently or MLflow)
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

fn demo_options(arguments: &[&str]) -> Result<demo::Options> {
    match arguments {
        [] => Ok(demo::Options { once: false, binary: None }),
        ["--once"] => Ok(demo::Options { once: true, binary: None }),
        ["--once", "--binary", binary] => Ok(demo::Options { once: true, binary: Some(binary.into()) }),
        _ => bail!("`demo` takes `--once`, and after it `--binary FILE`"),
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["demo", options @ ..] => demo::run(demo_options(options)?),
        ["test", arguments @ ..] => test::run(arguments),
        ["ci"] => ci::run(),
        ["bench", arguments @ ..] => bench::run(arguments),
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
