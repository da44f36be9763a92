//! A data source that makes up card payments. It stands for what a team would read from a warehouse of its own, and
//! shows what a plugin of one's own looks like: `config` (what users write), `build.rs` (the manifest), and this file.
//!
//! Data goes one way: `config` → `world` (payments, from one seed) → `truth` (which of them are fraud) → `columns` (the
//! batches written here). `random` is the only source of chance.

mod calendar;
mod columns;
mod config;
mod random;
mod truth;
mod world;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{BATCH_ROWS, blobs};

use config::Config;
use random::Random;

struct PaymentsSource;

impl DataSource for PaymentsSource {
    type Config = Config;

    fn read(config: Config, out: &mut TableWriter) -> Result<SourceReport> {
        let start = calendar::day(&config.start).ok_or_else(|| {
            let message = format!("`{}` is not a day\nhint: write it as `2026-01-31`", config.start);
            Error::invalid_config("start", message)
        })?;
        let payments = world::payments(&config, start);
        // A generator of its own, so that another share of fraud leaves the payments as they are.
        let fraud = truth::labels(&payments, config.fraud, &mut Random::new(!config.seed));

        out.start(&columns::schema())?;
        let mut written = 0;
        for (payments, fraud) in payments.chunks(BATCH_ROWS).zip(fraud.chunks(BATCH_ROWS)) {
            out.write(columns::batch(payments, fraud, written))?;
            written += payments.len();
            progress::update(written as u64, Some(u64::from(config.rows)), "payments written");
        }
        if let Some(requests) = &config.requests {
            let first = payments.len().saturating_sub(requests.rows as usize);
            let batch = columns::batch(&payments[first..], &fraud[first..], first);
            write_json("requests", &columns::request(&batch, &requests.id))?;
            write_json("labels", &columns::labels(&fraud[first..], &requests.id))?;
        }
        metrics::emit("fraud", fraud.iter().filter(|fraud| **fraud).count() as f64 / written as f64)?;
        Ok(SourceReport { rows: written as u64, ..SourceReport::default() })
    }
}

fn write_json(output: &str, value: &serde_json::Value) -> Result<()> {
    // Blobs exist inside the sandbox only.
    if cfg!(target_family = "wasm") {
        let writer = blobs::create(output, "application/json")?;
        for part in value.to_string().as_bytes().chunks(1 << 20) {
            writer.write(part)?;
        }
    }
    Ok(())
}

wasmlops_sdk::export! { data_source: PaymentsSource }

#[cfg(test)]
mod tests;
