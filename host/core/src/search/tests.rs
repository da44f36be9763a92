//! Searches at their door: a configuration and what trials came to in, trials out.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn number(name: &str, low: f64, high: f64, log: bool) -> Dimension {
    Dimension { name: name.into(), values: Values::Number { low, high, log, steps: None } }
}

fn whole(name: &str, low: i64, high: i64, log: bool) -> Dimension {
    Dimension { name: name.into(), values: Values::Whole { low, high, log, steps: None } }
}

fn choices(name: &str, choices: &[&str]) -> Dimension {
    Dimension { name: name.into(), values: Values::Choices(choices.iter().map(|text| json!(text)).collect()) }
}

fn search(method: Method, space: Vec<Dimension>, trials: usize, parallel: usize, seed: u64) -> Search {
    let objective = "gate.auc".parse().unwrap();
    let goal = Goal::Maximize;
    Search { space, method, trials, parallel, objective, goal, stop: None, seed: Some(seed) }
}

fn stop(first: u64, factor: u64, goal: Goal) -> StopRule {
    StopRule { metric: "train.score".parse().unwrap(), goal, first, factor }
}

fn mixed() -> Vec<Dimension> {
    vec![
        choices("growth", &["leaf", "depth", "both"]),
        number("rate", 0.001, 1.0, true),
        number("share", -2.0, 3.0, false),
        whole("depth", 1, 12, false),
        whole("leaves", 2, 2_000, true),
    ]
}

/// A made-up result: a function of the trial alone.
fn result(search: &Search, trial: &Trial, stopper: Option<Stopper>) -> Finished {
    let place = |name: &str| trial.params.get(name).and_then(Value::as_f64).unwrap_or_default();
    let score =
        1.0 - (place("rate") - 0.1).abs() - (place("share") - 1.0).abs() / 5.0 - (place("depth") - 6.0).abs() / 30.0;
    let mut stopper = stopper;
    for at in 1..=200 {
        if let Some(stopper) = &mut stopper {
            stopper.point(&search.stop.as_ref().unwrap().metric.metric, at, score * at as f64 / 200.0);
        }
    }
    let rungs = stopper.as_ref().map(|stopper| stopper.reached().to_vec()).unwrap_or_default();
    let stopped = stopper.as_ref().and_then(Stopper::stopped);
    let status = match stopped {
        Some(stopped) => TrialStatus::Stopped { at: stopped.at },
        None if trial.number.is_multiple_of(7) => TrialStatus::Failed,
        None => TrialStatus::Succeeded,
    };
    let objective = (stopped.is_none() && !trial.number.is_multiple_of(14)).then_some(score);
    Finished { trial: trial.clone(), status, objective, rungs }
}

/// The whole search; each round's trials end in another order than they began.
fn run(search: &Search) -> Vec<Finished> {
    let mut history: Vec<Finished> = Vec::new();
    loop {
        let round = search.next_round(&history);
        if round.is_empty() {
            return history;
        }
        let ended = round.iter().rev().map(|trial| result(search, trial, search.stopper(&history)));
        let mut ended: Vec<_> = ended.collect();
        ended.reverse();
        history.extend(ended);
    }
}

