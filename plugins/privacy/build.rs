//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("validator", |kind| {
            kind.input("table", "the rows to look through").output("report", "the columns that look like personal data")
        })
        .write();
}
