//! One function for each event; what several share lies below.

use super::{Action, Cause, Endpoint, Event, Phase, Plan, Reason, Release};
use crate::call::ReleaseMode;
use crate::run::Micros;

impl Endpoint {
    /// Takes an event in and says what is to be done. An event about a release that is over, or unknown, changes
    /// nothing: it came too late.
    pub fn apply(&mut self, event: Event, now: Micros) -> Vec<Action> {
        let before = self.traffic();
        let mut actions = Vec::new();
        match event {
            Event::Requested { release, version, plan } => {
                self.requested(&mut actions, new_release(release, version, plan, Cause::Requested, now));
            }
            Event::Ready { release } => self.ready(&mut actions, &release, now),
            Event::LoadFailed { release, message } => self.load_failed(&mut actions, &release, message, now),
            Event::Tick { live, candidate, fresh } => {
                self.judge_live(&mut actions, &live, &fresh, now);
                self.judge_candidate(&mut actions, &candidate, now);
            }
            Event::Failed { release, measured, fresh } => {
                self.failed(&mut actions, &release, &measured, &fresh, now);
            }
            Event::Paused { by, reason } => self.pause(&mut actions, by, reason),
            Event::Continued { by } => self.go_on(&mut actions, by, now),
            Event::RollbackRequested { by, reason, fresh } => {
                self.roll_back_newest(&mut actions, Reason::Requested { by, reason }, &fresh, now);
            }
            Event::Withdrawn { release, by, fresh } => {
                self.roll_back(&mut actions, &release, Reason::Withdrawn { by }, &fresh, now);
            }
            Event::AliasMoved { version, fresh } => self.alias_moved(&mut actions, version, fresh, now),
            Event::AliasRefused { release, message } => self.alias_refused(&mut actions, &release, message, now),
            Event::DriftFound { message } => self.drift_found(&mut actions, message, now),
            Event::ScoreMeasured { version, metric, value, labels, fresh } => {
                self.score_measured(&mut actions, version, (&metric, value, labels), &fresh, now);
            }
        }
        if self.incoming().is_none()
            && let Some(live) = self.releases.iter_mut().find(|release| release.phase == Phase::Live)
        {
            // What was to replace it has gone.
            live.leaving = None;
        }
        let shares = self.traffic();
        if shares != before {
            actions.push(Action::SetTraffic { shares });
        }
        actions
    }

    fn requested(&mut self, actions: &mut Vec<Action>, release: Release) {
        if self.release(&release.id).is_some() {
            return;
        }
        let reason = format!("version {} was asked for", release.version);
        // A release that is to be live replaces both; a candidate leaves the one that is about to be live alone.
        self.retire_candidate(actions, &reason, release.since);
        if release.plan.mode == ReleaseMode::Live {
            self.retire_incoming(actions, &reason, release.since);
        }
        self.take_on(actions, release);
    }

    fn take_on(&mut self, actions: &mut Vec<Action>, release: Release) {
        actions.push(Action::Load { release: release.id.clone(), version: release.version });
        self.releases.push(release);
    }

    fn ready(&mut self, actions: &mut Vec<Action>, id: &str, now: Micros) {
        let has_live = self.live().is_some();
        let Some(release) = self.release_mut(id).filter(|release| !release.is_over()) else { return };
        release.ready = true;
        if release.phase != Phase::Pending {
            return;
        }
        release.since = now;
        match release.plan.mode {
            ReleaseMode::Canary if has_live && !release.plan.steps.is_empty() => release.phase = Phase::Canary,
            ReleaseMode::Shadow if has_live => release.phase = Phase::Shadow,
            // The first release is live at once: there is nothing to compare it with.
            _ => return self.go_live(actions, id, now),
        }
        let (release, version, share) = (release.id.clone(), release.version, release.canary_share());
        actions.push(Action::Start { release, version, share });
    }

    /// The release answers from now on; the one before it ends.
    pub(super) fn go_live(&mut self, actions: &mut Vec<Action>, id: &str, now: Micros) {
        let Some(version) = self.release(id).map(|release| release.version) else { return };
        actions.push(Action::Promote { release: id.to_owned(), version });
        if self.standing.followed != Some(version) {
            self.standing.followed = Some(version);
            let reason = format!("release `{id}` is live");
            actions.push(Action::MoveAlias { release: id.to_owned(), version, reason });
        }
        self.end_live(actions, version, now);
        for release in &mut self.releases {
            if release.id == id {
                (release.phase, release.since, release.paused) = (Phase::Live, now, false);
                (release.was_live, release.reason) = (true, None);
            } else if release.phase == Phase::Canary {
                // Compared with another release from here on.
                release.since = now;
            }
        }
        self.retire_incoming(actions, &format!("version {version} is live"), now);
        self.standing.message = None;
    }

