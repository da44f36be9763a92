//! Executes one attempt of a step: everything it needs comes from the artifact store by digest, everything it makes is
//! returned as bytes. So the same code runs a step the first time and when it is verified years later.
//!
//! Blocking: call it away from the async threads. Knows nothing of runs, events or SQL.

mod batch;
mod candidate;
mod deploy;
mod failure;
mod model;
mod observe;
mod stage;
mod subject;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use wasmlops_core::artifact::media_type;
use wasmlops_core::cache_key::{KeyParts, step_seed};
use wasmlops_core::call::{Answer, Call, Cancel, Model, Observer, Outcome, Request, Sandbox, Usage};
use wasmlops_core::graph::{ArtifactType, BoundStep, Mode, StepKind};
use wasmlops_core::limits::Limits;
use wasmlops_core::run::Failure;
use wasmlops_core::table::Table;
use wasmlops_engine::{Engine, Prepared, Profile};
use wasmlops_package::{Digest, Kind};
use wasmlops_store::Blobs;

use crate::deployment::{Delivery, Reach};
use crate::secrets::{self, Revealed};
pub use batch::predict_rows;
pub use failure::host_failure;
use stage::Stage;

/// A step with everything it depends on, by digest.
#[derive(Clone, Debug)]
pub struct Work {
    pub kind: StepKind,
    /// A transform that applies its input `state` instead of fitting one.
    pub apply: bool,
    /// Name and version, for people.
    pub plugin: String,
    pub component: Digest,
    pub strict: bool,
    pub config: Value,
    /// In the order of the file.
    pub inputs: Vec<Input>,
    /// Granted files by path.
    pub files: BTreeMap<String, Digest>,
    pub seed: [u8; 32],
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub nominal_time: i64,
    pub limits: Limits,
    /// The outputs that the manifest declares.
    pub outputs: Vec<(String, ArtifactType)>,
    /// The state of an earlier attempt at the same work.
    pub checkpoint: Option<Vec<u8>>,
    /// What it was granted outside. Absent for work that is verified: it is not done again then.
    pub reach: Reach,
    /// Secrets that its configuration names.
    pub secrets: Revealed,
    /// What a deployer hands over.
    pub delivery: Option<Delivery>,
}

impl Work {
    /// The work that a key stands for.
    pub fn new(step: &BoundStep, parts: &KeyParts, run_seed: u64, nominal_time: i64) -> Self {
        let artifact =
            |name: &String| step.inputs.iter().find(|(known, _)| known == name).map(|(_, from)| from.artifact);
        let input = |(name, digest): &(String, Digest)| {
            Some(Input { name: name.clone(), artifact: artifact(name)?, digest: *digest })
        };
        Self {
            kind: step.kind,
            apply: step.mode == Mode::Apply,
            plugin: step.plugin.to_string(),
            component: step.plugin.digest,
            strict: step.strict,
            config: step.config.clone(),
            inputs: parts.inputs.iter().filter_map(input).collect(),
            files: parts.files.clone(),
            seed: step_seed(run_seed, step),
            nominal_time,
            limits: step.limits.clone(),
            outputs: step.outputs.iter().map(|output| (output.name.clone(), output.artifact)).collect(),
            checkpoint: None,
            reach: Reach::default(),
            secrets: Revealed::default(),
            delivery: None,
        }
    }
}

/// An artifact that a step was given.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    pub artifact: ArtifactType,
    pub digest: Digest,
}

/// What an attempt made.
#[derive(Debug, Default)]
pub struct Made {
    pub outputs: BTreeMap<String, Bytes>,
    /// Blobs that the outputs name by digest.
    pub parts: Vec<Vec<u8>>,
    pub usage: Usage,
}

/// An output before it is stored.
#[derive(Debug)]
pub struct Bytes {
    pub media_type: String,
    pub bytes: Vec<u8>,
    /// Rows, for tables.
    pub rows: Option<u64>,
}

/// How an attempt ended. A failed one may have made something all the same: a validator's report.
#[derive(Debug)]
pub struct Executed {
    pub failure: Option<Failure>,
    pub made: Made,
}

