//! Writes the plugin's manifest.

#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("deployer", |kind| {
            kind.input("release", "the model version to bundle")
                .output("bundle", "a tar archive with one folder: model, components, schema, golden vectors, checksums")
        })
        .write();
}
