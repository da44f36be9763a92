//! Writes the manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("trainer", |kind| {
            kind.input("train", "rows to learn from, target included")
                .optional_input("validation", "rows whose loss is measured, never learned from")
                .output("model", "coefficients, intercepts, feature names and classes, as JSON")
        })
        .kind_without_config("predictor", |kind| {
            kind.input("model", "what `linear-model` trained")
                .input("table", "rows to predict")
                .output("predictions", "`prediction`, and `probability.<class>` for each class")
        })
        .write();
}
