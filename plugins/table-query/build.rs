//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("processor", |kind| {
            kind.input("table", "the rows to start from")
                .input("*", "tables to join with, under the names that `join` and `point_in_time_join` use")
                .output("table", "what the last verb gives")
        })
        .write();
}
