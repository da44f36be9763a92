//! Writes the plugin's manifest.

#[allow(dead_code, reason = "only the schema is read here")]
#[path = "src/config.rs"]
mod config;

fn main() {
    wasmlops_sdk::manifest()
        .kind::<config::Config>("data-source", |kind| {
            kind.output("table", "one row a payment, in the order of their times")
                .output("report", "how many rows there are")
                .optional_output("requests", "the last payments as an endpoint takes them; there if `requests` is set")
                .optional_output("labels", "which of them were fraud, by the ids of their predictions")
        })
        .write();
}
