//! Artifacts that clients bring.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};
use wasmlops_package::Digest;

use crate::access::Caller;
use crate::artifacts::Upload;
use crate::artifacts::view::{self, ArtifactView};
use crate::http::Api;
use crate::http::answers::made;
use crate::http::extract::{Pieces, Query};
use crate::http::failure::Failure;
use crate::http::route::{Route, may};

/// Bytes of an artifact that comes this way, at the most.
pub(crate) const UPLOAD_BYTES: u64 = 1 << 30;
/// Artifacts on their way in at a time.
pub(crate) const UPLOADS: usize = 16;
/// From one piece of a body to the next.
const STALL: Duration = Duration::from_secs(20);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/artifacts", may(Area::Artifacts, Level::Operate), create_artifact)
            .named("create_artifact", "Brings an artifact; its digest is checked while it comes")
            .query::<UploadQuery>()
            .bytes("application/octet-stream")
            .streamed()
            .answers::<ArtifactView>(StatusCode::CREATED, "the artifact, which was there already or is now")
            .located(),
    ]
}

/// What is brought.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UploadQuery {
    /// Of the body: `blake3:` or `sha256:` and 64 hex digits.
    #[schemars(regex(pattern = r"^(blake3|sha256):[0-9a-f]{64}$"))]
    digest: String,
}

async fn create_artifact(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    Pieces(mut body): Pieces,
) -> Result<Response, Failure> {
    let declared = declared(&query.digest)?;
    check(&headers)?;
    let media_type = media_type(&headers)?;
    let _room = api.uploads.try_acquire().map_err(|_| busy())?;
    let upload = Upload::begin(&api.host, declared);
    let mut size = 0;
    while let Some(frame) = tokio::time::timeout(STALL, body.frame()).await.map_err(|_| slow())? {
        let frame = frame.map_err(|_| Failure::bad_request("broken-off", "the body broke off"))?;
        let Ok(bytes) = frame.into_data() else { continue };
        size += bytes.len() as u64;
        if size > UPLOAD_BYTES {
            return Err(too_large());
        }
        upload.take(bytes).await;
    }
    upload.finish(&media_type, &caller.actor).await?;
    let view = view::show(&api.host, &declared).await?;
    let view = view.ok_or_else(|| Failure::internal("an artifact is gone that was just kept"))?;
    made(StatusCode::CREATED, &format!("/api/v1/artifacts/{declared}"), &view)
}

fn declared(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|error| {
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-digest", format!("`digest` is none: {error}"))
            .hint("give `blake3:` or `sha256:` and 64 lower-case hex digits")
    })
}

/// What can be refused before anything is read.
fn check(headers: &HeaderMap) -> Result<(), Failure> {
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let message = "the body has a content encoding";
        let failure = Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded", message);
        return Err(failure.hint("send the bytes that the digest is of"));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > UPLOAD_BYTES) { Err(too_large()) } else { Ok(()) }
}

/// What the client says the bytes are, in the words of RFC 6838, section 4.2, without parameters.
fn media_type(headers: &HeaderMap) -> Result<String, Failure> {
    let Some(given) = headers.get(CONTENT_TYPE) else { return Ok("application/octet-stream".to_owned()) };
    let essence = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let word = |word: &str| {
        (1..=127).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match essence.split_once('/') {
        Some((kind, subtype)) if word(kind) && word(subtype) => Ok(essence),
        _ => {
            let message = "`Content-Type` is no media type";
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", message)
                .hint("leave it out, or say what the bytes are: `text/csv`"))
        }
    }
}

fn too_large() -> Failure {
    let message = format!("the body has more than {UPLOAD_BYTES} bytes");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message).hint("put it into the project's folder")
}

fn slow() -> Failure {
    Failure::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body stopped coming")
        .hint(format!("let no more than {} seconds pass between two pieces", STALL.as_secs()))
}

fn busy() -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many uploads at a time")
        .retry_after(Duration::from_secs(1))
}
