//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("data-source", |kind| {
            kind.output("table", "the files' rows").output("report", "rows read, and what was odd")
        })
        .capability("read", "reads the Parquet files that `path` names")
        .write();
}
