//! Writes the manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("transform", |kind| {
            kind.input("table", "rows to learn from; with an input `state`, rows to turn into features")
                .optional_input("state", "what an earlier step learned, to be applied to `table`")
                .optional_output("state", "what was learned: fills, means, scales, categories")
                .optional_output("features", "each feature's name, the columns it is made of, and what was done")
                .optional_output("table", "features, with an input `state`")
        })
        .write();
}
