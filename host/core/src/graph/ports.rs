//! What each kind takes and gives, and whether a step's inputs fit.

use wasmlops_package::Kind;

use crate::config::{Input, Step, listed};
use crate::diagnostics::{Problems, suggest};
use crate::graph::links::Link;
use crate::graph::plugins::Chosen;
use crate::graph::{ArtifactType, Mode, Output, StepKind};

/// What a step takes.
pub(super) struct Takes {
    ports: Vec<Port>,
    /// Tables under any name.
    any_table: bool,
    /// Transform states under any name.
    states: bool,
    /// Whatever there is, under any name.
    anything: bool,
}

struct Port {
    name: String,
    artifact: ArtifactType,
    required: bool,
}

pub(super) fn mode(kind: StepKind, step: &Step) -> Mode {
    let has_state = step.inputs.iter().any(|input| input.name.value == "state");
    if kind == Kind::Transform && has_state { Mode::Apply } else { Mode::Main }
}

/// The kind's own outputs, then the blobs that the manifest declares.
pub(super) fn outputs(chosen: &Chosen<'_>, mode: Mode) -> Vec<Output> {
    let own: &[(&str, ArtifactType)] = match (chosen.kind, mode) {
        (StepKind::Model, _) => &[("version", ArtifactType::Version)],
        (StepKind::Artifact | StepKind::Search, _) => &[],
        (StepKind::Approval, _) => &[("decision", ArtifactType::Report)],
        (StepKind::Plugin(kind), mode) => own_outputs(kind, mode),
    };
    let mut outputs: Vec<_> = own
        .iter()
        .map(|(name, artifact)| Output { name: (*name).to_owned(), artifact: *artifact, optional: false })
        .collect();
    let artifact = if chosen.kind == Kind::Processor { ArtifactType::Table } else { ArtifactType::Blob };
    for port in &chosen.manifest.outputs {
        // A transform's manifest may list what it gives in either mode: those are never blobs.
        let other_mode = chosen.kind == Kind::Transform && ["state", "table"].contains(&port.name.as_str());
        if !other_mode && !outputs.iter().any(|output| output.name == port.name) {
            outputs.push(Output { name: port.name.clone(), artifact, optional: port.optional });
        }
    }
    outputs
}

fn own_outputs(kind: Kind, mode: Mode) -> &'static [(&'static str, ArtifactType)] {
    match (kind, mode) {
        (Kind::DataSource, _) => &[("table", ArtifactType::Table), ("report", ArtifactType::Report)],
        (Kind::Transform, Mode::Main) => &[("state", ArtifactType::State)],
        (Kind::Transform, Mode::Apply) => &[("table", ArtifactType::Table)],
        (Kind::Trainer, _) => &[("model", ArtifactType::Model)],
        (Kind::Predictor, _) => &[("predictions", ArtifactType::Table)],
        (Kind::Validator, _) => &[("report", ArtifactType::Report)],
        (Kind::Deployer, _) => &[("deployment", ArtifactType::Report)],
        (Kind::Monitor, _) => &[("findings", ArtifactType::Report)],
        (Kind::Processor, _) => &[],
    }
}

/// What an `artifact` step brings in, from what it was told: a model is named with an `@`, and `as` says what a digest
/// is. A run may lack it.
pub(super) fn artifact_output(config: Option<&serde_json::Value>) -> Output {
    let text = |key: &str| config.and_then(|config| config.get(key)?.as_str());
    let artifact = match text("as") {
        Some("state") => ArtifactType::State,
        Some("model") => ArtifactType::Model,
        Some("report") => ArtifactType::Report,
        Some("blob") => ArtifactType::Blob,
        _ if text("from").is_some_and(|from| from.contains('@')) => ArtifactType::Model,
        _ => ArtifactType::Table,
    };
    Output { name: artifact.to_string(), artifact, optional: true }
}

