//! Artifacts: what a digest is, its bytes, and some rows where it is a table.

use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_core::access::{Area, Level};
use wasmlops_package::{Algorithm, Digest};
use wasmlops_store::BlobReader;

use crate::artifacts::view::{self, ArtifactView, RowsView, RunOutputView};
use crate::error::Error;
use crate::http::answers::unchanged;
use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Limit, Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::stream::{self, Pieces};
use crate::http::{Api, answer, artifact_digest};

/// Bytes that are read and sent in one go.
const PIECE: usize = 64 << 10;

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Artifacts, Level::Read);
    vec![
        Route::get("/api/v1/runs/{id}/artifacts", read, list_run_artifacts)
            .named("list_run_artifacts", "The outputs of a run, by step and name")
            .query::<PageQuery>()
            .gives::<Page<RunOutputView>>("outputs"),
        Route::get("/api/v1/artifacts/{digest}", read, get_artifact)
            .named("get_artifact", "What a digest is")
            .tagged()
            .gives::<ArtifactView>("media type and size"),
        Route::get("/api/v1/artifacts/{digest}/content", read, get_artifact_content)
            .named("get_artifact_content", "The bytes of an artifact")
            .tagged()
            .also_gives("application/octet-stream", "the bytes, for keeping and not for showing"),
        Route::get("/api/v1/artifacts/{digest}/rows", read, list_artifact_rows)
            .named("list_artifact_rows", "Some rows of a table")
            .query::<RowsQuery>()
            .gives::<RowsView>("columns and rows")
            .fails(StatusCode::UNPROCESSABLE_ENTITY, "it is no table, or too large a one"),
    ]
}

/// Which rows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RowsQuery {
    /// The number of the first row, from 0.
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    limit: Limit,
}

async fn list_run_artifacts(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Failure> {
    let id = super::runs::known(&api, &id).await?;
    let outputs = view::outputs(&api.host, &id).await?;
    let page = Page::of("outputs", outputs, &page, |output| format!("{}.{}", output.step, output.output))?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_artifact(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(digest): Path<String>,
) -> Result<Response, Failure> {
    let digest = artifact_digest(&digest)?;
    let view = view::show(&api.host, &digest).await?.ok_or_else(|| unknown(&digest))?;
    let tag = tag(&digest);
    if let Some(unchanged) = unchanged(&headers, &tag) {
        return Ok(unchanged);
    }
    let mut response = answer(StatusCode::OK, &view);
    response.headers_mut().insert(ETAG, header(&tag)?);
    Ok(response)
}

async fn list_artifact_rows(
    State(api): State<Arc<Api>>,
    Path(digest): Path<String>,
    Query(query): Query<RowsQuery>,
) -> Result<Response, Failure> {
    let digest = artifact_digest(&digest)?;
    let rows = view::rows(&api.host, &digest, query.offset, u64::from(query.limit.0)).await?;
    Ok(answer(StatusCode::OK, &rows))
}

/// The bytes as they are read, checked on the way: where they are damaged on disk, the answer breaks off before its
/// end.
async fn get_artifact_content(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(digest): Path<String>,
) -> Result<Response, Failure> {
    let digest = artifact_digest(&digest)?;
    let view = view::show(&api.host, &digest).await?.ok_or_else(|| unknown(&digest))?;
    let tag = tag(&digest);
    if let Some(unchanged) = unchanged(&headers, &tag) {
        return Ok(unchanged);
    }
    let reader = api.host.store.blobs().open_reader(&digest).map_err(Error::store)?;
    let size = reader.size();
    let body = stream::body(Some(size), move |pieces| async move {
        // It ends when the client is gone, or the file is read.
        let _ = tokio::task::spawn_blocking(move || read(reader, &pieces)).await;
    });
    let mut response = Response::new(body);
    let fields = [
        (CONTENT_TYPE, header(&view.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"))),
        (CONTENT_LENGTH, HeaderValue::from(size)),
        (ETAG, header(&tag)?),
        // What anybody may have brought is never shown as a page of this server.
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'")),
        (CONTENT_DISPOSITION, header(&format!("attachment; filename=\"{}\"", digest.hex()))?),
    ];
    response.headers_mut().extend(fields);
    response.headers_mut().insert("repr-digest", header(&repr_digest(&digest))?);
    Ok(response)
}

fn read(mut reader: BlobReader, pieces: &Pieces) {
    loop {
        let mut piece = vec![0; PIECE];
        let piece = match reader.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                Ok(Bytes::from(piece))
            }
            Err(error) => Err(error),
        };
        let is_broken = piece.is_err();
        if pieces.blocking_send(piece).is_err() || is_broken {
            return;
        }
    }
}

/// RFC 9530, section 3. BLAKE3 is not registered there; whoever does not know it passes it over.
fn repr_digest(digest: &Digest) -> String {
    let algorithm = match digest.algorithm() {
        Algorithm::Sha256 => "sha-256",
        Algorithm::Blake3 => "blake3",
    };
    format!("{algorithm}=:{}:", STANDARD.encode(digest.bytes()))
}

fn tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(Failure::internal)
}

fn unknown(digest: &Digest) -> Failure {
    Failure::not_found("unknown-artifact", format!("there is no artifact `{digest}`"))
}
