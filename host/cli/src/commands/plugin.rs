//! `wasmlops plugin list|inspect`.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_package::Component;
use wasmlops_server::error::Error;
use wasmlops_server::plugins::{Origin, Plugin};

use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text::short_digest;

pub async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let plugins: Vec<&Plugin> = host.plugins.iter().collect();
    let views: Vec<Value> = plugins.iter().map(|plugin| row(plugin)).collect();
    printer.data(&json!({ "plugins": views }), || {
        let mut table = TextTable::new(&["plugin", "version", "kinds", "digest", "from", "description"]);
        for plugin in &plugins {
            table.row([
                plugin.info.name.to_string(),
                plugin.info.version.to_string(),
                kinds(&plugin.component),
                short_digest(&plugin.info.digest.to_string()),
                origin(&plugin.origin),
                plugin.info.manifest.description.clone(),
            ]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

fn row(plugin: &Plugin) -> Value {
    json!({
        "name": plugin.info.name, "version": plugin.info.version, "kinds": plugin.info.kinds,
        "digest": plugin.info.digest, "from": origin(&plugin.origin), "description": plugin.info.manifest.description,
    })
}

pub async fn inspect(settings: &Settings, name: &str, printer: &Printer) -> Result<Outcome> {
    let component = if name.ends_with(".wasm") {
        from_file(&settings.folder.join(name))?
    } else {
        let host = settings.host().await?;
        let known = host.plugins.iter().find(|plugin| plugin.info.name.as_str() == name);
        let known = known.map(|plugin| (*plugin.component).clone());
        known.ok_or_else(|| {
            let hint = "`wasmlops plugin list` shows those there are; a component's file ends in `.wasm`";
            Error::user("unknown-plugin", format!("there is no plugin `{name}`"), hint)
        })?
    };
    let view = json!({
        "name": component.manifest.name, "version": component.manifest.version, "digest": component.digest,
        "size": component.size, "kinds": component.kinds, "contract": component.contract,
        "imports": component.imports, "manifest": component.manifest,
    });
    printer.data(&view, || text(&component))?;
    Ok(Outcome::Done)
}

fn from_file(path: &Path) -> Result<Component> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| {
        Error::user("plugin-unreadable", format!("cannot read `{shown}`: {error}"), "check the path")
    })?;
    let component = Component::inspect(&bytes).map_err(|error| {
        Error::user("invalid-plugin", format!("`{shown}`: {error}"), "build it with a Wasmlops SDK")
    })?;
    Ok(component)
}

fn text(component: &Component) -> String {
    let manifest = &component.manifest;
    let mut text = format!(
        "{} {}: {}\n\ndigest    {}\nsize      {} bytes\ncontract  {}\nlicence   {}\n",
        manifest.name,
        manifest.version,
        manifest.description,
        component.digest,
        component.size,
        component.contract,
        manifest.license.as_deref().unwrap_or("-"),
    );
    for (kind, described) in &manifest.kinds {
        text += &format!("\n{kind}\n");
        for (word, ports) in [("input", &described.inputs), ("output", &described.outputs)] {
            for port in ports {
                let optional = if port.optional { " (optional)" } else { "" };
                text += &format!("  {word:<7} {}{optional}: {}\n", port.name, port.description);
            }
        }
        for (key, schema) in described.config["properties"].as_object().into_iter().flatten() {
            let meaning = schema["description"].as_str().unwrap_or("").replace('\n', " ");
            text += &format!("  with    {key}: {meaning}\n");
        }
    }
    let asks: Vec<String> =
        manifest.capabilities.iter().map(|asked| format!("  {}: {}\n", asked.name, asked.why)).collect();
    text += &format!("\nasks for\n{}", if asks.is_empty() { "  nothing\n".to_owned() } else { asks.concat() });
    text + "\nimports\n  " + &component.imports.join("\n  ") + "\n"
}

fn kinds(component: &Component) -> String {
    component.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::BuiltIn => "built in".to_owned(),
        Origin::File(path) => path.as_str().to_owned(),
        Origin::Kept => "artifact store".to_owned(),
    }
}
