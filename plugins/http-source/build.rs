//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("data-source", |kind| {
            kind.output("table", "the rows").output("report", "rows read, which version of the resource, its SHA-256")
        })
        .capability("http", "fetches what `url` names")
        .write();
}