/// Runs attempts.
#[derive(Clone)]
pub struct Executor {
    pub engine: Engine,
    pub blobs: Blobs,
    /// Where private copies of granted files are made.
    pub scratch: std::path::PathBuf,
}

impl Executor {
    /// One attempt, from start to end. Nothing that comes of it holds a secret of the work.
    pub fn execute(&self, work: &Work, observer: Arc<dyn Observer>, cancel: Cancel) -> Executed {
        let redactor = work.secrets.redactor();
        let (observer, leaked) = secrets::discreet(observer, redactor);
        secrets::cleared(self.attempt(work, observer, cancel), redactor, &leaked)
    }

    fn prepare(&self, component: &Digest, profile: Profile) -> Result<Prepared, Failure> {
        if let Some(prepared) = self.engine.ready(component, profile) {
            return Ok(prepared);
        }
        let bytes = self.blobs.get_blocking(component).map_err(host_failure)?;
        self.engine.prepare(&bytes, profile).map_err(failure::of_prepare)
    }

    fn attempt(&self, work: &Work, observer: Arc<dyn Observer>, cancel: Cancel) -> Executed {
        let stage = match Stage::make(&self.scratch, &self.blobs, &work.files) {
            Ok(stage) => stage,
            Err(failure) => return Executed { failure: Some(failure), made: Made::default() },
        };
        let mut attempt = Attempt { executor: self, work, stage, observer, cancel, model: None, made: Made::default() };
        let failure = attempt.run().err();
        Executed { failure, made: attempt.made }
    }
}

/// An attempt under way.
struct Attempt<'a> {
    executor: &'a Executor,
    work: &'a Work,
    stage: Stage,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
    /// What a validator may ask.
    model: Option<Arc<dyn Model>>,
    made: Made,
}

