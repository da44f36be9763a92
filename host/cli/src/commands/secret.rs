//! `wasmlops secret set|list|remove`. A value comes in on standard input alone: arguments and the environment can be
//! read by others.

use std::io::{IsTerminal, Read};

use anyhow::{Context, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::json;
use wasmlops_server::secrets;
use zeroize::Zeroizing;

use crate::args::SecretCommand;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

/// A byte more than a secret can have is enough to see that it is too long.
const MOST: u64 = (64 << 10) + 3;

pub async fn run(settings: &Settings, command: SecretCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        SecretCommand::Set { name } => set(settings, &name, printer).await,
        SecretCommand::List => list(settings, printer).await,
        SecretCommand::Remove { name } => remove(settings, &name, printer).await,
    }
}

async fn set(settings: &Settings, name: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let value = read(printer)?;
    let short = value.len() < 8;
    let is_new = secrets::set(&host, name, value, &settings.actor()).await?;
    host.store.barrier().await?;
    if short {
        printer.say("note: a secret with less than 8 bytes is not looked for in logs and outputs");
    }
    printer.data(&json!({ "secret": name, "new": is_new }), || match is_new {
        true => format!("secret `{name}` is set"),
        false => format!("secret `{name}` has a new value"),
    })?;
    Ok(Outcome::Done)
}

async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let secrets = secrets::list(&host).await?;
    printer.data(&json!({ "secrets": secrets }), || {
        let mut table = TextTable::new(&["secret", "set", "by"]);
        for secret in &secrets {
            table.row([secret.name.clone(), secret.updated.clone(), secret.by.clone()]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

async fn remove(settings: &Settings, name: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    secrets::remove(&host, name, &settings.actor()).await?;
    host.store.barrier().await?;
    printer.data(&json!({ "secret": name, "removed": true }), || format!("secret `{name}` is removed"))?;
    Ok(Outcome::Done)
}

/// What comes on standard input; from a terminal one line, which it does not show.
pub fn read(printer: &Printer) -> Result<Zeroizing<Vec<u8>>> {
    let mut input = std::io::stdin();
    let mut value = Zeroizing::new(Vec::with_capacity(MOST as usize));
    if input.is_terminal() {
        printer.say("the value, then Enter (it is not shown):");
        let _hidden = Hidden::start()?;
        let mut line = Zeroizing::new(String::new());
        input.read_line(&mut line).context("cannot read the value")?;
        value.extend_from_slice(line.as_bytes());
    } else {
        input.by_ref().take(MOST).read_to_end(&mut value).context("cannot read the value")?;
    }
    for end in [b"\n".as_slice(), b"\r"] {
        if value.ends_with(end) {
            let length = value.len() - 1;
            value.truncate(length);
        }
    }
    Ok(value)
}

/// While it lives the terminal does not show what is typed.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn start() -> Result<Self> {
        let before = tcgetattr(std::io::stdin()).context("cannot ask the terminal how it is set")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent)
            .context("cannot keep the terminal from showing")?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that has gone away needs no setting back.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}
