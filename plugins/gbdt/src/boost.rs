//! Boosting: round after round, trees that lower what the trees before them leave. The door is [`boost`].

mod checkpoint;
mod rows;

use wasmlops_sdk::{Result, log, metrics, progress};

use crate::bins::{Bins, stop_if_cancelled};
use crate::codes::Coder;
use crate::config::{Config, Metric};
use crate::forest::Forest;
use crate::grow::{Grower, Shape};
use crate::histogram::Active;
use crate::kernels::Pair;
use crate::objective::{Goal, Objective, quantile, softmax};
use crate::random::{Purpose, Stream};
use crate::tree::Tree;

use checkpoint::{Point, Progress};
use rows::Chosen;

/// Without a validation table, every how many rounds the training loss is measured.
const SELDOM: u64 = 10;
/// The most rounds that are told of: a curve needs no more, and the host keeps a bounded number of points.
const MOST_POINTS: u64 = 5000;

/// What to learn from.
pub struct Data<'a> {
    pub bins: &'a Bins,
    pub coders: &'a [Coder],
    pub goal: &'a Goal,
    pub validation: Option<(&'a Bins, &'a Goal)>,
}

/// What was learned.
pub struct Fitted {
    pub initial: Vec<f64>,
    /// Round after round; within a round, one tree for each output.
    pub trees: Vec<Tree>,
}

/// Errors: `internal` when the run is being cancelled; what was learned is kept for another attempt.
pub fn boost(config: &Config, objective: Objective, shape: &Shape, data: &Data) -> Result<Fitted> {
    let mut boosting = Boosting::new(config, objective, shape, data);
    boosting.resume()?;
    while boosting.progress.rounds < config.n_estimators && !boosting.progress.is_over {
        if let Err(cancelled) = stop_if_cancelled() {
            boosting.save()?;
            return Err(cancelled);
        }
        boosting.round();
        boosting.measure()?;
        let rounds = boosting.progress.rounds;
        progress::update(rounds, Some(config.n_estimators), "rounds");
        if config.checkpoint_every > 0 && rounds.is_multiple_of(config.checkpoint_every) {
            boosting.save()?;
        }
    }
    boosting.finish()
}

struct Boosting<'a> {
    config: &'a Config,
    objective: Objective,
    data: &'a Data<'a>,
    metrics: Vec<Metric>,
    grower: Grower<'a>,
    initial: Vec<f64>,
    progress: Progress,
    trees: Vec<Tree>,
    chosen: Chosen,
    /// Features that tell rows apart.
    useful: Vec<usize>,
    /// Of each output, one after the other.
    scores: Vec<f64>,
    held_scores: Vec<f64>,
    probabilities: Vec<f64>,
    pairs: Vec<Pair>,
}

impl<'a> Boosting<'a> {
    fn new(config: &'a Config, objective: Objective, shape: &'a Shape, data: &'a Data<'a>) -> Self {
        let initial = objective.initial(data.goal);
        let start = |rows: usize| initial.iter().flat_map(|&score| std::iter::repeat_n(score, rows)).collect();
        let own = Metric::of(objective);
        let metrics = config.metric.filter(|metric| *metric != own).into_iter().chain([own]).collect();
        Self {
            config,
            objective,
            data,
            metrics,
            grower: Grower::new(data.bins, data.coders, shape),
            progress: Progress::default(),
            trees: Vec::new(),
            useful: data.bins.useful(),
            chosen: Chosen::new(config, data.bins.rows),
            scores: start(data.bins.rows),
            held_scores: start(data.validation.map_or(0, |(bins, _)| bins.rows)),
            probabilities: Vec::new(),
            pairs: vec![Pair::default(); data.bins.rows],
            initial,
        }
    }

    fn round(&mut self) {
        let (round, outputs) = (self.progress.rounds, self.objective.outputs());
        self.chosen.draw(round);
        if let Objective::Softmax(_) = self.objective {
            softmax(&self.scores, self.data.bins.rows, &mut self.probabilities);
        }
        let mut is_flat = true;
        for output in 0..outputs {
            let scores = if outputs > 1 { &self.probabilities } else { &self.scores };
            self.objective.derive(output, scores, self.data.goal, &mut self.pairs);
            let active = self.features(round * outputs as u64 + output as u64);
            let mut tree = self.grower.grow(&self.pairs, self.chosen.rows(), &active);
            self.set_values(&mut tree, output);
            is_flat &= tree.nodes.is_empty();
            self.add_to_scores(&tree, output);
            self.trees.push(tree);
        }
        self.progress.rounds += 1;
        if is_flat && self.config.subsample >= 1.0 && self.config.colsample_bytree >= 1.0 {
            log::info(format!("no split gains enough after {round} rounds"));
            self.trees.truncate(self.trees.len() - outputs);
            self.progress.rounds -= 1;
            self.progress.is_over = true;
        }
    }

    fn features(&self, tree: u64) -> Active {
        let all = &self.useful;
        let part = (self.config.colsample_bytree * all.len() as f64).round() as usize;
        if part >= all.len() {
            return Active::new(all.clone());
        }
        let chosen = Stream::new(self.config.seed, Purpose::Features, tree).choose(part.max(1), all.len());
        Active::new(chosen.into_iter().map(|at| all[at as usize]).collect())
    }

