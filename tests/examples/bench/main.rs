//! Measures serving, the API and monitoring, as ratios in one run, and prints Markdown tables. `cargo xtask bench` builds and
//! calls it; it takes the `wasmlops` that stands beside it in the target folder. Nothing here asserts a time.
//!
//! - [`project`]: a copy of the example, the models in it, its project file
//! - [`child`]: `wasmlops serve` and what stands next to it, as child processes
//! - [`load`]: the load generator
//! - [`serving`], [`footprint`], [`api`], [`drift`], [`foreign`]: what is measured

mod api;
mod baseline;
mod child;
mod drift;
mod footprint;
mod foreign;
mod load;
mod project;
mod serving;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

type Benchmark = fn(&Setting) -> Result<()>;

/// What can be measured, by the name that asks for it.
const BENCHMARKS: &[(&str, Benchmark)] = &[
    ("predict", serving::single_rows),
    ("batches", serving::batches),
    ("swap", serving::swaps),
    ("drift", drift::compare),
    ("footprint", footprint::measure),
    ("api", api::measure),
    ("mlflow", foreign::measure),
];

/// What all benchmarks are told.
pub struct Setting {
    /// The `wasmlops` to measure.
    pub wasmlops: PathBuf,
    /// `release` or `dev`.
    pub profile: &'static str,
    /// A Python that has what stands next to us.
    pub python: Option<PathBuf>,
    /// How long a load is measured, after a second that is not.
    pub length: Duration,
    /// How often the alias moves under load.
    pub moves: usize,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<()> {
    if let [first, answer] = arguments.as_slice()
        && first == baseline::FLAG
    {
        return baseline::serve(answer.clone());
    }
    let mut setting = Setting::here()?;
    let mut names = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("`{argument}` needs a value"));
        match argument.as_str() {
            "--python" => setting.python = Some(value()?.into()),
            "--seconds" => setting.length = Duration::from_secs(value()?.parse()?),
            "--moves" => setting.moves = value()?.parse()?,
            _ => names.push(argument),
        }
    }
    let known = |name: &str| BENCHMARKS.iter().any(|(known, _)| *known == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let known: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
        bail!("there is no benchmark `{unknown}`\nhint: there are {}", known.join(", "));
    }
    println!("Profile `{}`, {} cores.", setting.profile, std::thread::available_parallelism()?);
    for (name, measure) in BENCHMARKS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            eprintln!("bench: {name}");
            measure(&setting).with_context(|| format!("benchmark `{name}`"))?;
        }
    }
    Ok(())
}

impl Setting {
    /// What stands beside this program says which build is measured.
    fn here() -> Result<Self> {
        let examples = std::env::current_exe()?;
        let folder = examples.ancestors().nth(2).context("this program lies in no target folder")?;
        let wasmlops = folder.join("wasmlops");
        if !wasmlops.is_file() {
            bail!("`{}` is not built\nhint: run `cargo xtask bench`", wasmlops.display());
        }
        let profile = if folder.ends_with("debug") { "dev" } else { "release" };
        Ok(Self { wasmlops, profile, python: None, length: Duration::from_secs(5), moves: 100 })
    }
}
