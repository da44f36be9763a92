//! `log`: lines for the step's log.

use wasmlops_core::call::LogLevel;

use crate::bindings::imports::log::{Host, Level};
use crate::state::State;

impl Host for State {
    fn write(&mut self, level: Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let bytes = fields.iter().fold(message.len(), |sum, (name, value)| sum + name.len() + value.len());
        self.watch.host_call(bytes)?;
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.log.write(level, &message, &fields);
        Ok(())
    }
}