    /// What the leaves add: a part of what is best for their rows.
    fn set_values(&self, tree: &mut Tree, output: usize) {
        if tree.nodes.is_empty() {
            tree.leaves[0] = 0.0;
            return;
        }
        if self.objective.renews_leaves() {
            let (goal, scores) = (self.data.goal, &self.scores[output * self.data.bins.rows..]);
            let mut left = Vec::new();
            for (value, rows) in tree.leaves.iter_mut().zip(self.grower.leaf_rows()) {
                left.clear();
                left.extend(rows.iter().map(|&row| {
                    let row = row as usize;
                    (goal.target[row] - scores[row], goal.weight(row))
                }));
                *value = quantile(&mut left, self.objective.level(), goal.weights.is_none());
            }
        }
        tree.leaves.iter_mut().for_each(|value| *value *= self.config.learning_rate);
    }

    fn add_to_scores(&mut self, tree: &Tree, output: usize) {
        if tree.nodes.is_empty() {
            return;
        }
        let forest = self.walkable(tree);
        let rows = self.data.bins.rows;
        let scores = &mut self.scores[output * rows..(output + 1) * rows];
        for (value, rows) in tree.leaves.iter().zip(self.grower.leaf_rows()) {
            rows.iter().for_each(|&row| scores[row as usize] += value);
        }
        let (bins, others) = (self.data.bins, self.chosen.others());
        for &row in others {
            scores[row as usize] += forest.value(0, |feature| bins.code(feature as usize, row as usize));
        }
        self.add_to_held(&forest, output);
    }

    fn add_to_held(&mut self, forest: &Forest, output: usize) {
        let Some((bins, _)) = self.data.validation else { return };
        let scores = &mut self.held_scores[output * bins.rows..(output + 1) * bins.rows];
        for (row, score) in scores.iter_mut().enumerate() {
            *score += forest.value(0, |feature| bins.code(feature as usize, row));
        }
    }

    /// The tree over the codes of bins.
    fn walkable(&self, tree: &Tree) -> Forest {
        let code = |feature: u32, threshold: f64| match &self.data.coders[feature as usize] {
            Coder::Number { bounds } => bounds.code(threshold),
            Coder::Text { .. } => 0,
        };
        let mut forest = Forest::default();
        forest.add(tree, 0, |feature| feature, code);
        forest
    }

    fn measure(&mut self) -> Result<()> {
        let (round, is_watched) = (self.progress.rounds, self.data.validation.is_some());
        let is_told = round.is_multiple_of(self.config.n_estimators.div_ceil(MOST_POINTS))
            && (is_watched || round.is_multiple_of(SELDOM))
            || round == self.config.n_estimators
            || self.progress.is_over;
        for (at, &metric) in self.metrics.clone().iter().enumerate() {
            if is_told {
                let value = metric.of_scores(self.objective, self.data.goal, &self.scores);
                self.tell(format!("train_{}", metric.name()), value)?;
            }
            let Some((_, goal)) = self.data.validation else { continue };
            if is_told || at == 0 {
                let value = metric.of_scores(self.objective, goal, &self.held_scores);
                if at == 0 {
                    self.watch(metric, value);
                }
                if is_told || self.progress.is_over {
                    self.tell(format!("validation_{}", metric.name()), value)?;
                }
            }
        }
        Ok(())
    }

    fn watch(&mut self, metric: Metric, value: f64) {
        let progress = &mut self.progress;
        if progress.best.is_none_or(|(_, best)| metric.is_better(value, best)) {
            progress.best = Some((progress.rounds, value));
        }
        let best = progress.best.map_or(0, |(round, _)| round);
        progress.is_over |= self.config.early_stopping_rounds.is_some_and(|rounds| progress.rounds - best >= rounds);
    }

    fn tell(&mut self, name: String, value: f64) -> Result<()> {
        let point = Point { name, value, round: self.progress.rounds };
        metrics::emit_at(&point.name, point.value, point.round)?;
        self.progress.points.push(point);
        Ok(())
    }

    fn save(&self) -> Result<()> {
        self.progress.save(&self.trees)
    }

    /// Goes on where an earlier attempt stopped: its trees are added to the scores one by one, as when they were
    /// learned, so that the sums are the same to the last bit.
    fn resume(&mut self) -> Result<()> {
        let found = Progress::load(self.objective.outputs(), self.data.coders);
        let Some((progress, trees)) = found else { return Ok(()) };
        log::info(format!("going on after round {}", progress.rounds));
        let (bins, outputs) = (self.data.bins, self.objective.outputs());
        for (at, tree) in trees.iter().enumerate().filter(|(_, tree)| !tree.nodes.is_empty()) {
            let (forest, output) = (self.walkable(tree), at % outputs);
            let scores = &mut self.scores[output * bins.rows..(output + 1) * bins.rows];
            for (row, score) in scores.iter_mut().enumerate() {
                *score += forest.value(0, |feature| bins.code(feature as usize, row));
            }
            self.add_to_held(&forest, output);
        }
        (self.progress, self.trees) = (progress, trees);
        self.progress.points.iter().try_for_each(|point| metrics::emit_at(&point.name, point.value, point.round))
    }

    fn finish(mut self) -> Result<Fitted> {
        let outputs = self.objective.outputs();
        if let (Some(_), Some((best, value))) = (self.config.early_stopping_rounds, self.progress.best) {
            self.trees.truncate(best as usize * outputs);
            metrics::emit(&format!("best_{}", self.metrics[0].name()), value)?;
        }
        metrics::emit("iterations", (self.trees.len() / outputs) as f64)?;
        Ok(Fitted { initial: self.initial, trees: self.trees })
    }
}
