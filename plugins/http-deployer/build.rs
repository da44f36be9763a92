//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("deployer", |kind| kind.input("release", "the model version to deploy"))
        .capability("http", "calls the API that it is configured for")
        .write();
}
