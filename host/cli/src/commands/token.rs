//! `wasmlops token create|list|revoke`, on the project's own store: whoever can write there may give any access.

use anyhow::Result;
use serde_json::json;
use wasmlops_core::access::{Rights, Role};
use wasmlops_server::access::tokens::{self, NewToken, TokenView};

use crate::args::TokenCommand;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

pub async fn run(settings: &Settings, command: TokenCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        TokenCommand::Create { name, role, scopes, expires } => {
            create(settings, &name, Rights { role, scopes }, expires.as_deref(), printer).await
        }
        TokenCommand::List => list(settings, printer).await,
        TokenCommand::Revoke { id, force } => revoke(settings, &id, force, printer).await,
    }
}

async fn create(
    settings: &Settings,
    name: &str,
    rights: Rights,
    expires: Option<&str>,
    printer: &Printer,
) -> Result<Outcome> {
    let host = settings.host().await?;
    let expires = expires.map(|text| tokens::expiry(&host, text)).transpose()?;
    let new = NewToken { name: name.to_owned(), rights, expires };
    let created = tokens::create(&host, new, &Rights::of(Role::Admin), &settings.actor()).await?;
    host.store.barrier().await?;
    printer.say(format!("token {} `{}`: keep it now, it is not shown again", created.view.id, created.view.name));
    printer.data(&created, || created.token.clone())?;
    Ok(Outcome::Done)
}

async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let tokens = tokens::list(&host).await?;
    printer.data(&json!({ "tokens": tokens }), || {
        let mut table = TextTable::new(&["id", "name", "role", "scopes", "status", "expires", "last used"]);
        for token in &tokens {
            table.row(row(token));
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

async fn revoke(settings: &Settings, id: &str, force: bool, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let token = tokens::revoke(&host, id, force, &settings.actor()).await?;
    host.store.barrier().await?;
    printer.data(&token, || format!("token {} `{}` is revoked", token.id, token.name))?;
    Ok(Outcome::Done)
}

fn row(token: &TokenView) -> [String; 7] {
    let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
    let status = format!("{:?}", token.status).to_lowercase();
    let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
    let scopes = if scopes.is_empty() { "all".to_owned() } else { scopes.join(",") };
    let (id, name, role) = (token.id.clone(), token.name.clone(), token.role.to_string());
    [id, name, role, scopes, status, time(&token.expires), time(&token.last_used)]
}