impl Attempt<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        let StepKind::Plugin(kind) = self.work.kind else { return Err(failure::unsupported(self.work.kind)) };
        match kind {
            Kind::DataSource => self.read(),
            Kind::Processor => self.process(),
            Kind::Transform if self.work.apply => self.apply(),
            Kind::Transform => self.fit(),
            Kind::Trainer => self.train(),
            Kind::Predictor => self.predict(),
            Kind::Validator => self.validate(),
            Kind::Deployer => self.deploy(),
            Kind::Monitor => self.observe(),
        }
    }

    fn read(&mut self) -> Result<(), Failure> {
        let answer = self.main(Call::Read { config: self.config() })?;
        let wasmlops_core::call::Value::Source { table, report } = answer else { return Err(failure::odd_answer()) };
        self.made_table("table", &table)?;
        self.made_json("report", media_type::REPORT, &report)
    }

    fn process(&mut self) -> Result<(), Failure> {
        let mut inputs = Vec::new();
        for input in self.work.inputs.iter().filter(|input| input.artifact == ArtifactType::Table) {
            inputs.push((input.name.clone(), self.table(input)?));
        }
        let tables = self.work.outputs.iter().filter(|(_, artifact)| *artifact == ArtifactType::Table);
        let outputs = tables.map(|(name, _)| name.clone()).collect();
        let answer = self.main(Call::Process { config: self.config(), inputs, outputs })?;
        let wasmlops_core::call::Value::Tables(tables) = answer else { return Err(failure::odd_answer()) };
        tables.iter().try_for_each(|(name, table)| self.made_table(name, table))
    }

    /// Calls the step's own component; blobs that it creates become outputs.
    fn main(&mut self, call: Call) -> Result<wasmlops_core::call::Value, Failure> {
        let prepared = self.prepare(&self.work.component, self.work.strict)?;
        let answer = self.call(&prepared, call, true)?;
        for blob in answer.blobs {
            let output = Bytes { media_type: blob.media_type, bytes: blob.bytes, rows: None };
            self.made.outputs.insert(blob.name, output);
        }
        Ok(answer.value)
    }

    /// One call of a component. Only the step's `own` component sees its files, blobs and checkpoint; a transform or
    /// predictor that works on its behalf sees its arguments alone.
    fn call(&mut self, prepared: &Prepared, call: Call, own: bool) -> Result<Answer, Failure> {
        let sandbox = Sandbox {
            nominal_time: self.work.nominal_time,
            seed: self.work.seed,
            ..if own { self.own_sandbox()? } else { Sandbox::default() }
        };
        let request = Request {
            call,
            limits: self.work.limits.clone(),
            sandbox,
            observer: self.observer.clone(),
            cancel: self.cancel.clone(),
        };
        let report = self.executor.engine.call_blocking(prepared, request);
        add(&mut self.made.usage, &report.usage);
        match report.outcome {
            Outcome::Ok(answer) => Ok(answer),
            outcome => Err(failure::of_outcome(outcome, self.work)),
        }
    }

    fn own_sandbox(&self) -> Result<Sandbox, Failure> {
        let blob = |input: &Input| Ok((input.name.clone(), Arc::from(self.bytes(&input.digest)?)));
        let blobs = self.work.inputs.iter().filter(|input| input.artifact == ArtifactType::Blob);
        let outputs = self.work.outputs.iter().filter(|(_, artifact)| *artifact == ArtifactType::Blob);
        let mut blobs: BTreeMap<String, Arc<[u8]>> = blobs.map(blob).collect::<Result<_, Failure>>()?;
        blobs.extend(self.work.delivery.iter().flat_map(|delivery| delivery.files.clone()));
        Ok(Sandbox {
            files: self.stage.folder().map(std::path::Path::to_owned),
            checkpoint: self.work.checkpoint.as_deref().map(Arc::from),
            blobs,
            blob_outputs: outputs.map(|(name, _)| name.clone()).collect(),
            http: self.work.reach.http.clone(),
            endpoints: self.work.reach.endpoints.clone(),
            model: self.model.clone(),
            ..Sandbox::default()
        })
    }

    fn prepare(&self, component: &Digest, strict: bool) -> Result<Prepared, Failure> {
        self.executor.prepare(component, Profile { strict, fuel: self.work.limits.fuel.is_some() })
    }

    /// With the secrets in it: for the guest alone.
    fn config(&self) -> String {
        wasmlops_core::canonical_json::to_canonical(&self.work.secrets.fill(&self.work.config))
    }

    fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, Failure> {
        self.executor.blobs.get_blocking(digest).map_err(host_failure)
    }

    fn input(&self, name: &str) -> Option<&Input> {
        self.work.inputs.iter().find(|input| input.name == name)
    }

    fn required(&self, name: &str) -> Result<&Input, Failure> {
        self.input(name).ok_or_else(|| failure::missing_input(name))
    }

    fn table(&self, input: &Input) -> Result<Table, Failure> {
        Table::from_ipc(self.bytes(&input.digest)?).map_err(host_failure)
    }

    fn made_table(&mut self, name: &str, table: &Table) -> Result<(), Failure> {
        let bytes = table.to_ipc().map_err(host_failure)?;
        let output = Bytes { media_type: media_type::TABLE.to_owned(), bytes, rows: Some(table.num_rows()) };
        self.made.outputs.insert(name.to_owned(), output);
        Ok(())
    }

    fn made_json(&mut self, name: &str, media_type: &str, value: &impl serde::Serialize) -> Result<(), Failure> {
        let value = serde_json::to_value(value).map_err(host_failure)?;
        let bytes = wasmlops_core::canonical_json::to_canonical(&value).into_bytes();
        self.made.outputs.insert(name.to_owned(), Bytes { media_type: media_type.to_owned(), bytes, rows: None });
        Ok(())
    }

    /// Keeps bytes that an output will name by digest.
    fn made_part(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::blake3(&bytes);
        self.made.parts.push(bytes);
        digest
    }
}

/// A step may take several calls: times and counts add up, memory is the most at once.
fn add(total: &mut Usage, more: &Usage) {
    total.wall += more.wall;
    total.cpu += more.cpu;
    total.memory_peak = total.memory_peak.max(more.memory_peak);
    total.host_calls += more.host_calls;
    total.host_bytes += more.host_bytes;
    total.log_bytes += more.log_bytes;
    total.log_lines_dropped += more.log_lines_dropped;
    total.output_bytes += more.output_bytes;
    total.clock_read |= more.clock_read;
    if let Some(fuel) = more.fuel {
        *total.fuel.get_or_insert(0) += fuel;
    }
}
