//! Gathers what is wrong, so that a user learns all of it at once. Knows nothing of columns or encodings.

use wasmlops_sdk::{Error, Result};

/// What is wrong with one thing: its part of the message, and the hint.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub what: String,
    pub hint: String,
}

impl Fault {
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// Faults, each with the configuration key or input that it stands at.
#[derive(Default)]
pub struct Problems(Vec<(String, Fault)>);

impl Problems {
    pub fn add(&mut self, at: impl Into<String>, fault: Fault) {
        self.0.push((at.into(), fault));
    }

    /// Errors: `invalid-config` at the first fault's key, with every fault and every hint once.
    pub fn refuse_config(self) -> Result<()> {
        self.refuse(Error::invalid_config)
    }

    /// As [`Problems::refuse_config`], as `invalid-input`.
    pub fn refuse_input(self) -> Result<()> {
        self.refuse(|at, message| Error::invalid_input(message).at(at))
    }

    fn refuse(self, error: impl Fn(String, String) -> Error) -> Result<()> {
        let Some((at, _)) = self.0.first() else { return Ok(()) };
        let what: Vec<&str> = self.0.iter().map(|(_, fault)| fault.what.as_str()).collect();
        let mut hints: Vec<&str> = self.0.iter().map(|(_, fault)| fault.hint.as_str()).collect();
        hints.sort_unstable();
        hints.dedup();
        let hints: String = hints.iter().map(|hint| format!("\nhint: {hint}")).collect();
        Err(error(at.clone(), format!("{}{hints}", what.join("; "))))
    }
}
