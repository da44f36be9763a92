//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("validator", |kind| {
            kind.input("table", "the rows to check").output("report", "every check, passed or not")
        })
        .kind::<config::WindowConfig>("monitor", |kind| {
            kind.input("window", "the rows to check")
                .optional_input("reference", "the rows to learn from")
                .output("findings", "every check, passed or not")
        })
        .write();
}
