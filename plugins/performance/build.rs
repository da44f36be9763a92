//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("monitor", |kind| {
            kind.input("window", "predictions, some of them with their label")
                .optional_input("reference", "predictions with labels, for `max_drop` and to calibrate estimates")
                .output("findings", "each metric, measured and estimated")
        })
        .write();
}
