//! `wasmlops lineage`.

use anyhow::Result;
use wasmlops_server::lineage::{self, EdgeView};

use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text::short_digest;

pub async fn lineage(settings: &Settings, id: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let view = lineage::lineage(&host, id).await?;
    printer.data(&view, || {
        let mut text = format!("lineage of {}\n", view.id);
        for (title, edges) in [("made from", &view.upstream), ("used for", &view.downstream)] {
            if !edges.is_empty() {
                text += &format!("\n{title}:\n{}", table(edges));
            }
        }
        if view.truncated {
            text += "\nthere is more than is shown\n";
        }
        text
    })?;
    Ok(Outcome::Done)
}

fn table(edges: &[EdgeView]) -> TextTable {
    let mut table = TextTable::new(&["run", "step", "", "what", "digest"]);
    for edge in edges {
        let run = edge.run.get(..12).unwrap_or(&edge.run).to_owned();
        table.row([run, edge.step.clone(), edge.direction.clone(), edge.role.clone(), short_digest(&edge.digest)]);
    }
    table
}