    /// The release that was live so far has been followed, or replaced after it was taken back.
    fn end_live(&mut self, actions: &mut Vec<Action>, next: u64, now: Micros) {
        let Some(live) = self.releases.iter_mut().find(|release| release.phase == Phase::Live) else { return };
        (live.since, live.ready) = (now, false);
        match live.leaving.take() {
            Some(reason) => (live.phase, live.reason) = (Phase::RolledBack, Some(reason)),
            None => {
                let reason = format!("version {next} followed");
                (live.phase, live.reason) = (Phase::Retired, Some(reason.clone()));
                actions.push(Action::Retire { release: live.id.clone(), version: live.version, reason });
            }
        }
        actions.push(Action::Unload { release: live.id.clone() });
    }

    fn load_failed(&mut self, actions: &mut Vec<Action>, id: &str, message: String, now: Micros) {
        let Some(release) = self.release_mut(id).filter(|release| !release.is_over()) else { return };
        release.ready = false;
        let (is_live, version) = (release.phase == Phase::Live, release.version);
        let told = format!("version {version} could not be loaded: {message}");
        if is_live {
            // Nothing is better than it: whoever loads it tries again.
            actions.push(Action::Report { release: id.to_owned(), message: told.clone() });
        } else {
            self.end_rolled_back(actions, id, Reason::LoadFailed { message }, now);
        }
        self.standing.message = Some(told);
    }

    fn alias_moved(&mut self, actions: &mut Vec<Action>, version: u64, fresh: String, now: Micros) {
        if self.standing.followed.replace(version) == Some(version) {
            return;
        }
        let reason = format!("the alias was moved to version {version}");
        if self.candidate().is_some_and(|candidate| candidate.version == version) {
            return self.promote_candidate(actions, now);
        }
        self.retire_candidate(actions, &reason, now);
        if self.incoming().is_some_and(|incoming| incoming.version == version) {
            return;
        }
        self.retire_incoming(actions, &reason, now);
        if self.live().is_some_and(|live| live.version == version) {
            return;
        }
        let plan = Plan::live(&self.rules);
        self.take_on(actions, new_release(fresh, version, plan, Cause::Alias, now));
    }

    /// Someone moved the alias to the version that is on trial: it is live as soon as it can be.
    fn promote_candidate(&mut self, actions: &mut Vec<Action>, now: Micros) {
        let Some(candidate) = self.releases.iter_mut().find(|release| release.is_candidate()) else { return };
        let id = candidate.id.clone();
        if candidate.phase == Phase::Pending {
            let reason = format!("version {} was asked for", candidate.version);
            self.retire_incoming(actions, &reason, now);
            self.release_mut(&id).expect("it was found above").plan.mode = ReleaseMode::Live;
        } else {
            self.go_live(actions, &id, now);
        }
    }

    /// What led to the alias move never happened: the caller has restored the state before it.
    fn alias_refused(&mut self, actions: &mut Vec<Action>, id: &str, message: String, now: Micros) {
        self.standing.message = Some(format!("the alias could not be moved: {message}"));
        if self.release(id).is_some_and(|release| !release.is_over() && release.phase != Phase::Live) {
            self.end_rolled_back(actions, id, Reason::AliasRefused { message }, now);
        } else {
            actions.push(Action::Report { release: id.to_owned(), message });
        }
    }

    fn retire_candidate(&mut self, actions: &mut Vec<Action>, reason: &str, now: Micros) {
        self.retire(actions, Release::is_candidate, reason, now);
    }

    pub(super) fn retire_incoming(&mut self, actions: &mut Vec<Action>, reason: &str, now: Micros) {
        self.retire(actions, Release::is_incoming, reason, now);
    }

    fn retire(&mut self, actions: &mut Vec<Action>, which: fn(&Release) -> bool, reason: &str, now: Micros) {
        for release in self.releases.iter_mut().filter(|release| which(release)) {
            (release.phase, release.since, release.ready) = (Phase::Retired, now, false);
            release.reason = Some(reason.to_owned());
            let (id, version) = (release.id.clone(), release.version);
            actions.push(Action::Retire { release: id.clone(), version, reason: reason.to_owned() });
            actions.push(Action::Unload { release: id });
        }
    }

    pub(super) fn release_mut(&mut self, id: &str) -> Option<&mut Release> {
        self.releases.iter_mut().find(|release| release.id == id)
    }
}

pub(super) fn new_release(id: String, version: u64, plan: Plan, cause: Cause, now: Micros) -> Release {
    Release {
        id,
        version,
        plan,
        cause,
        phase: Phase::Pending,
        step: 0,
        since: now,
        paused: false,
        was_live: false,
        leaving: None,
        reason: None,
        ready: false,
    }
}
