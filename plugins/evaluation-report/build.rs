//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("validator", |kind| {
            kind.input("table", "held-out rows, with the column that the model predicts")
                .input("model", "the model to draw")
                .optional_input("baseline", "a model to draw beside it, for example the one that is live")
                .optional_input("importance", "how much each feature counts: a JSON file as `gbdt` writes it")
                .output("report", "what was drawn, with the numbers; it always passes")
                .output("page", "all drawings as one HTML document that needs nothing else")
        })
        .write();
}
