//! The only writer to standard output and standard error: data on the one, talk on the other, readable without colour.

mod table;

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use wasmlops_core::diagnostics::Diagnostic;
use wasmlops_server::error::Error;
use wasmlops_store::StoreError;

pub use table::TextTable;

/// How a command ended, when nothing went wrong with the command itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    /// A step or a gate failed, or a verification found a difference.
    WorkFailed,
}

impl Outcome {
    pub fn code(self) -> ExitCode {
        match self {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::WorkFailed => ExitCode::from(1),
        }
    }
}

pub struct Printer {
    json: bool,
    quiet: bool,
}

impl Printer {
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether programs read the output.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person watches: no JSON, not quiet, standard error is a terminal.
    pub fn is_watched(&self) -> bool {
        !self.json && !self.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr())
    }

    /// The command's result: as JSON for programs, or as `text` for people.
    pub fn data(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { text() };
        self.bytes((text.trim_end().to_owned() + "\n").as_bytes())
    }

    /// Raw bytes to standard output. A reader that has gone away, such as `head`, is no fault.
    pub fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Talk, for people only.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.json && !self.quiet {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// What must be seen now or is lost: also where nothing else is said.
    pub fn notice(&self, text: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// An error, and the exit code for it: 2 for the user's mistakes, 3 for the host's.
    pub fn error(&self, error: &anyhow::Error) -> ExitCode {
        let (code, problems) = sort(error);
        if self.json {
            let first = problems.first();
            let document = if problems.len() > 1 {
                json!({ "error": first, "errors": problems })
            } else {
                json!({ "error": first })
            };
            let _ = self.bytes(format!("{document:#}\n").as_bytes());
        } else {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let _ = writeln!(std::io::stderr(), "{}", texts.join("\n\n"));
        }
        ExitCode::from(code)
    }
}

fn sort(error: &anyhow::Error) -> (u8, Vec<Diagnostic>) {
    match error.downcast_ref::<Error>() {
        Some(Error::User(diagnostics)) => (2, diagnostics.0.clone()),
        Some(Error::Store(error)) => of_store(error),
        _ => match error.downcast_ref::<StoreError>() {
            Some(error) => of_store(error),
            None => (3, vec![Diagnostic::new("host", format!("{error:#}"))]),
        },
    }
}

fn of_store(error: &StoreError) -> (u8, Vec<Diagnostic>) {
    let users = matches!(
        error,
        StoreError::RunNotFound(_)
            | StoreError::NothingResolved(_)
            | StoreError::Ambiguous { .. }
            | StoreError::BadPrefix(_)
            | StoreError::StatusConflict { .. }
    );
    let (exit, code) = if users { (2, "not-found") } else { (3, "store") };
    let mut diagnostic = Diagnostic::new(code, error.to_string());
    diagnostic.hint = error.hint().map(str::to_owned);
    (exit, vec![diagnostic])
}
