//! What users write under `with`. The doc comments are the descriptions they see.
//!
//! In every text, `{{model}}`, `{{version}}`, `{{digest}}`, `{{endpoint}}` and `{{key}}` stand for the release, and
//! `{{id}}` for what the API called the deployment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Which requests put a release somewhere, look at it, and take it back.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Puts the release there.
    pub deploy: Deploy,

    /// Looks whether it works. Without it, what was accepted counts as ready.
    #[serde(default)]
    pub status: Option<Status>,

    /// Takes it back; an answer of 404 or 410 says that it is gone already.
    pub undeploy: Request,
}

/// The request that puts a release there, and what its JSON answer says.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The request. It carries an `idempotency-key` that is the same for each attempt.
    pub request: Request,

    /// Where the answer names the deployment, as a JSON Pointer (RFC 6901) such as `/id`. Without it, the release's key
    /// is the name.
    #[serde(default)]
    pub id: Option<String>,

    /// Where the answer says at which address predictions can be had, as a JSON Pointer.
    #[serde(default)]
    pub address: Option<String>,
}

/// The request that looks at a deployment, and how to read its JSON answer.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The request. An answer of 404 or 410 says that the deployment is gone.
    pub request: Request,

    /// Where the answer says how it is, as a JSON Pointer such as `/state`.
    pub state: String,

    /// The states in which it answers.
    pub ready: Vec<String>,

    /// The states in which it does not work. Every other state is pending.
    #[serde(default)]
    pub failed: Vec<String>,
}

/// An HTTP request with placeholders.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: Method,

    /// Where to, `https://api.example.com/models/{{model}}`. The step must be granted the origin:
    /// `grants: { http: ["https://api.example.com"] }`.
    pub url: String,

    /// Headers. Credentials do not belong here: they would stand in the run's record.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,

    /// The JSON body. A text that is nothing but `{{version}}` becomes a number.
    #[serde(default)]
    pub body: Option<Value>,

    /// A file of the release to send as the body instead: `blob`, `model.json`, `predictor.wasm`.
    #[serde(default)]
    pub file: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}
