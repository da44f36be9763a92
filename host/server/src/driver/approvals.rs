//! Steps that wait for a person: what is asked becomes a row together with its event, and what was decided becomes the
//! run's next event. Who may decide, and how, is [`crate::approvals`].

use std::collections::BTreeMap;

use wasmlops_core::approval::{DecisionDocument, Request, Shown, Verdict};
use wasmlops_core::artifact::{OutputRecord, media_type};
use wasmlops_core::config::format_duration;
use wasmlops_core::graph::{BoundStep, StepKey};
use wasmlops_core::run::{Event, Failure, Micros, Phase};
use wasmlops_store::{ApprovalRow, ApprovalState, NewApproval};

use super::{Driver, failed, host_failure};
use crate::clock::rfc3339;
use crate::error::{Error, Result};

impl Driver {
    /// Asks a person. The step's state and the question become durable together.
    pub(super) fn ask(&mut self, step: &BoundStep) -> Event {
        let request = match Request::of(&step.config) {
            Ok(request) => request,
            Err(why) => return failed(step.key.clone(), host_failure(why)),
        };
        let now = self.drive.host.clock.now();
        let wait = Micros::try_from(request.expires.as_micros()).unwrap_or(Micros::MAX);
        let expires = now.saturating_add(wait);
        let approval = NewApproval {
            step_key: step.key.to_string(),
            attempt: i64::from(self.drive.run.state(&step.key).attempts) + 1,
            pipeline: self.drive.run.graph().pipeline.clone(),
            message: request.message,
            role: request.role.to_string(),
            shown: serde_json::to_string(&self.shown(step)).expect("texts and digests are JSON"),
            expires,
        };
        self.journal.asks(&step.key, approval);
        Event::ApprovalRequested { step: step.key.clone(), expires }
    }

    fn shown(&self, step: &BoundStep) -> BTreeMap<String, Shown> {
        let shown = step.inputs.iter().filter_map(|(name, from)| {
            let output = self.drive.run.input(from)?;
            let from = format!("{}.{}", from.step, from.output);
            let (digest, media_type) = (output.digest, output.media_type.clone());
            Some((name.clone(), Shown { from, digest, media_type }))
        });
        shown.collect()
    }

    /// What was decided, or became too late, since the run last looked.
    pub(super) async fn decisions(&mut self) -> Result<Vec<Event>> {
        let now = self.drive.host.clock.now();
        let mut asked = false;
        let mut is_due = false;
        for (_, until) in self.drive.run.awaiting() {
            asked = true;
            is_due |= until <= now;
        }
        if !asked {
            return Ok(Vec::new());
        }
        let store = self.drive.host.store.clone();
        if is_due {
            store.expire_approvals(Some(&self.drive.id), now).await?;
        }
        let mut events = Vec::new();
        for row in store.unsettled_decisions(&self.drive.id).await? {
            let step = StepKey::new(row.step_key.clone());
            let state = self.drive.run.state(&step);
            if matches!(state.phase, Phase::Awaiting { .. }) && i64::from(state.attempts) == row.attempt {
                events.push(self.decided(step, row).await?);
            }
        }
        Ok(events)
    }

    /// Nothing else can go on: the next events, or nothing where the run has to be let go of.
    pub(super) async fn while_waiting(&mut self) -> Result<Option<Vec<Event>>> {
        let asked_to_stop =
            self.drive.cancel.is_cancelled() || self.drive.host.store.cancel_requested(&self.drive.id).await?;
        if asked_to_stop && !self.cancelling {
            self.cancelling = true;
            return Ok(Some(vec![Event::CancelRequested]));
        }
        let events = self.decisions().await?;
        Ok((!events.is_empty()).then_some(events))
    }

    async fn decided(&mut self, step: StepKey, row: ApprovalRow) -> Result<Event> {
        let asked = Request::of(&self.drive.run.step(&step).config).map_err(Error::bug)?;
        let decision = match row.state {
            ApprovalState::Approved => Verdict::Approved,
            ApprovalState::Rejected => Verdict::Rejected,
            ApprovalState::Expired | ApprovalState::Open | ApprovalState::Withdrawn => Verdict::Expired,
        };
        let failure = match decision {
            Verdict::Approved => None,
            Verdict::Rejected => Some(rejected(&row)),
            Verdict::Expired => Some(expired(&asked)),
        };
        let document = DecisionDocument {
            run: row.run,
            pipeline: row.pipeline,
            step: row.step_key,
            message: row.message,
            decision,
            by: row.decided_by,
            role: asked.role,
            requested: rfc3339(row.requested),
            decided: rfc3339(row.decided.unwrap_or(row.expires)),
            reason: row.reason,
            input: parsed(row.input.as_deref().unwrap_or("{}"))?,
            shown: parsed(&row.shown)?,
        };
        let outputs = BTreeMap::from([("decision".to_owned(), self.stored(&document).await?)]);
        Ok(match (decision, failure) {
            (Verdict::Rejected, Some(failure)) => Event::Rejected { step, failure, outputs },
            (_, Some(failure)) => Event::Expired { step, failure, outputs },
            (_, None) => Event::Approved { step, outputs },
        })
    }

    async fn stored(&mut self, document: &DecisionDocument) -> Result<OutputRecord> {
        let bytes = document.to_bytes();
        let size = bytes.len() as u64;
        let digest = self.drive.host.store.blobs().put(bytes).await.map_err(Error::store)?;
        Ok(OutputRecord { digest, media_type: media_type::DECISION.to_owned(), size, rows: None })
    }
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::bug)
}

fn rejected(row: &ApprovalRow) -> Failure {
    let by = row.decided_by.as_deref().unwrap_or("somebody");
    let why = row.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
    failure("rejected", format!("`{by}` rejected it{why}"))
}

fn expired(asked: &Request) -> Failure {
    failure("expired", format!("nobody decided within {}", format_duration(asked.expires)))
}

fn failure(code: &str, message: String) -> Failure {
    Failure {
        code: code.to_owned(),
        message,
        hint: Some("`wasmlops runs resume` asks again".to_owned()),
        field: None,
        retryable: false,
    }
}
