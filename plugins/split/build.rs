//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("processor", |kind| {
            kind.input("table", "the rows to divide")
                .output("train", "the rows to learn from")
                .output("test", "the rows to judge by")
                .optional_output("validation", "the rows to watch while learning; there if `validation` is set")
        })
        .write();
}
