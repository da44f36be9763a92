//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("monitor", |kind| {
            kind.input("window", "requests, with their latency and error")
                .optional_input("reference", "earlier requests, for `max_ratio`")
                .output("findings", "latency, error rate and request rate")
        })
        .write();
}
