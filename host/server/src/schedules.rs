//! Runs pipelines when their time has come: the project's schedules, and backfills of times that have passed.
//!
//! What becomes of a time is decided in core; here it is put into effect. A nominal time that gets a run, the run, how
//! far the schedule was decided and the audit record are one transaction, so that a death before it changes nothing and
//! one after it loses nothing. A run's id follows from the schedule and the time, and no time gets a second one.
//!
//! Read in this order: [`service`] (the round that is made each second), `known` (what the file says against what the
//! store knows), `fire` (from what is due to runs), `backfill`, [`control`] (what people ask for), [`view`].

mod backfill;
pub mod control;
mod fire;
mod known;
pub mod service;
mod template;
pub mod view;

#[cfg(test)]
mod tests;

use wasmlops_core::config::ScheduleConfig;
use wasmlops_core::run::Micros;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{Submission, derived_id};

pub use service::Service;

/// The schedule of that name in the project file.
pub fn configured<'a>(host: &'a Host, name: &str) -> Result<&'a ScheduleConfig> {
    let schedules = &host.project.schedules;
    schedules.iter().find(|schedule| schedule.name.value == name).ok_or_else(|| {
        let names = schedules.iter().map(|schedule| schedule.name.value.as_str());
        let hint = match wasmlops_core::diagnostics::suggest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if schedules.is_empty() => "add it under `schedules` in wasmlops.yaml".to_owned(),
            None => "`wasmlops schedule list` shows them".to_owned(),
        };
        Error::user("unknown-schedule", format!("there is no schedule `{name}`"), hint)
    })
}

/// In whose name a schedule's runs act.
fn actor(schedule: &str) -> String {
    format!("schedule:{schedule}")
}

/// The run of a schedule at a nominal time: the same for the same time.
fn submission(schedule: &ScheduleConfig, nominal: Micros, origin: String) -> Submission {
    let name = &schedule.name.value;
    Submission {
        id: Some(derived_id(&["schedule", name, &nominal.to_string()])),
        pipeline: schedule.pipeline.value.clone(),
        params: schedule.params.clone(),
        nominal_time: Some(nominal),
        priority: schedule.priority,
        origin,
        ..Submission::default()
    }
}
