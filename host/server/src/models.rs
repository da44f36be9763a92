//! Registered models at the door: the catalog's rows, the contents of versions in the artifact store, and the audit of
//! every change, put together.
//!
//! A version's content is a [`VersionDocument`]; its digest is its identity, and registering it again gives the version
//! that it has. Every change and its audit record share a transaction. Knows nothing of endpoints: they follow aliases
//! by asking [`resolve`] or [`alias_target`]. Doors: [`register`], [`resolve`], [`move_alias`], [`list`], [`show`],
//! [`card`], [`files`], [`export`], [`import_folder`], [`import_foreign`].

mod aliases;
mod card;
mod export;
mod files;
mod folder;
mod foreign;
mod notes;
mod views;

use serde_json::json;
use wasmlops_catalog::{self as catalog, CatalogError, NewVersion, VersionRow};
use wasmlops_core::artifact::{VersionDocument, media_type};
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::run::Micros;
use wasmlops_package::Digest;
use wasmlops_store::{ArtifactRow, AuditEntry, Stamp, StoreError, Tx};

use crate::error::{Error, Result};
use crate::host::Host;

pub(crate) use aliases::move_alias_by_run;
pub use aliases::{
    AliasMoveRequest, AliasTarget, MoveView, alias_at, alias_history, alias_target, before, move_alias, move_alias_in,
};
pub use card::card;
pub use export::export;
pub use files::{GOLDEN_ROWS, files, request_schema};
pub use folder::import_folder;
pub use foreign::{Foreign, Format, import_foreign};
pub use notes::{annotate, approve, set_tag};
pub use views::{ModelSummary, ModelView, VersionSummary, VersionView, list, show, show_version};
pub use wasmlops_catalog::{Approval, Expected, MoveKind, Moved, Subject};

/// Where a version is from. Not part of its content.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Provenance {
    pub run: Option<String>,
    pub step: Option<String>,
    pub git_commit: Option<String>,
}

/// The version that a content has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    pub version: u64,
    /// Of the content.
    pub digest: Digest,
    /// Whether this call made it.
    pub created: bool,
}

/// A version with its content.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelVersion {
    pub name: String,
    pub version: u64,
    /// Of the content.
    pub digest: Digest,
    pub document: VersionDocument,
}

/// Registers a content as a version of the model that it names, with everything that it names made durable first. The
/// same content again gives the same version, so that it can be repeated after a crash.
///
/// # Errors
/// The user's: a name that is not allowed.
pub async fn register(
    host: &Host,
    name: &str,
    document: VersionDocument,
    provenance: Provenance,
    actor: &str,
) -> Result<Registered> {
    if document.name != name {
        return Err(Error::bug(format!("a content of `{}` was to be registered as `{name}`", document.name)));
    }
    catalog::check_name(name)?;
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    host.store.blobs().put(document.to_bytes()).await.map_err(Error::store)?;
    // The blobs reach the disk before a row can name them.
    host.store.barrier().await?;
    let project = host.project.name.clone();
    let registered = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move { register_in(tx, &project, &document, provenance, stamp).await })
    });
    let registered = registered.await?;
    host.store.barrier().await?;
    Ok(registered)
}

