//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("processor", |kind| {
            kind.input("*", "tables under any name; their rows come in the order in which the step lists them")
                .output("table", "all rows")
        })
        .write();
}
