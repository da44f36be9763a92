//! Problem details (RFC 9457) as they are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_core::diagnostics::Diagnostic;

/// Why a request was not answered as it hoped.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    pub status: u16,
    /// What is wrong, with which value.
    pub detail: String,
    /// Kebab-case and stable: programs may match on it.
    pub code: String,
    /// The id that the server's log has.
    pub request_id: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// What is wrong with columns of rows.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub columns: Vec<Value>,
    /// All mistakes, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<Mistake>,
}

/// One mistake of several.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Mistake {
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

impl Mistake {
    pub fn new(diagnostic: &Diagnostic) -> Self {
        Self { code: diagnostic.code.clone(), message: diagnostic.message.clone(), hint: diagnostic.hint.clone() }
    }
}
