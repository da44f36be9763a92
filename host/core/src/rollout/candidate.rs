//! Canaries and shadows on trial: the rules that take them back, and the steps that make them live.

use std::time::Duration;

use super::{Action, Endpoint, Measured, Phase, Reason, Rules};
use crate::run::Micros;

impl Endpoint {
    pub(super) fn judge_candidate(&mut self, actions: &mut Vec<Action>, measured: &Measured, now: Micros) {
        let Some(candidate) = self.candidate().filter(|candidate| candidate.phase != Phase::Pending) else { return };
        let id = candidate.id.clone();
        if let Some(reason) = self.rules.broken(measured) {
            return self.end_rolled_back(actions, &id, reason, now);
        }
        let done = candidate.phase == Phase::Canary
            && candidate.ready
            && !candidate.paused
            && elapsed(candidate.since, now) >= candidate.plan.bake
            && measured.requests >= candidate.plan.requests;
        if !done {
            return;
        }
        if candidate.step + 1 == candidate.plan.steps.len() {
            return self.go_live(actions, &id, now);
        }
        let candidate = self.release_mut(&id).expect("it was found above");
        candidate.step += 1;
        candidate.since = now;
        let (version, share) = (candidate.version, candidate.canary_share());
        actions.push(Action::Advance { release: id, version, share });
    }

    /// A release that has just become live is on probation for as long as a canary's step would bake: if it fails then,
    /// the version before it comes back. Later, and for latency, the fault may well lie elsewhere.
    pub(super) fn judge_live(&mut self, actions: &mut Vec<Action>, measured: &Measured, fresh: &str, now: Micros) {
        let Some(live) = self.live().filter(|live| live.leaving.is_none()) else { return };
        let on_probation = elapsed(live.since, now) < live.plan.bake;
        if on_probation && self.previous().is_some() && self.rules.too_many_errors(measured) {
            let id = live.id.clone();
            self.roll_back(actions, &id, self.rules.error_rate_reason(measured), fresh, now);
        }
    }

    /// Errors are judged as they happen, not at the next tick.
    pub(super) fn failed(
        &mut self,
        actions: &mut Vec<Action>,
        id: &str,
        measured: &Measured,
        fresh: &str,
        now: Micros,
    ) {
        if self.live().is_some_and(|live| live.id == id) {
            return self.judge_live(actions, measured, fresh, now);
        }
        let on_trial = self.candidate().is_some_and(|candidate| candidate.id == id);
        if on_trial && self.rules.too_many_errors(measured) {
            self.end_rolled_back(actions, id, self.rules.error_rate_reason(measured), now);
        }
    }

    pub(super) fn pause(&mut self, actions: &mut Vec<Action>, by: String, reason: String) {
        let Some(release) = self.releases.iter_mut().find(|release| release.is_candidate()) else { return };
        if !std::mem::replace(&mut release.paused, true) {
            actions.push(Action::Pause { release: release.id.clone(), by, reason });
        }
    }

    pub(super) fn go_on(&mut self, actions: &mut Vec<Action>, by: String, now: Micros) {
        let Some(release) = self.releases.iter_mut().find(|release| release.is_candidate()) else { return };
        if std::mem::replace(&mut release.paused, false) {
            // It bakes anew: whoever paused it had a doubt.
            release.since = now;
            actions.push(Action::Continue { release: release.id.clone(), by });
        }
    }

    /// Drift is a reason to stop changing things: a canary goes, a live release stays.
    pub(super) fn drift_found(&mut self, actions: &mut Vec<Action>, message: String, now: Micros) {
        let canary = self.candidate().filter(|_| self.rules.rollback.on_drift);
        if let Some(id) = canary.map(|canary| canary.id.clone()) {
            self.end_rolled_back(actions, &id, Reason::Drift { message }, now);
        }
    }

    pub(super) fn score_measured(
        &mut self,
        actions: &mut Vec<Action>,
        version: u64,
        (metric, value, labels): (&str, f64, u64),
        fresh: &str,
        now: Micros,
    ) {
        let Some(rule) = self.rules.rollback.score.clone() else { return };
        // A score that is no number is no good score.
        let good = value >= rule.min;
        if rule.metric != metric || labels < rule.labels || good {
            return;
        }
        let reason = Reason::Score { metric: rule.metric, value, min: rule.min, labels };
        let at_fault = [self.candidate(), self.live()].into_iter().flatten().find(|release| release.version == version);
        if let Some(id) = at_fault.map(|release| release.id.clone()) {
            self.roll_back(actions, &id, reason, fresh, now);
        }
    }
}

impl Rules {
    fn broken(&self, measured: &Measured) -> Option<Reason> {
        if self.too_many_errors(measured) {
            return Some(self.error_rate_reason(measured));
        }
        let limit = self.rollback.p99?;
        let slow = measured.requests >= self.rollback.requests && measured.p99 > limit;
        slow.then_some(Reason::Latency {
            p99_ms: measured.p99.as_secs_f64() * 1000.0,
            limit_ms: limit.as_secs_f64() * 1000.0,
            requests: measured.requests,
        })
    }

    fn error_rate_reason(&self, measured: &Measured) -> Reason {
        let limit = self.rollback.error_rate.unwrap_or(0.0);
        Reason::ErrorRate { errors: measured.errors, requests: measured.requests, limit }
    }
}

fn elapsed(since: Micros, now: Micros) -> Duration {
    Duration::from_micros(u64::try_from(now.saturating_sub(since)).unwrap_or(0))
}
