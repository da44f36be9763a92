//! Starting programs: from the workspace's root, said on stderr, and a failure is an error that names the command line.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The folder of the workspace's `Cargo.toml`.
pub fn workspace() -> PathBuf {
    // What `cargo run` says comes first: a clone may have moved since it was compiled.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().expect("`xtask` is a folder of its workspace").to_owned()
}

/// The cargo that runs this program, without what it told this program about itself: crates whose build scripts look at
/// such variables would be built anew, each time another way of calling cargo is used.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    command.args(arguments).current_dir(workspace());
    command
}

/// Says the command line, runs it, and fails if it does.
pub fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    eprintln!("xtask: {line}");
    let status = command.status().with_context(|| format!("cannot run `{line}`"))?;
    ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

/// Runs it quietly and gives what it wrote to stdout; its stderr is passed on.
pub fn output(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run `{line}`"))?;
    ensure!(output.status.success(), "`{line}` failed ({})", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something else than text"))
}

/// The command line as a person would type it: the program by its name.
fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}
