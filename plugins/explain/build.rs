//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("validator", |kind| {
            kind.input("table", "held-out rows, with the column that the model predicts")
                .input("model", "the model under test")
                .output("report", "the reliability table, the slices where it is worst, and each column's importance")
        })
        .write();
}