type Named = (&'static str, ArtifactType);

/// What each kind takes by itself: what it needs, and what it can do without.
fn own_inputs(kind: StepKind, mode: Mode) -> (&'static [Named], &'static [Named]) {
    let StepKind::Plugin(kind) = kind else {
        return if kind == StepKind::Model { (&[("model", ArtifactType::Model)], &[]) } else { (&[], &[]) };
    };
    match (kind, mode) {
        (Kind::Transform, Mode::Main) => (&[("table", ArtifactType::Table)], &[]),
        (Kind::Transform, Mode::Apply) => (&[("table", ArtifactType::Table), ("state", ArtifactType::State)], &[]),
        (Kind::Trainer, _) => (&[("train", ArtifactType::Table)], &[("validation", ArtifactType::Table)]),
        (Kind::Predictor, _) => (&[("model", ArtifactType::Model), ("table", ArtifactType::Table)], &[]),
        (Kind::Validator, _) => {
            (&[("table", ArtifactType::Table)], &[("model", ArtifactType::Model), ("baseline", ArtifactType::Model)])
        }
        (Kind::Deployer, _) => (&[("release", ArtifactType::Version)], &[]),
        (Kind::Monitor, _) => (&[("window", ArtifactType::Table)], &[("reference", ArtifactType::Table)]),
        (Kind::DataSource | Kind::Processor, _) => (&[], &[]),
    }
}

impl Takes {
    pub fn of(chosen: &Chosen<'_>, mode: Mode) -> Self {
        let (required, optional) = own_inputs(chosen.kind, mode);
        let declared = &chosen.manifest.inputs;
        let find = |name: &str| declared.iter().find(|port| port.name == name);
        let port = |name: &str, artifact, required| Port { name: name.to_owned(), artifact, required };
        let mut ports: Vec<_> = required.iter().map(|(name, artifact)| port(name, *artifact, true)).collect();
        // Optional inputs exist where the manifest lists them, or where it lists nothing.
        for (name, artifact) in optional.iter().filter(|(name, _)| declared.is_empty() || find(name).is_some()) {
            ports.push(port(name, *artifact, find(name).is_some_and(|port| !port.optional)));
        }
        let other = if chosen.kind == Kind::Processor { ArtifactType::Table } else { ArtifactType::Blob };
        for input in declared.iter().filter(|input| input.name != "*") {
            let standard = ports.iter().any(|port| port.name == input.name);
            let other_mode = chosen.kind == Kind::Transform && input.name == "state";
            if !standard && !other_mode {
                ports.push(port(&input.name, other, !input.optional));
            }
        }
        Self {
            ports,
            any_table: chosen.kind == Kind::Processor && find("*").is_some(),
            states: chosen.kind == Kind::Transform || chosen.kind == Kind::Trainer,
            // What a search takes is said by its trial.
            anything: matches!(chosen.kind, StepKind::Approval | StepKind::Search),
        }
    }

    /// Whether the step can run without this input.
    pub fn can_lack(&self, input: &str) -> bool {
        !self.ports.iter().any(|port| port.name == input && port.required)
    }

    /// In words: `` `train`, `validation` and transform states under any name``.
    fn describe(&self) -> String {
        let names = listed(self.ports.iter().map(|port| port.name.as_str()));
        let more = match (self.any_table, self.states) {
            (true, _) => "tables under any name",
            (_, true) => "transform states under any name",
            _ => return names,
        };
        if self.ports.is_empty() { more.to_owned() } else { format!("{names}, and {more}") }
    }
}

/// Everything that steps produce: the step's place in the file, `step.output`, and what it is. For hints.
pub(super) struct Produced(pub Vec<(usize, String, ArtifactType)>);

impl Produced {
    /// `tables are `ingest.table` and `split.train``; nothing where no step but `reader` produces one.
    fn describe(&self, artifact: ArtifactType, reader: usize) -> Option<String> {
        let fits = |(step, _, given): &&(usize, String, ArtifactType)| *given == artifact && *step != reader;
        let names: Vec<_> = self.0.iter().filter(fits).map(|(_, name, _)| name.as_str()).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("`{one}` is a {artifact}")),
            many => Some(format!("{artifact}s are {}", listed(many.iter().copied()))),
        }
    }
}

