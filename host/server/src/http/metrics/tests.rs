//! The page, read as strictly as Prometheus' own checker does.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A page as a reader sees it: samples by family.
struct Page {
    kinds: BTreeMap<String, String>,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// Reads the exposition format and refuses what `promtool check metrics` refuses, and some more.
fn read(page: &str) -> Page {
    assert!(page.ends_with('\n') && !page.contains("\n\n"));
    let (mut kinds, mut helped) = (BTreeMap::new(), BTreeSet::new());
    let mut samples = Vec::new();
    let mut current = String::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(!text.trim().is_empty() && helped.insert(name.to_owned()), "`{name}` has two helps or none");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(helped.contains(name) && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "`{name}` comes twice");
            current = name.to_owned();
        } else {
            let (name, labels, value) = sample(line);
            let family = match kinds.get(&current).map(String::as_str) {
                Some("histogram") => {
                    ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap()
                }
                _ => name.as_str(),
            };
            assert_eq!(family, current, "samples of one family stand together: {line}");
            samples.push((name, labels, value));
        }
    }
    let series: BTreeSet<_> = samples.iter().map(|(name, labels, _)| (name, labels)).collect();
    assert_eq!(series.len(), samples.len(), "a series comes twice");
    Page { kinds, samples }
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    assert!(word(name) && !name.contains("__"), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(word(label), "{line}");
            let (value, after) = quoted(after);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => break rest = after.strip_prefix('}').unwrap(),
            }
        }
    }
    (name.to_owned(), labels, rest.strip_prefix(' ').unwrap().parse().unwrap())
}

/// A label's value up to its closing quote.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match characters.next().unwrap().1 {
                'n' => '\n',
                other => {
                    assert!(other == '\\' || other == '"');
                    other
                }
            }),
            other => value.push(other),
        }
    }
    panic!("`{text}` has no closing quote")
}

impl Page {
    fn of(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |of: &BTreeMap<String, String>| {
            labels.iter().all(|(label, value)| of.get(*label).is_some_and(|given| given == value))
        };
        let found: Vec<_> = self.samples.iter().filter(|(given, of, _)| given == name && has(of)).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}");
        found[0].2
    }

    /// Buckets rise up to the count, and the last has no bound.
    fn check_histograms(&self) {
        let histograms = self.kinds.iter().filter(|(_, kind)| *kind == "histogram");
        for (family, _) in histograms {
            let buckets = self.samples.iter().filter(|(name, _, _)| *name == format!("{family}_bucket"));
            let mut series: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
            for (_, labels, count) in buckets {
                let mut labels = labels.clone();
                let bound = labels.remove("le").unwrap().parse().unwrap();
                series.entry(labels).or_default().push((bound, *count));
            }
            for (labels, buckets) in series {
                assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
                let labels: Vec<_> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
                assert_eq!(buckets.last().unwrap(), &(f64::INFINITY, self.of(&format!("{family}_count"), &labels)));
            }
        }
    }
}

#[test]
fn a_page_is_what_prometheus_reads() {
    let metrics = Metrics::default();
    metrics.request("/healthz", &Method::GET, StatusCode::OK, Duration::from_micros(300));
    metrics.request("/healthz", &Method::GET, StatusCode::OK, Duration::from_secs(60));
    metrics.prediction("a\"b\\c\n", 3, 10, Duration::from_millis(1));
    metrics.refused_connection();
    let numbers = ProjectNumbers::example();
    let page = read(&metrics.page(&numbers));
    page.check_histograms();
    assert_eq!(page.of("wasmlops_requests_total", &[("route", "/healthz"), ("status", "200")]), 2.0);
    assert_eq!(page.of("wasmlops_request_duration_seconds_bucket", &[("route", "/healthz"), ("le", "0.0005")]), 1.0);
    assert_eq!(page.of("wasmlops_predictions_total", &[("endpoint", "a\"b\\c\n"), ("version", "3")]), 1.0);
    assert_eq!(page.of("wasmlops_endpoint_ready", &[("endpoint", "churn")]), 1.0);
    assert_eq!(page.of("wasmlops_runs", &[("pipeline", "train"), ("status", "running")]), 2.0);
    assert_eq!(page.of("wasmlops_queue_oldest_seconds", &[("project", "p")]), 2.5);
    assert_eq!(page.of("wasmlops_step_duration_seconds_count", &[("plugin", "split"), ("outcome", "failed")]), 1.0);
    assert_eq!(page.of("wasmlops_http_refused_connections_total", &[]), 1.0);
    for name in
        ["process_resident_memory_bytes", "process_start_time_seconds", "process_max_fds", "wasmlops_build_info"]
    {
        assert!(page.of(name, &[]) > 0.0, "{name}");
    }
}

#[test]
fn series_are_bounded() {
    let metrics = Metrics::default();
    for version in 0..3_000 {
        metrics.prediction("churn", version, 1, Duration::ZERO);
    }
    let page = metrics.page(&ProjectNumbers::example());
    assert_eq!(page.lines().filter(|line| line.starts_with("wasmlops_predictions_total{")).count(), SERIES + 1);
}
