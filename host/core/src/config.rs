//! What the user wrote, as types that cannot be wrong: pipeline files and the project file.
//!
//! Reads no file: text comes in, types or all mistakes at once come out. What can only be judged with the plugins at
//! hand (does the output exist, does the configuration fit) is left to [`crate::graph`]. Doors: [`parse_pipeline`],
//! [`parse_project`], and [`pipeline_schema`] and [`project_schema`] for editors.

mod access;
mod concurrency;
mod condition;
mod endpoint;
mod expression;
mod keys;
mod model_ref;
mod monitor;
mod notification;
mod origin;
mod param;
mod path;
mod pipeline;
mod project;
mod quantity;
mod reader;
mod reference;
mod retention;
mod schedule;
mod schema;
mod secret;
mod step;
mod trigger;
mod when;
mod yaml;

pub use access::{AccessConfig, OidcConfig, RoleClaim};
pub use concurrency::Concurrency;
pub use condition::RuleCondition;
pub use endpoint::{BatchConfig, CanaryConfig, EndpointConfig, LabelConfig, LogConfig, RollbackConfig, ScoreRule};
pub use expression::{Root, Template};
pub use model_ref::{ModelRef, ModelRefError, Selector};
pub use monitor::{Action, MonitorConfig, Reference, Rule, RunLimit, WindowConfig};
pub use notification::NotificationConfig;
pub use origin::{Origin, OriginError};
pub use param::{Param, ParamType};
pub use path::{ProjectPath, ProjectPathError};
pub use pipeline::{Pipeline, parse_pipeline};
pub use project::{PluginRequirement, Policy, Project, parse_project};
pub use quantity::{format_duration, format_size, parse_duration, parse_size};
pub use reference::{OutputReference, ReferenceError, StepReference, is_step_name};
pub use retention::Retention;
pub use schedule::{CatchUp, Overlap, ScheduleConfig, SchedulePolicy};
pub use schema::{pipeline_schema, project_schema};
pub use secret::{Credential, is_secret_name, secret_reference, secret_references, with_secrets};
pub use step::{Axis, BuiltInStep, GrantChoices, Input, LimitChoices, ModelInput, ModelSource, Retry, Step};
pub use trigger::{Cause, ParamValue, TriggerConfig, WebhookStyle};
pub use when::{StepFacts, When, WhenScope};
pub use yaml::{Entry, Node, NodeValue};

pub(crate) use expression::{fill, fill_value, templates};
pub(crate) use keys::search_options;
pub(crate) use param::plain;
pub(crate) use reader::listed;
pub(crate) use reference::{cell_suffix, cell_text};
pub(crate) use secret::with_stand_ins;
pub(crate) use step::{hidden, span_inside};
pub(crate) use yaml::describe;

use serde::{Deserialize, Serialize};

use crate::diagnostics::Span;

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}
