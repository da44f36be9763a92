//! `wasmlops gc`: what retention lets go, and the bytes that nothing names any more.

use anyhow::Result;
use wasmlops_core::config::format_size;
use wasmlops_server::gc::{self, GcView};

use crate::args::GcArgs;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

pub async fn gc(settings: &Settings, args: GcArgs, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let view = match args.dry_run {
        true => gc::preview(&host).await?,
        false => gc::collect(&host, &settings.actor()).await?,
    };
    printer.data(&view, || text(&view))?;
    Ok(Outcome::Done)
}

fn text(view: &GcView) -> String {
    let mut table = TextTable::new(&["what", ">count", ">bytes", "why"]);
    for class in &view.classes {
        let bytes = class.bytes.map_or_else(super::text::dash, format_size);
        table.row([class.what.clone(), class.count.to_string(), bytes, class.reason.clone()]);
    }
    let done = if view.dry_run { "nothing was removed (dry run)" } else { "removed" };
    if view.classes.is_empty() { "nothing to remove".to_owned() } else { format!("{table}\n{done}") }
}
