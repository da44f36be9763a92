//! Writes the manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("trainer", |kind| {
            kind.input("train", "rows to learn from, target included")
                .optional_input("validation", "rows that early stopping watches, never learned from")
                .output("model", "the trees, feature names, categories and classes")
                .output("importance", "each feature's gain and number of splits, as JSON")
        })
        .kind_without_config("predictor", |kind| {
            kind.input("model", "what `gbdt` trained").input("table", "rows to predict").output(
                "predictions",
                "`prediction`, `probability.<class>` for each class, and contributions where the model was asked for them",
            )
        })
        .write();
}
