//! Counts of what was asked and answered, as Prometheus reads them (text format 0.0.4).
//!
//! Label sets are bounded: routes are patterns out of the list of routes, methods and statuses are few, and endpoints
//! and versions beyond [`SERIES`] share one series.

mod process;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};

use self::text::Text;

/// Series of predictions at the most.
const SERIES: usize = 1_000;

/// Upper bounds in seconds: a prediction takes tens of microseconds, a deadline is seconds.
const BUCKETS: [(f64, &str); 15] = [
    (0.0001, "0.0001"),
    (0.00025, "0.00025"),
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
    (10.0, "10"),
];

/// Route, method and status.
type Asked = (&'static str, &'static str, u16);

#[derive(Default)]
pub struct Metrics {
    requests: RwLock<HashMap<Asked, Arc<AtomicU64>>>,
    durations: RwLock<HashMap<&'static str, Arc<Histogram>>>,
    predictions: RwLock<HashMap<String, HashMap<u64, Arc<Predictions>>>>,
    connections: Arc<AtomicI64>,
}

#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    nanos: AtomicU64,
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

    /// A request that was answered.
    pub fn request(&self, route: &'static str, method: &Method, status: StatusCode, took: Duration) {
        let key = (route, method_name(method), status.as_u16());
        get_or_make(&self.requests, &key).fetch_add(1, Ordering::Relaxed);
        get_or_make(&self.durations, &route).observe(took);
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

    /// The whole page. `ready` says of each endpoint whether it answers.
    pub fn page(&self, ready: &BTreeMap<String, bool>) -> String {
        let mut text = Text::default();
        self.write_requests(&mut text);
        self.write_predictions(&mut text);
        text.head("wasmlops_http_connections", "gauge", "Connections that are open.");
        text.sample("wasmlops_http_connections", &[], self.connections.load(Ordering::Relaxed));
        if !ready.is_empty() {
            text.head("wasmlops_endpoint_ready", "gauge", "Whether an endpoint answers (1) or not yet (0).");
        }
        for (endpoint, ready) in ready {
            text.sample("wasmlops_endpoint_ready", &[("endpoint", endpoint)], u8::from(*ready));
        }
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
            histogram.write(text, name, route);
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
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|(bound, _)| seconds <= *bound) {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn write(&self, text: &mut Text, name: &str, route: &str) {
        let mut below = 0;
        for ((_, bound), bucket) in BUCKETS.iter().zip(&self.buckets) {
            below += bucket.load(Ordering::Relaxed);
            text.sample(&format!("{name}_bucket"), &[("route", route), ("le", bound)], below);
        }
        // Read after the buckets: a request that is counted meanwhile must not make a bucket larger than the whole.
        let count = self.count.load(Ordering::Relaxed).max(below);
        text.sample(&format!("{name}_bucket"), &[("route", route), ("le", "+Inf")], count);
        text.sample(&format!("{name}_sum"), &[("route", route)], self.nanos.load(Ordering::Relaxed) as f64 / 1e9);
        text.sample(&format!("{name}_count"), &[("route", route)], count);
    }
}

fn get_or_make<K, V>(map: &RwLock<HashMap<K, Arc<V>>>, key: &K) -> Arc<V>
where
    K: std::hash::Hash + Eq + Clone,
    V: Default,
{
    if let Some(value) = map.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return value.clone();
    }
    map.write().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default().clone()
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
mod tests {
    use super::*;

    #[test]
    fn page_has_help_and_type_for_every_metric_and_buckets_that_add_up() {
        let metrics = Metrics::default();
        metrics.request("/healthz", &Method::GET, StatusCode::OK, Duration::from_micros(300));
        metrics.request("/healthz", &Method::GET, StatusCode::OK, Duration::from_secs(60));
        metrics.prediction("a\"b\\c\n", 3, 10, Duration::from_millis(1));
        let page = metrics.page(&BTreeMap::from([("churn".to_owned(), true)]));
        assert!(
            page.contains("wasmlops_requests_total{route=\"/healthz\",method=\"GET\",status=\"200\"} 2\n"),
            "{page}"
        );
        assert!(page.contains("wasmlops_request_duration_seconds_bucket{route=\"/healthz\",le=\"0.0005\"} 1\n"));
        assert!(page.contains("wasmlops_request_duration_seconds_bucket{route=\"/healthz\",le=\"+Inf\"} 2\n"));
        assert!(page.contains("wasmlops_predictions_total{endpoint=\"a\\\"b\\\\c\\n\",version=\"3\"} 1\n"));
        assert!(page.contains("wasmlops_endpoint_ready{endpoint=\"churn\"} 1\n"));
        assert!(page.contains("process_resident_memory_bytes "));
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(page.contains(&format!("# HELP {family} ")), "{name}");
            assert!(page.contains(&format!("# TYPE {family} ")), "{name}");
        }
    }

    #[test]
    fn series_are_bounded() {
        let metrics = Metrics::default();
        for version in 0..3_000 {
            metrics.prediction("churn", version, 1, Duration::ZERO);
        }
        let page = metrics.page(&BTreeMap::new());
        assert_eq!(page.lines().filter(|line| line.starts_with("wasmlops_predictions_total{")).count(), SERIES + 1);
    }
}
