//! The whole loop, as `cargo xtask demo` shows it: the command checks every stage itself, here its transcript is read.

use std::process::{Command, Stdio};

use crate::support::binary;

#[test]
fn the_loop_closes() {
    let wasmlops = binary();
    let xtask = wasmlops.with_file_name("xtask");
    assert!(xtask.is_file(), "`{}` is not built: run `cargo xtask test`", xtask.display());
    let mut demo = Command::new(xtask);
    demo.args(["demo", "--once", "--binary"]).arg(wasmlops).stdin(Stdio::null());
    let ended = demo.output().unwrap();
    let transcript = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{transcript}");
    let stages = [
        "train version 1",
        "verify: the first run",
        "serve: version 1",
        "the monitors find nothing",
        "everything measures larger: drift",
        "retrains on them",
        "its share grows",
        "what was live when",
        "from one prediction to the data behind it",
        "done in",
    ];
    let mut rest = transcript.as_str();
    for stage in stages {
        let at = rest.find(stage).unwrap_or_else(|| panic!("no `{stage}` in\n{transcript}"));
        rest = &rest[at..];
    }
    assert!(transcript.contains("file:data/breast-cancer.csv"), "{transcript}");
}
