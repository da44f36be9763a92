//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("data-source", |kind| {
            kind.output("table", "the file's rows").output("report", "rows read, bad rows and where they are")
        })
        .capability("read", "reads the CSV file that `path` names")
        .write();
}