/// Like [`register`], inside another transaction. The content's blob is stored already, see
/// [`VersionDocument::to_bytes`], and so is everything that it names.
pub async fn register_in(
    tx: &mut Tx,
    project: &str,
    document: &VersionDocument,
    provenance: Provenance,
    stamp: Stamp,
) -> Result<Registered> {
    let bytes = document.to_bytes();
    let digest = Digest::blake3(&bytes);
    let passed = document.reports.iter().filter(|report| report.passed).map(|report| report.digest);
    let new = NewVersion {
        name: document.name.clone(),
        project: project.to_owned(),
        digest,
        model_digest: document.model,
        evidence: if document.has_evidence() { passed.collect() } else { Vec::new() },
        origin: document.origin.clone(),
        run: provenance.run.clone(),
        step: provenance.step.clone(),
        git_commit: provenance.git_commit,
        actor: stamp.actor.clone(),
        time: stamp.time,
    };
    let made = catalog::register(tx.connection().await?, new).await?;
    if made.created {
        tx.audit(AuditEntry {
            stamp: stamp.clone(),
            action: "model.registered".to_owned(),
            subject: format!("model:{}@{}", document.name, made.version),
            details: json!({
                "digest": digest, "model": document.model, "run": provenance.run, "step": provenance.step,
                "origin": document.origin,
            })
            .to_string(),
        });
        let size = bytes.len() as i64;
        let artifact = ArtifactRow { digest, media_type: media_type::VERSION.to_owned(), size, created: stamp.time };
        tx.record_artifact(artifact, stamp).await?;
    }
    Ok(Registered { version: made.version, digest, created: made.created })
}

/// The version that a reference stands for now; absent where there is no such model, version or alias.
///
/// # Errors
/// The content is missing or damaged.
pub async fn resolve(host: &Host, reference: &ModelRef) -> Result<Option<ModelVersion>> {
    match row(host, reference).await? {
        Some(row) => Ok(Some(load(host, row).await?)),
        None => Ok(None),
    }
}

/// Like [`resolve`], for a reference that a person gave.
///
/// # Errors
/// The user's, with what there is, where it stands for nothing.
pub async fn required(host: &Host, reference: &ModelRef) -> Result<ModelVersion> {
    let row = required_row(host, reference).await?;
    load(host, row).await
}

pub(crate) async fn row(host: &Host, reference: &ModelRef) -> Result<Option<VersionRow>> {
    let name = reference.name.clone();
    let selector = match &reference.selector {
        Selector::Alias(alias) => catalog::Selector::Alias(alias.clone()),
        Selector::Version(version) => catalog::Selector::Version(*version),
    };
    let read = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(catalog::resolve(connection, &name, &selector).await?) })
    });
    read.await
}

pub(crate) async fn required_row(host: &Host, reference: &ModelRef) -> Result<VersionRow> {
    if let Some(row) = row(host, reference).await? {
        return Ok(row);
    }
    let name = reference.name.clone();
    let (versions, aliases) = host
        .store
        .read(|connection| {
            Box::pin(async move {
                let versions = catalog::versions(connection, &name).await?;
                Ok::<_, Error>((versions, catalog::aliases(connection, &name).await?))
            })
        })
        .await?;
    let Some(newest) = versions.first() else {
        return Err(CatalogError::UnknownModel(reference.name.clone()).into());
    };
    let mut there: Vec<String> = aliases.iter().map(|alias| format!("`{}@{}`", alias.name, alias.alias)).collect();
    there.push(format!("`{}@1` to `{}@{}`", newest.name, newest.name, newest.version));
    let message = format!("`{reference}` names no version");
    Err(Error::user("unknown-version", message, format!("there is {}", there.join(", "))))
}

pub(crate) async fn load(host: &Host, row: VersionRow) -> Result<ModelVersion> {
    let bytes = host.store.blobs().get(&row.digest).await.map_err(Error::store)?;
    let document = serde_json::from_slice(&bytes).map_err(Error::bug)?;
    Ok(ModelVersion { name: row.name, version: row.version, digest: row.digest, document })
}

/// Records what some bytes are that a version names.
pub(crate) async fn keep(host: &Host, bytes: Vec<u8>, media_type: &str, actor: &str) -> Result<Digest> {
    let size = bytes.len() as i64;
    let digest = host.store.blobs().put(bytes).await.map_err(Error::store)?;
    let time: Micros = host.clock.now();
    host.store.record_artifact(digest, media_type, size, Stamp { time, actor: actor.to_owned() }).await?;
    Ok(digest)
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Database(error) => Self::Store(StoreError::from(error)),
            error => Self::user(error.code(), error.to_string(), error.hint()),
        }
    }
}
