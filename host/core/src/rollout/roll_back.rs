//! Taking releases back: a candidate simply goes; for a live one the version before it has to come first.

use super::decide::new_release;
use super::{Action, Cause, Endpoint, Phase, Plan, Reason};
use crate::run::Micros;

/// What a rollback would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RollbackTarget {
    /// The release that goes.
    pub release: String,
    pub version: u64,
    /// The version that answers then.
    pub to: Option<u64>,
}

impl Endpoint {
    /// The release that a rollback takes back: the candidate, else the one that is about to be live, else the live one
    /// if something was live before it.
    pub fn rollback_target(&self) -> Option<RollbackTarget> {
        if let Some(newest) = self.candidate().or(self.incoming()) {
            let to = self.live().map(|live| live.version);
            return Some(RollbackTarget { release: newest.id.clone(), version: newest.version, to });
        }
        let live = self.live().filter(|live| live.leaving.is_none())?;
        Some(RollbackTarget { release: live.id.clone(), version: live.version, to: Some(self.previous()?) })
    }

    /// The version that was live before the live one, and left in peace.
    pub fn previous(&self) -> Option<u64> {
        let live = self.live()?.version;
        let before = |phase| move |release: &&super::Release| release.phase == phase && release.was_live;
        let bad = |version| self.releases.iter().filter(before(Phase::RolledBack)).any(|it| it.version == version);
        let followed = self.releases.iter().filter(before(Phase::Retired));
        let good = followed.filter(|release| release.version != live && !bad(release.version));
        good.max_by_key(|release| release.since).map(|release| release.version)
    }

    pub(super) fn roll_back_newest(&mut self, actions: &mut Vec<Action>, reason: Reason, fresh: &str, now: Micros) {
        if let Some(target) = self.rollback_target() {
            self.roll_back(actions, &target.release, reason, fresh, now);
        }
    }

    pub(super) fn roll_back(&mut self, actions: &mut Vec<Action>, id: &str, reason: Reason, fresh: &str, now: Micros) {
        match self.release(id).map(|release| release.phase) {
            Some(Phase::Live) => self.roll_back_live(actions, reason, fresh, now),
            Some(Phase::Pending | Phase::Canary | Phase::Shadow) => self.end_rolled_back(actions, id, reason, now),
            Some(Phase::Retired | Phase::RolledBack) | None => {}
        }
    }

    /// It answers until the version before it is ready again; the alias says at once where things go.
    fn roll_back_live(&mut self, actions: &mut Vec<Action>, reason: Reason, fresh: &str, now: Micros) {
        let (Some(live), previous) = (self.live(), self.previous()) else { return };
        let (id, version) = (live.id.clone(), live.version);
        if live.leaving.is_some() || self.incoming().is_some() {
            // Something else is about to be live in its place.
            return;
        }
        let Some(previous) = previous else {
            let message = format!("{reason}; no other version was live before, so it stays");
            self.standing.message = Some(message.clone());
            return actions.push(Action::Report { release: id, message });
        };
        let text = reason.to_string();
        self.release_mut(&id).expect("it was found above").leaving = Some(text.clone());
        actions.push(Action::RollBack { release: id, version, reason });
        if self.standing.followed != Some(previous) {
            self.standing.followed = Some(previous);
            let reason = format!("version {version} was rolled back: {text}");
            actions.push(Action::MoveAlias { release: fresh.to_owned(), version: previous, reason });
        }
        actions.push(Action::Load { release: fresh.to_owned(), version: previous });
        let plan = Plan::live(&self.rules);
        self.releases.push(new_release(fresh.to_owned(), previous, plan, Cause::Rollback, now));
    }

    /// A release that is not live goes. If the alias had named it already, the alias goes back as well, unless the
    /// release could not be loaded: whoever moved it there is to see that.
    pub(super) fn end_rolled_back(&mut self, actions: &mut Vec<Action>, id: &str, reason: Reason, now: Micros) {
        let live = self.live().map(|live| live.version);
        let Some(release) = self.release_mut(id) else { return };
        let was_incoming = release.is_incoming();
        (release.phase, release.since, release.ready) = (Phase::RolledBack, now, false);
        let text = reason.to_string();
        release.reason = Some(text.clone());
        let version = release.version;
        let by_hand = matches!(reason, Reason::Requested { .. } | Reason::Withdrawn { .. });
        actions.push(Action::RollBack { release: id.to_owned(), version, reason });
        actions.push(Action::Unload { release: id.to_owned() });
        if let Some(live) = live.filter(|_| was_incoming && by_hand)
            && self.standing.followed == Some(version)
            && live != version
        {
            self.standing.followed = Some(live);
            let reason = format!("version {version} was rolled back: {text}");
            actions.push(Action::MoveAlias { release: id.to_owned(), version: live, reason });
        }
    }
}
