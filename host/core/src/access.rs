//! Who may do what: roles, areas, levels, and scopes that narrow a role. Pure; knows no token and no user. Door:
//! [`Rights::may`].
//!
//! A role says how deep its holder may go ([`Level`]), the same in every area; scopes say in which areas, and how deep
//! at the most there. No scope is every area.

mod names;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use names::NameError;

/// From the least to the most; each may do what those before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Sees everything but tokens, secrets and the audit.
    Viewer,
    /// Also runs pipelines, cancels, asks for predictions and gives labels.
    Operator,
    /// Also changes what runs and what is served: models, aliases, endpoints, schedules.
    Editor,
    /// Also gives access, keeps secrets, and reads the audit.
    Admin,
}

/// What there is to see and to change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Area {
    Pipelines,
    Runs,
    Tracking,
    Artifacts,
    Lineage,
    Plugins,
    Models,
    Endpoints,
    Predictions,
    Labels,
    Monitors,
    Schedules,
    Triggers,
    Approvals,
    Events,
    Access,
    Secrets,
    Audit,
    Storage,
    Operations,
}

/// How deep something reaches, from the least to the most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    Read,
    /// Use what is there: run, cancel, predict, label.
    Operate,
    /// Change what is there.
    Edit,
    /// Decide who may, and see what is kept from others.
    Administer,
}

/// What one thing needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Permission {
    pub area: Area,
    pub level: Level,
}

/// One area, as deep as the role reaches or no deeper than `level`: `runs` or `runs:read`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Scope {
    pub area: Area,
    pub level: Option<Level>,
}

/// What a caller holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    pub role: Role,
    /// None is every area.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
}

impl Rights {
    /// The whole of a role.
    pub fn of(role: Role) -> Self {
        Self { role, scopes: Vec::new() }
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.role.level() >= permission.level
            && (self.scopes.is_empty() || self.scopes.iter().any(|scope| scope.allows(permission)))
    }

    /// Whether `other` may nothing that these may not, so that their holder can hand `other` on. Every area is more than
    /// all areas that there are today: the next version has others.
    pub fn covers(&self, other: &Rights) -> bool {
        (self.scopes.is_empty() || !other.scopes.is_empty())
            && Permission::all().all(|permission| self.may(permission) || !other.may(permission))
    }
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Editor, Role::Admin];

    /// How deep its holder may go.
    pub fn level(self) -> Level {
        match self {
            Role::Viewer => Level::Read,
            Role::Operator => Level::Operate,
            Role::Editor => Level::Edit,
            Role::Admin => Level::Administer,
        }
    }
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Read, Level::Operate, Level::Edit, Level::Administer];

    /// The least role that reaches it.
    pub fn role(self) -> Role {
        match self {
            Level::Read => Role::Viewer,
            Level::Operate => Role::Operator,
            Level::Edit => Role::Editor,
            Level::Administer => Role::Admin,
        }
    }
}

impl Permission {
    pub const fn new(area: Area, level: Level) -> Self {
        Self { area, level }
    }

    /// All that there are.
    pub fn all() -> impl Iterator<Item = Permission> {
        Area::ALL.into_iter().flat_map(|area| Level::ALL.into_iter().map(move |level| Permission { area, level }))
    }
}

impl Scope {
    fn allows(self, permission: Permission) -> bool {
        self.area == permission.area && self.level.is_none_or(|level| level >= permission.level)
    }
}