/// A step whose inputs are checked.
pub(super) struct Reader<'a> {
    /// Its place in the file.
    pub at: usize,
    pub step: &'a Step,
    pub chosen: &'a Chosen<'a>,
    /// One for each input.
    pub links: &'a [Option<Link>],
}

/// Reports inputs that the step's kind does not take, that have the wrong type, or that are missing.
pub(super) fn check(reader: &Reader<'_>, produced: &Produced, problems: &mut Problems<'_>) {
    let Reader { at, step, chosen, links } = *reader;
    let takes = Takes::of(chosen, mode(chosen.kind, step));
    // Inputs that are there with a slip in their name are not missing as well.
    let mut meant = Vec::new();
    for (input, link) in step.inputs.iter().zip(links) {
        let artifact = link.as_ref().and_then(|link| link.artifact);
        let port = takes.ports.iter().find(|port| port.name == input.name.value);
        match (port, artifact) {
            (Some(port), Some(artifact)) if !fits(port.artifact, artifact) => {
                wrong_artifact(reader, input, (port.artifact, artifact), produced, problems);
            }
            (Some(_), _) => {}
            (None, _) if takes.anything => {}
            (None, Some(ArtifactType::State)) if takes.states => {}
            (None, Some(artifact)) if takes.any_table && artifact != ArtifactType::Table => {
                wrong_artifact(reader, input, (ArtifactType::Table, artifact), produced, problems);
            }
            (None, Some(_)) if takes.any_table => {}
            // What the input would bring is unknown because of another mistake.
            (None, None) if takes.any_table || takes.states => {}
            (None, _) => meant.extend(unknown_input(step, input, chosen, &takes, problems)),
        }
    }
    for port in takes.ports.iter().filter(|port| port.required && !meant.contains(&port.name.as_str())) {
        if !step.inputs.iter().any(|input| input.name.value == port.name) {
            let message = format!("step `{}` needs input `{}`", step.name.value, port.name);
            let hint = match produced.describe(port.artifact, at) {
                Some(outputs) => format!("add `inputs: {{ {}: ... }}`; {outputs}", port.name),
                None => format!("no other step produces a {}: add one that does", port.artifact),
            };
            problems.add_with_hint("missing-input", step.name.span, message, hint);
        }
    }
}

/// A blob input takes reports as well: both are bytes that the guest opens by name.
fn fits(wanted: ArtifactType, given: ArtifactType) -> bool {
    wanted == given || (wanted == ArtifactType::Blob && given == ArtifactType::Report)
}

fn wrong_artifact(
    reader: &Reader<'_>,
    input: &Input,
    (wanted, given): (ArtifactType, ArtifactType),
    produced: &Produced,
    problems: &mut Problems<'_>,
) {
    let (name, step) = (&input.name.value, &reader.step.name.value);
    let message =
        format!("input `{name}` of step `{step}` must be a {wanted}, and `{}` is a {given}", input.from.value);
    let hint = produced.describe(wanted, reader.at).unwrap_or_else(|| format!("no other step produces a {wanted}"));
    problems.add_with_hint("wrong-input-type", input.from.span, message, hint);
}

/// Reports an input that the step does not take, and says which one was probably meant.
fn unknown_input<'t>(
    step: &Step,
    input: &Input,
    chosen: &Chosen<'_>,
    takes: &'t Takes,
    problems: &mut Problems<'_>,
) -> Option<&'t str> {
    let message = format!(
        "step `{}`: `{}` ({}) has no input `{}`",
        step.name.value, chosen.plugin.name, chosen.kind, input.name.value
    );
    let near = suggest(&input.name.value, takes.ports.iter().map(|port| port.name.as_str()));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`? it takes {}", takes.describe()),
        None => format!("it takes {}", takes.describe()),
    };
    problems.add_with_hint("unknown-input", input.name.span, message, hint);
    near
}
