//! A step that may start: what is known of it is looked up, and then it is a hit, is run, or asks a person.

use wasmlops_core::graph::{BoundStep, OutputRef, StepKey, StepKind};
use wasmlops_core::plan::{Reason, Verdict};
use wasmlops_core::run::{Event, Metrics};

use super::{Done, Driver};
use crate::error::{Error, Result};
use crate::executor::Work;
use crate::lookup::{Known, Looked, Lookup};

impl Driver {
    pub(super) fn look_up(&mut self, step: StepKey) {
        let run = &self.drive.run;
        let bound = run.step(&step);
        let input = |(name, from): &(String, OutputRef)| match run.input(from) {
            Some(output) => Some(Ok((name.clone(), output.digest))),
            None if bound.optional_inputs.contains(name) => None,
            None => Some(Err(absent(name, from, run.step(&from.step)))),
        };
        let inputs: Result<Vec<_>> = bound.inputs.iter().filter_map(input).collect();
        let (host, graph, seed) = (self.drive.host.clone(), run.graph().clone(), self.drive.seed);
        let id = self.drive.id.clone();
        self.tasks.spawn(async move {
            let found = match inputs {
                Ok(inputs) => {
                    let known = Known::Run(&id);
                    let lookup =
                        Lookup { host: &host, graph: &graph, step: &step, inputs, seed, keep_files: true, known };
                    lookup.find().await
                }
                Err(error) => Err(error),
            };
            Done::Found { step, found: Box::new(found) }
        });
    }

    /// A hit, or an attempt with the reason why it must be.
    pub(super) fn judge(&mut self, key: StepKey, Looked { found, document }: Looked) -> Event {
        let step = self.drive.run.step(&key).clone();
        let parts = found.parts.clone();
        let params = self.drive.run.graph().params.clone();
        let mut verdict = self.planner.judge(&step, found, &params, self.drive.nominal_time);
        if let (Verdict::Hit(_), false) = (&verdict, self.drive.use_cache) {
            let text = "every step was asked to run".to_owned();
            verdict = Verdict::Off(Reason { root: text.clone(), text });
        }
        // A result has no points any more that could be compared with those of other trials.
        if let (Verdict::Hit(_), Some(stopper)) = (&verdict, self.watched(&key)) {
            let text = format!("`{}` decides whether the trial goes on", stopper.metric());
            verdict = Verdict::Off(Reason { root: text.clone(), text });
        }
        self.journal.judged(&key, parts.clone(), &verdict);
        if step.kind == StepKind::Approval {
            self.active.remove(&key);
            return self.ask(&step);
        }
        match verdict {
            Verdict::Hit(entry) => {
                self.active.remove(&key);
                self.drive.host.counts.cache_hits.of([&self.drive.run.graph().pipeline]).add(1);
                Event::Hit {
                    step: key,
                    key: parts.key(),
                    from_run: entry.run,
                    outputs: entry.outputs,
                    metrics: entry.metrics,
                }
            }
            Verdict::Resolved(resolution) => {
                self.active.remove(&key);
                Event::Hit {
                    step: key,
                    key: parts.key(),
                    from_run: self.drive.id.clone(),
                    outputs: resolution.outputs,
                    metrics: Metrics::default(),
                }
            }
            Verdict::Miss(_) | Verdict::Off(_) => {
                self.documents.extend(document.map(|document| (key.clone(), document)));
                self.works.insert(key.clone(), Work::new(&step, &parts, self.drive.seed, self.drive.nominal_time));
                Event::AttemptStarted { step: key }
            }
        }
    }
}

/// An input that the step needs and that its producer did not make.
fn absent(name: &str, from: &OutputRef, producer: &BoundStep) -> Error {
    let (step, output) = (&from.step, &from.output);
    if producer.kind == StepKind::Artifact {
        let named = producer.config.get("from").and_then(|from| from.as_str()).unwrap_or_default();
        let message = match named {
            "" => format!("input `{name}`: `{step}` names no artifact"),
            named => format!("input `{name}`: there is no `{named}` yet"),
        };
        return Error::user("invalid-input", message, "name one that is there, or register the model first");
    }
    let message = format!("input `{name}`: this run's `{step}.{output}` made no such output");
    Error::user("invalid-input", message, "the plugin's documentation says when it makes the output")
}