fn searches() -> impl Strategy<Value = Search> {
    let method = prop::sample::select(vec![Method::Random, Method::Tpe]);
    (method, 1_usize..30, 1_usize..7, any::<u64>(), any::<bool>()).prop_map(
        |(method, trials, parallel, seed, stops)| {
            let mut search = search(method, mixed(), trials, parallel, seed);
            search.stop = stops.then(|| stop(5, 3, Goal::Maximize));
            search
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_search_goes_on_from_any_prefix_as_if_nothing_had_happened(search in searches()) {
        let history = run(&search);
        prop_assert_eq!(history.len(), search.trials);
        prop_assert_eq!(&run(&search), &history);
        for known in 0..history.len() {
            let first = known / search.parallel * search.parallel;
            let round = search.next_round(&history[..known]);
            let expected: Vec<_> = history[first..].iter().take(search.parallel).map(|ended| ended.trial.clone()).collect();
            prop_assert_eq!(round, expected);
            prop_assert_eq!(search.stopper(&history[..known]), search.stopper(&history[..first]));
        }
        prop_assert!(search.next_round(&history).is_empty());
    }

    #[test]
    fn values_stay_in_their_ranges(search in searches()) {
        for ended in run(&search) {
            for dimension in &search.space {
                let value = &ended.trial.params[&dimension.name];
                let inside = match &dimension.values {
                    Values::Number { low, high, .. } => value.is_f64() && (*low..=*high).contains(&value.as_f64().unwrap()),
                    Values::Whole { low, high, .. } => value.is_i64() && (*low..=*high).contains(&value.as_i64().unwrap()),
                    Values::Choices(choices) => choices.contains(value),
                };
                prop_assert!(inside, "{} = {value}", dimension.name);
            }
        }
    }

    #[test]
    fn a_stopper_stops_once_and_at_a_rung(
        points in prop::collection::vec((1_u64..500, prop::num::f64::ANY), 0..60),
        earlier in prop::collection::vec(prop::num::f64::ANY, 0..12),
        factor in 2_u64..5,
    ) {
        let rule = stop(4, factor, Goal::Minimize);
        let known: Vec<_> = earlier.iter().map(|value| at_rungs(&[(4, *value)])).collect();
        let mut stopper = Stopper::new(&rule, &known);
        let stops = points.iter().filter(|(at, value)| stopper.point("score", *at, *value).is_some()).count();
        prop_assert_eq!(stops, usize::from(stopper.stopped().is_some()));
        prop_assert!(stopper.stopped().is_none_or(|stopped| stopped.at == 4 && earlier.len() as u64 >= factor));
    }
}

fn at_rungs(rungs: &[(u64, f64)]) -> Finished {
    let trial = Trial { number: 1, params: Map::new() };
    Finished { trial, status: TrialStatus::Succeeded, objective: None, rungs: rungs.to_vec() }
}

/// Kept so that another version of the program suggests the same: a run that is resumed or verified relies on it.
#[test]
fn suggestions_are_a_promise() {
    let mut search = search(Method::Tpe, mixed(), 24, 2, 7);
    search.stop = Some(stop(5, 3, Goal::Maximize));
    let history = run(&search);
    let shown = |number: usize| {
        let ended = &history[number - 1];
        format!("{} {} {}", Value::Object(ended.trial.params.clone()), ended.status.as_str(), ended.rungs.len())
    };
    let numbers = [1, 2, 6, 7, 12, 24].map(shown);
    assert_eq!(numbers, include_str!("tests/suggestions.txt").lines().collect::<Vec<_>>()[..]);
}

#[test]
fn a_round_knows_nothing_of_its_own_trials() {
    let search = search(Method::Tpe, mixed(), 30, 4, 1);
    let mut history = run(&search);
    let before = search.next_round(&history[..22]);
    history[21].objective = Some(1e9);
    assert_eq!(search.next_round(&history[..22]), before);
    history[..20].iter_mut().for_each(|ended| ended.objective = ended.objective.map(|value| -value));
    assert_ne!(search.next_round(&history[..22]), before);
}

#[test]
fn a_grid_has_every_point_once() {
    let mut space = vec![choices("a", &["x", "y"]), whole("b", 3, 5, false), number("c", 0.01, 1.0, true)];
    let Values::Number { steps, .. } = &mut space[2].values else { unreachable!() };
    *steps = Some(3);
    let search = search(Method::Grid, space, 18, 4, 0);
    let history = run(&search);
    let points: std::collections::BTreeSet<String> =
        history.iter().map(|ended| Value::Object(ended.trial.params.clone()).to_string()).collect();
    assert_eq!(points.len(), 18);
    assert_eq!(Value::Object(history[0].trial.params.clone()), json!({"a": "x", "b": 3, "c": 0.01}));
    assert_eq!(Value::Object(history[1].trial.params.clone()), json!({"a": "x", "b": 3, "c": 0.1}));
    assert_eq!(Value::Object(history[17].trial.params.clone()), json!({"a": "y", "b": 5, "c": 1.0}));
}

#[test]
fn values_are_not_tried_twice_while_there_are_others() {
    for method in [Method::Random, Method::Tpe] {
        let search = search(method, vec![choices("a", &["x", "y", "z"]), whole("b", 1, 4, false)], 12, 3, 5);
        let tried: std::collections::BTreeSet<String> =
            run(&search).iter().map(|ended| Value::Object(ended.trial.params.clone()).to_string()).collect();
        assert!(tried.len() >= 11, "{method:?} tried {} of 12", tried.len());
    }
}

#[test]
fn goes_on_with_the_best_third_of_a_rung() {
    let rule = stop(10, 3, Goal::Maximize);
    let values = |values: &[f64]| values.iter().map(|value| at_rungs(&[(10, *value)])).collect::<Vec<_>>();
    let stops = |earlier: &[f64], value: f64| {
        let mut stopper = Stopper::new(&rule, &values(earlier));
        stopper.point("score", 10, value).is_some()
    };
    assert!(!stops(&[0.8, 0.9], 0.1), "too few to compare with");
    assert!(!stops(&[0.7, 0.8, 0.9], 0.9), "as good as the best");
    assert!(stops(&[0.7, 0.8, 0.9], 0.89));
    assert!(!stops(&[0.1, 0.2, 0.3, 0.4, 0.5], 0.4), "the second of six");
    assert!(stops(&[0.1, 0.2, 0.3, 0.4, 0.5], 0.39));
    assert!(stops(&[0.1, 0.2, 0.3], f64::NAN));
    assert!(!stops(&[f64::NAN; 3], f64::NEG_INFINITY));
}

#[test]
fn a_point_stands_for_the_rungs_that_it_passes() {
    let known: Vec<_> = [0.5, 0.6, 0.7].map(|value| at_rungs(&[(10, value), (30, value)])).to_vec();
    let mut stopper = Stopper::new(&stop(10, 3, Goal::Maximize), &known);
    assert!(stopper.point("score", 9, 0.0).is_none());
    assert!(stopper.point("other", 50, 0.0).is_none());
    assert!(stopper.point("score", 50, 0.8).is_none());
    assert_eq!(stopper.reached(), [(10, 0.8), (30, 0.8)]);
    let known: Vec<_> = [0.5, 0.6, 0.7].map(|value| at_rungs(&[(30, value)])).to_vec();
    let mut stopper = Stopper::new(&stop(10, 3, Goal::Maximize), &known);
    let stopped = stopper.point("score", 95, 0.65).unwrap();
    let expected = "stopped early at 30: `train.score` is 0.65, and earlier trials set the bar at 0.7";
    assert_eq!(stopped.to_string(), expected);
    assert!(stopper.point("score", 96, 9.0).is_none());
    assert_eq!(stopper.reached(), [(10, 0.65), (30, 0.65)]);
}

#[test]
fn the_best_is_the_earliest_of_equals_that_succeeded() {
    let search = search(Method::Random, mixed(), 4, 1, 0);
    let ended = |number, status, objective| Finished {
        trial: Trial { number, params: Map::new() },
        status,
        objective,
        rungs: vec![],
    };
    let history = [
        ended(1, TrialStatus::Succeeded, Some(0.7)),
        ended(2, TrialStatus::Failed, Some(0.9)),
        ended(3, TrialStatus::Succeeded, Some(0.8)),
        ended(4, TrialStatus::Succeeded, Some(0.8)),
    ];
    assert_eq!(search.best(&history).unwrap().trial.number, 3);
    assert!(search.best(&history[1..2]).is_none());
}

#[test]
fn the_table_and_the_document_say_what_happened() {
    let mut search = search(Method::Tpe, mixed(), 12, 3, 3);
    search.stop = Some(stop(5, 2, Goal::Maximize));
    let history = run(&search);
    let table = trials_table(&search, &history).unwrap();
    let names: Vec<_> = table.schema().fields.iter().map(|field| field.name.as_str()).collect();
    let own = ["trial", "growth", "rate", "share", "depth", "leaves"];
    assert_eq!(names, [&own[..], &["objective", "status", "stopped_at", "stopped_value"]].concat());
    assert_eq!(table.num_rows(), 12);
    let best = search.best(&history).unwrap();
    let document: Value = serde_json::from_slice(&best_document(&search, best, &history)).unwrap();
    assert_eq!(document["trial"], best.trial.number);
    assert_eq!(document["objective"]["metric"], "gate.auc");
    assert_eq!(document["objective"]["value"], best.objective.unwrap());
    let stopped = history.iter().filter(|ended| matches!(ended.status, TrialStatus::Stopped { .. })).count();
    assert!(stopped > 0);
    assert_eq!(document["stopped"], stopped);
}

#[test]
fn metrics_are_named_by_step_and_metric() {
    let parse = |text: &str| text.parse::<MetricRef>().map(|metric| (metric.step, metric.metric));
    assert_eq!(parse("gate.auc").unwrap(), ("gate".into(), "auc".into()));
    assert_eq!(parse("gate.slice.x.auc").unwrap(), ("gate".into(), "slice.x.auc".into()));
    assert_eq!(parse("train[a=0.1].auc").unwrap(), ("train[a=0.1]".into(), "auc".into()));
    for wrong in ["", "auc", ".auc", "gate.", "gate[a=1]"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

/// What a method finds: the least value of `function` after so many trials.
fn least(
    method: Method,
    space: &[Dimension],
    trials: usize,
    seed: u64,
    function: fn(&Map<String, Value>) -> f64,
) -> f64 {
    let mut search = search(method, space.to_vec(), trials, 2, seed);
    search.goal = Goal::Minimize;
    let mut history: Vec<Finished> = Vec::new();
    loop {
        let round = search.next_round(&history);
        if round.is_empty() {
            return search.best(&history).and_then(|best| best.objective).unwrap();
        }
        history.extend(round.into_iter().map(|trial| Finished {
            objective: Some(function(&trial.params)),
            status: TrialStatus::Succeeded,
            rungs: vec![],
            trial,
        }));
    }
}

fn at(params: &Map<String, Value>, name: &str) -> f64 {
    params[name].as_f64().unwrap()
}

/// The Branin function, least at 0.397887 in three places (Dixon and Szegö, 1978).
fn branin(params: &Map<String, Value>) -> f64 {
    let (x, y) = (at(params, "x"), at(params, "y"));
    let pi = std::f64::consts::PI;
    let valley = y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0;
    valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * libm::cos(x) + 10.0
}

fn bowl(params: &Map<String, Value>) -> f64 {
    ["x", "y", "z"].iter().map(|name| (at(params, name) - 0.3).powi(2)).sum()
}

/// As a booster's validation loss might look: a best rate, a best size, one growth better than the other.
fn booster(params: &Map<String, Value>) -> f64 {
    let rate = libm::log(at(params, "rate") / 0.08);
    let leaves = libm::log(at(params, "leaves") / 40.0);
    let growth = if params["growth"] == "leaf" { 0.0 } else { 0.3 };
    rate * rate + 0.5 * leaves * leaves + growth
}

/// What is to be low, by the parameters.
type Valley = fn(&Map<String, Value>) -> f64;

/// In 100 paired searches each, the estimator finds a lower value than chance, on average everywhere and more often than
/// not: by few trials it has learned little, and is about as good. Of 400 pairs chance alone would win 240 in one of
/// 30,000 tests.
#[test]
fn the_estimator_beats_chance() {
    let booster_space =
        vec![choices("growth", &["depth", "leaf"]), whole("leaves", 4, 512, true), number("rate", 0.001, 1.0, true)];
    let bowl_space = ["x", "y", "z"].map(|name| number(name, -1.0, 1.0, false)).to_vec();
    let branin_space = vec![number("x", -5.0, 10.0, false), number("y", 0.0, 15.0, false)];
    let cases: [(&str, Vec<Dimension>, Valley, usize); 4] = [
        ("branin", branin_space, branin, 40),
        ("bowl", bowl_space, bowl, 40),
        ("booster", booster_space.clone(), booster, 40),
        ("booster, few", booster_space, booster, 16),
    ];
    let mut total = 0;
    for (name, space, function, trials) in cases {
        let pairs = (0..100).map(|seed| {
            (least(Method::Tpe, &space, trials, seed, function), least(Method::Random, &space, trials, seed, function))
        });
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let wins = pairs.iter().filter(|(tpe, random)| tpe < random).count();
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        let (tpe, random) = (mean(|pair| pair.0), mean(|pair| pair.1));
        println!("{name}: {wins} of 100, means {tpe:.4} against {random:.4}");
        assert!(wins >= if trials < 40 { 50 } else { 60 }, "{name}: {wins} of 100");
        assert!(tpe < random, "{name}: {tpe} against {random}");
        total += wins;
    }
    assert!(total >= 240, "{total} of 400");
}
