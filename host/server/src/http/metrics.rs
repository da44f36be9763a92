//! Counts of what was asked and answered, as Prometheus reads them (text format 0.0.4).
//!
//! Label sets are bounded: routes are patterns out of the list of routes, methods and statuses are few, and endpoints
//! and versions beyond [`SERIES`] share one series. What happens behind the surface is counted by [`crate::counts`],
//! and written by `project`.

mod process;
mod project;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};

pub use self::project::ProjectNumbers;
use self::text::Text;
use crate::counts::{Counter, Histogram, REQUESTS};
use crate::telemetry;

/// Series of predictions at the most.
const SERIES: usize = 1_000;

/// Route, method and status.
type Asked = (&'static str, &'static str, u16);

#[derive(Default)]
pub struct Metrics {
    requests: RwLock<HashMap<Asked, Arc<AtomicU64>>>,
    durations: RwLock<HashMap<&'static str, Arc<Histogram>>>,
    predictions: RwLock<HashMap<String, HashMap<u64, Arc<Predictions>>>>,
    connections: Arc<AtomicI64>,
    refused: Counter,
}

/// What one version of an endpoint did.
#[derive(Default)]
pub struct Predictions {
    pub answered: AtomicU64,
    pub rows: AtomicU64,
    pub nanos: AtomicU64,
}

/// A connection that is open, until it is dropped.
pub struct OpenConnection(Arc<AtomicI64>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub fn connection(&self) -> OpenConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self.connections.clone())
    }

    /// A connection that found no place.
    pub fn refused_connection(&self) {
        self.refused.add(1);
    }

    /// A request that was answered.
    pub fn request(&self, route: &'static str, method: &Method, status: StatusCode, took: Duration) {
        let key = (route, method_name(method), status.as_u16());
        get_or_make(&self.requests, &key, Arc::default).fetch_add(1, Ordering::Relaxed);
        get_or_make(&self.durations, &route, || Arc::new(Histogram::new(REQUESTS))).observe(took);
    }

    /// Rows that a version answered.
    pub fn prediction(&self, endpoint: &str, version: u64, rows: u64, took: Duration) {
        let counts = self.predictions_of(endpoint, version);
        counts.answered.fetch_add(1, Ordering::Relaxed);
        counts.rows.fetch_add(rows, Ordering::Relaxed);
        counts.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn predictions_of(&self, endpoint: &str, version: u64) -> Arc<Predictions> {
        let all = self.predictions.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = all.get(endpoint).and_then(|versions| versions.get(&version)) {
            return counts.clone();
        }
        let full = all.values().map(HashMap::len).sum::<usize>() >= SERIES;
        drop(all);
        let (endpoint, version) = if full { ("other", 0) } else { (endpoint, version) };
        let mut all = self.predictions.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(endpoint.to_owned()).or_default().entry(version).or_default().clone()
    }

    /// The whole page: the process, the surface, and one project.
    pub fn page(&self, project: &ProjectNumbers) -> String {
        let mut text = Text::default();
        text.head("wasmlops_build_info", "gauge", "The version that runs; always 1.");
        text.sample("wasmlops_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        self.write_requests(&mut text);
        self.write_predictions(&mut text);
        self.write_connections(&mut text);
        write_traces(&mut text);
        project.write(&mut text);
        process::write(&mut text);
        text.finish()
    }

    fn write_requests(&self, text: &mut Text) {
        let requests = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        let sorted: BTreeMap<_, _> = requests.iter().collect();
        text.head("wasmlops_requests_total", "counter", "HTTP requests that were answered.");
        for ((route, method, status), count) in sorted {
            let labels = [("route", *route), ("method", *method), ("status", &*status.to_string())];
            text.sample("wasmlops_requests_total", &labels, count.load(Ordering::Relaxed));
        }
        let durations = self.durations.read().unwrap_or_else(PoisonError::into_inner);
        let sorted: BTreeMap<_, _> = durations.iter().collect();
        let name = "wasmlops_request_duration_seconds";
        text.head(name, "histogram", "From the end of a request's headers to its answer.");
        for (route, histogram) in sorted {
            text.histogram(name, &[("route", route)], &histogram.read());
        }
    }

    fn write_predictions(&self, text: &mut Text) {
        let predictions = self.predictions.read().unwrap_or_else(PoisonError::into_inner);
        let mut write = |name: &str, help: &str, value: fn(&Predictions) -> f64| {
            text.head(name, "counter", help);
            for (endpoint, versions) in predictions.iter().collect::<BTreeMap<_, _>>() {
                for (version, counts) in versions.iter().collect::<BTreeMap<_, _>>() {
                    let labels = [("endpoint", &**endpoint), ("version", &*version.to_string())];
                    text.sample(name, &labels, value(counts));
                }
            }
        };
        write("wasmlops_predictions_total", "Requests for predictions that a version answered.", |counts| {
            counts.answered.load(Ordering::Relaxed) as f64
        });
        write("wasmlops_prediction_rows_total", "Rows that a version predicted.", |counts| {
            counts.rows.load(Ordering::Relaxed) as f64
        });
        write("wasmlops_prediction_seconds_total", "Time that predictions took, waiting included.", |counts| {
            counts.nanos.load(Ordering::Relaxed) as f64 / 1e9
        });
    }

    fn write_connections(&self, text: &mut Text) {
        text.head("wasmlops_http_connections", "gauge", "Connections that are open.");
        text.sample("wasmlops_http_connections", &[], self.connections.load(Ordering::Relaxed));
        text.head("wasmlops_http_refused_connections_total", "counter", "Connections that found no place.");
        text.sample("wasmlops_http_refused_connections_total", &[], self.refused.get());
    }
}

fn write_traces(text: &mut Text) {
    let counts = telemetry::counts();
    let name = "wasmlops_trace_spans_total";
    text.head(
        name,
        "counter",
        "Spans of traces: sent, dropped because the queue was full, not taken by the collector.",
    );
    for (outcome, count) in [("sent", counts.sent), ("dropped", counts.dropped), ("failed", counts.failed)] {
        text.sample(name, &[("outcome", outcome)], count);
    }
}

fn get_or_make<K, V>(map: &RwLock<HashMap<K, Arc<V>>>, key: &K, make: impl Fn() -> Arc<V>) -> Arc<V>
where
    K: std::hash::Hash + Eq + Clone,
{
    if let Some(value) = map.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return value.clone();
    }
    map.write().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_insert_with(make).clone()
}

/// Clients may send any word as a method.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
