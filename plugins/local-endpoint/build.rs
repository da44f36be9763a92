//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("deployer", |kind| kind.input("release", "the model version to serve"))
        .capability("endpoints", "hands the release to the endpoint that it is configured for")
        .write();
}
