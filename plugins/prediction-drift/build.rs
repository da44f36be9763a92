//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("monitor", |kind| {
            kind.input("window", "the predictions to judge")
                .input("reference", "the rows to compare with: those of the training, or of an earlier window")
                .output("findings", "one for each column of predictions, and one for all together")
        })
        .write();
}
