//! Approvals as they are shown. These shapes are promises.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_core::approval::{Field, Shown};
use wasmlops_store::ApprovalRow;

use crate::clock::rfc3339;
use crate::error::{Error, Result};

/// Part of a list of approvals.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalsPage {
    pub approvals: Vec<ApprovalView>,
    /// For the next page.
    pub next: Option<String>,
}

/// Something that a step asked, and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalView {
    pub run: String,
    pub step: String,
    /// Which time the step asks: a resumed one asks again.
    pub attempt: u32,
    pub pipeline: String,
    /// What is asked.
    pub message: String,
    /// The least role that may decide.
    pub role: String,
    /// `open`, `approved`, `rejected`, `expired`, or `withdrawn` where the run was cancelled.
    pub state: String,
    /// RFC 3339, as all times here.
    pub requested: String,
    pub expires: String,
    pub decided: Option<String>,
    pub by: Option<String>,
    pub reason: Option<String>,
    /// What was said in the form.
    pub input: Option<Map<String, Value>>,
}

/// All that there is to look at before deciding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalDetail {
    #[serde(flatten)]
    pub approval: ApprovalView,
    /// What whoever approves has to say.
    pub form: Vec<FieldView>,
    pub shown: Vec<ShownView>,
    /// The validators' reports: those that are shown, and those on the model.
    pub judgements: Vec<JudgementView>,
    /// The model that the pipeline will register, next to the live one.
    pub model: Option<ModelDiffView>,
}

/// A field of the form.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FieldView {
    pub name: String,
    /// `string`, `integer`, `number` or `boolean`.
    #[serde(rename = "type")]
    pub kind: String,
    pub required: bool,
    pub default: Option<Value>,
    #[serde(rename = "enum")]
    pub choices: Vec<Value>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub description: Option<String>,
}

/// An artifact that is shown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShownView {
    pub name: String,
    /// The output that it is: `train.model`.
    pub from: String,
    pub digest: String,
    pub media_type: String,
}

/// What a validator found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JudgementView {
    /// The output that it is: `gate.report`.
    pub from: String,
    pub digest: String,
    pub passed: bool,
    pub summary: String,
    pub checks: Vec<CheckView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckView {
    pub name: String,
    pub passed: bool,
    pub column: Option<String>,
    pub slice: Option<String>,
    pub observed: Option<f64>,
    pub expected: String,
    pub message: String,
}

/// A model next to the version that is live.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModelDiffView {
    /// The registered model's name.
    pub model: String,
    /// The live version; absent where there is none, and then nothing below has a value of it.
    pub champion: Option<u64>,
    pub metrics: Vec<MetricView>,
    /// Columns of input and output, and the target.
    pub schema: Vec<DifferenceView>,
    /// By step, the plugin with version and digest.
    pub plugins: Vec<DifferenceView>,
    /// By step, what it may touch.
    pub grants: Vec<DifferenceView>,
}

/// A metric of both.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MetricView {
    pub name: String,
    pub candidate: Option<f64>,
    pub champion: Option<f64>,
}

/// Something that is not the same in both.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceView {
    pub name: String,
    pub candidate: Option<String>,
    pub champion: Option<String>,
}

pub(super) fn approval(row: &ApprovalRow) -> Result<ApprovalView> {
    Ok(ApprovalView {
        run: row.run.clone(),
        step: row.step_key.clone(),
        attempt: u32::try_from(row.attempt).unwrap_or_default(),
        pipeline: row.pipeline.clone(),
        message: row.message.clone(),
        role: row.role.clone(),
        state: row.state.to_string(),
        requested: rfc3339(row.requested),
        expires: rfc3339(row.expires),
        decided: row.decided.map(rfc3339),
        by: row.decided_by.clone(),
        reason: row.reason.clone(),
        input: row.input.as_deref().map(serde_json::from_str).transpose().map_err(Error::bug)?,
    })
}

pub(super) fn shown_by_name(row: &ApprovalRow) -> Result<BTreeMap<String, Shown>> {
    serde_json::from_str(&row.shown).map_err(Error::bug)
}

pub(super) fn shown(row: &ApprovalRow) -> Result<Vec<ShownView>> {
    let view = |(name, shown): (String, Shown)| ShownView {
        name,
        from: shown.from,
        digest: shown.digest.to_string(),
        media_type: shown.media_type,
    };
    Ok(shown_by_name(row)?.into_iter().map(view).collect())
}

pub(super) fn field(field: &Field) -> FieldView {
    let Field { param, required } = field;
    FieldView {
        name: param.name.value.clone(),
        kind: param.kind.as_str().to_owned(),
        required: *required && param.default.is_none(),
        default: param.default.clone(),
        choices: param.choices.clone(),
        minimum: param.minimum.as_ref().and_then(serde_json::Number::as_f64),
        maximum: param.maximum.as_ref().and_then(serde_json::Number::as_f64),
        description: param.description.clone(),
    }
}
