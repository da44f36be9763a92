//! Draws what a model does on held-out rows: one page that a person can read, keep and send. It judges nothing, so it
//! always passes; `model-gate` judges.
//!
//! Data goes one way: `config` → `outcomes` (truth and predictions side by side) → `scores` (numbers) and `figures`
//! (`curves`, `bins`, `importance` → `chart` → `canvas`, which alone knows the drawing crate) → `page` → a blob.

mod bins;
mod canvas;
mod chart;
mod config;
mod curves;
mod figures;
mod importance;
mod outcomes;
mod page;
mod scores;

use wasmlops_sdk::blobs;
use wasmlops_sdk::prelude::*;
use wasmlops_statistics::text;

use config::Config;
use figures::Figure;
use importance::Feature;
use outcomes::Outcomes;
use page::Page;
use scores::Score;

struct EvaluationReport;

impl Validator for EvaluationReport {
    type Config = Config;

    fn validate(config: Config, subject: &Subject) -> Result<Report> {
        let Subject::Evaluation(evaluation) = subject else {
            let message = "a model is drawn here, and the step has none\nhint: give the step an input `model`, such as \
                           `model: train.model`";
            return Err(Error::invalid_input(message).at("model"));
        };
        let drawn = Drawn::of(&config, evaluation, &features()?)?;
        write_page(&drawn.html)?;
        scores::emit(&drawn.scores, drawn.rows)?;
        Ok(drawn.report())
    }
}

/// A page with what is on it.
struct Drawn {
    html: String,
    rows: usize,
    scores: Vec<Score>,
    figures: Vec<Figure>,
}

impl Drawn {
    fn of(config: &Config, evaluation: &Evaluation, features: &[Feature]) -> Result<Self> {
        let outcomes = Outcomes::read(config, evaluation)?;
        let (rows, left_out) = match &outcomes {
            Outcomes::Classes { candidate, .. } => (candidate.len(), candidate.left_out),
            Outcomes::Numbers { candidate, .. } => (candidate.truth.len(), candidate.left_out),
        };
        let scores = scores::of(&outcomes);
        let figures = figures::draw(config, &outcomes, features)?;
        let about = about(&outcomes, rows, left_out);
        let page = Page { title: &config.title, about: &about, scores: &scores, figures: &figures };
        Ok(Self { html: page.html(), rows, scores, figures })
    }

    fn report(&self) -> Report {
        let check = |figure: &Figure| Check {
            name: figure.name.to_owned(),
            passed: true,
            observed: figure.number.filter(|number| number.is_finite()),
            expected: "drawn".to_owned(),
            message: figure.caption.clone(),
            ..Check::default()
        };
        let said =
            self.scores.iter().filter_map(|score| Some(format!("{} {}", score.name, text::number(score.model?))));
        let said: Vec<String> = said.take(4).collect();
        let summary = format!(
            "{} of {}: {}",
            text::counted(self.figures.len() as u64, "drawing"),
            text::counted(self.rows as u64, "row"),
            said.join(", ")
        );
        Report { passed: true, summary, checks: self.figures.iter().map(check).collect() }
    }
}

/// What the numbers are of, in one sentence.
fn about(outcomes: &Outcomes, rows: usize, left_out: usize) -> String {
    let rows = text::counted(rows as u64, "held-out row");
    let mut about = match outcomes {
        Outcomes::Classes { candidate, baseline } => {
            let shown = candidate.names.iter().enumerate().take(8);
            let classes: Vec<String> =
                shown.map(|(class, name)| format!("{} of class “{name}”", candidate.count(class))).collect();
            let more = candidate.names.len() - classes.len();
            let more = if more > 0 { format!(" and {more} more classes") } else { String::new() };
            let positive = candidate.rows.positive.map_or_else(String::new, |positive| {
                format!(" Curves, precision and recall are about “{}”.", candidate.names[positive])
            });
            let beside = if baseline.is_some() { " The baseline predicts the same rows." } else { "" };
            format!("{rows}: {}{more}.{positive}{beside}", classes.join(", "))
        }
        Outcomes::Numbers { baseline, .. } => {
            let beside = if baseline.is_some() { " The baseline predicts the same rows." } else { "" };
            format!("{rows}.{beside}")
        }
    };
    if left_out > 0 {
        let left_out = text::counted(left_out as u64, "row");
        about += &format!(" {left_out} without a truth or a prediction are left out.");
    }
    about
}

/// What the optional input `importance` says.
fn features() -> Result<Vec<Feature>> {
    // Blobs exist inside the sandbox only, and a step without this input has none to open.
    if !cfg!(target_family = "wasm") {
        return Ok(Vec::new());
    }
    let Ok(blob) = blobs::open("importance") else { return Ok(Vec::new()) };
    let size = blob.size();
    if size > MOST_IMPORTANCE {
        let message = format!("the file has {size} bytes, more than {MOST_IMPORTANCE}");
        return Err(Error::invalid_input(message).at("importance"));
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size {
        let part = blob.read(bytes.len() as u64, PART)?;
        if part.is_empty() {
            return Err(Error::internal("the host gave fewer bytes than the blob has"));
        }
        bytes.extend(part);
    }
    importance::read(&bytes)
}

/// Ten thousand features with long names take less.
const MOST_IMPORTANCE: u64 = 16 << 20;
const PART: u64 = 1 << 20;

fn write_page(html: &str) -> Result<()> {
    if cfg!(target_family = "wasm") {
        let writer = blobs::create("page", "text/html")?;
        for part in html.as_bytes().chunks(PART as usize) {
            writer.write(part)?;
        }
    }
    Ok(())
}

wasmlops_sdk::export! { validator: EvaluationReport }

#[cfg(test)]
mod tests;
