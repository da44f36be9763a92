//! A project in a temporary folder, and the built binary to work on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// The binary that `cargo xtask test` has built beside this one.
pub fn binary() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let binary = deps.parent().and_then(Path::parent).unwrap().join("wasmlops");
    assert!(binary.is_file(), "`{}` is not built: run `cargo xtask test`", binary.display());
    binary
}

/// A project; its folder goes with it.
pub struct TestProject {
    pub folder: tempfile::TempDir,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Bytes that are no text are shown as well as can be.
    pub fn of(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}

impl TestProject {
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A copy of `examples/<name>`.
    pub fn example(name: &str) -> Self {
        let project = Self::empty();
        copy(&workspace().join("examples").join(name), project.path());
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// Replaces a text that must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no `{from}`");
        self.write(file, &text.replacen(from, to, 1));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub fn wasmlops(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// The JSON that a command prints; it must end with this code.
    pub fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let ended = self.wasmlops(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, Some(code), "{arguments:?}\n{}\n{}", ended.stdout, ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// The JSON that a command prints, whether its work succeeded or failed.
    pub fn json_maybe(&self, arguments: &[&str]) -> Value {
        let ended = self.wasmlops(&[arguments, &["--json"]].concat());
        assert!(matches!(ended.code, Some(0 | 1)), "{arguments:?}\n{}\n{}", ended.stdout, ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

/// The step of that name in a run, a plan or a verification.
pub fn step<'a>(view: &'a Value, name: &str) -> &'a Value {
    let steps = view["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("no step `{name}` in {view:#}"))
}

/// A field of every step, by the step's name.
pub fn each<'a>(view: &'a Value, field: &str) -> Vec<(&'a str, &'a str)> {
    let steps = view["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap(), step[field].as_str().unwrap_or("-"))).collect()
}

/// The same, without the example's steps that compute nothing: its deployment is an effect, and the two others bring in
/// what is there, which is nothing in a new project.
pub fn each_computed<'a>(view: &'a Value, field: &str) -> Vec<(&'a str, &'a str)> {
    let others = ["deploy", "recent", "breast-cancer@champion"];
    each(view, field).into_iter().filter(|(step, _)| !others.contains(step)).collect()
}

/// The digests of all outputs of a run, by step and name, but for deployments, which are never the same.
pub fn digests(run: &Value) -> Vec<(String, String)> {
    let mut digests = Vec::new();
    for step in run["steps"].as_array().unwrap().iter().filter(|step| step["step"] != "deploy") {
        for (name, output) in step["outputs"].as_object().unwrap() {
            let key = format!("{}.{name}", step["step"].as_str().unwrap());
            digests.push((key, output["digest"].as_str().unwrap().to_owned()));
        }
    }
    digests
}

/// A folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
