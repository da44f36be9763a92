//! Models and versions as they are shown. These shapes are promises.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_catalog::{self as catalog, AliasMove, Approval, CatalogError, ModelRow, Note, Subject, Tags, VersionRow};
use wasmlops_core::artifact::VersionDocument;
use wasmlops_core::config::ModelRef;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// A row of `model list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModelSummary {
    pub model: String,
    /// The newest.
    pub version: u64,
    /// Versions by alias.
    pub aliases: BTreeMap<String, u64>,
    pub created: String,
}

/// A model with its versions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModelView {
    pub model: String,
    pub project: String,
    pub created: String,
    pub aliases: BTreeMap<String, u64>,
    pub tags: Tags,
    pub notes: Option<String>,
    /// Newest first.
    pub versions: Vec<VersionSummary>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VersionSummary {
    pub version: u64,
    /// Of the content.
    pub digest: String,
    pub created: String,
    pub by: String,
    pub run: Option<String>,
    pub step: Option<String>,
    pub origin: Option<String>,
    /// Whether a gate's report speaks for it.
    pub evidence: bool,
    pub aliases: Vec<String>,
}

/// A version with all that is known of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VersionView {
    pub model: String,
    pub version: u64,
    pub digest: String,
    pub created: String,
    pub by: String,
    pub run: Option<String>,
    pub step: Option<String>,
    pub git_commit: Option<String>,
    pub aliases: Vec<String>,
    /// `none`, `pending`, `approved` or `rejected`.
    pub approval: String,
    /// Digests of the reports that speak for it.
    pub evidence: Vec<String>,
    pub tags: Tags,
    pub notes: Option<String>,
    #[schemars(with = "crate::view::shapes::ContentShape")]
    pub content: VersionDocument,
}

/// The project's models, by name.
pub async fn list(host: &Host) -> Result<Vec<ModelSummary>> {
    let project = host.project.name.clone();
    let read = host.store.read(|connection| {
        Box::pin(async move {
            let mut models = Vec::new();
            for row in catalog::models(connection, &project).await? {
                let aliases = by_alias(&catalog::aliases(connection, &row.name).await?);
                let created = rfc3339(row.created);
                models.push(ModelSummary { model: row.name, version: row.last_version, aliases, created });
            }
            Ok::<_, Error>(models)
        })
    });
    read.await
}

/// A model with its versions.
///
/// # Errors
/// The user's: no such model.
pub async fn show(host: &Host, name: &str) -> Result<ModelView> {
    let model = known(host, name).await?;
    let read = host.store.read(|connection| {
        Box::pin(async move {
            let aliases = catalog::aliases(connection, &model.name).await?;
            let versions = catalog::versions(connection, &model.name).await?;
            let subject = Subject::Model(model.name.clone());
            Ok::<_, Error>(ModelView {
                aliases: by_alias(&aliases),
                tags: catalog::tags(connection, &subject).await?,
                notes: catalog::note(connection, &subject).await?.map(|note| note.text),
                versions: versions.into_iter().map(|row| summary(row, &aliases)).collect(),
                model: model.name,
                project: model.project,
                created: rfc3339(model.created),
            })
        })
    });
    read.await
}

/// A version with all that is known of it.
///
/// # Errors
/// The user's: the reference stands for nothing.
pub async fn show_version(host: &Host, reference: &ModelRef) -> Result<VersionView> {
    let row = super::required_row(host, reference).await?;
    let known = Known::of(host, &row).await?;
    let content = super::load(host, row.clone()).await?.document;
    Ok(VersionView {
        digest: row.digest.to_string(),
        created: rfc3339(row.created),
        aliases: named(&known.aliases, row.version),
        approval: known.approval.as_str().to_owned(),
        evidence: row.evidence.iter().map(ToString::to_string).collect(),
        tags: known.tags,
        notes: known.note.map(|note| note.text),
        model: row.name,
        version: row.version,
        by: row.actor,
        run: row.run,
        step: row.step,
        git_commit: row.git_commit,
        content,
    })
}

/// What the catalog knows of a version beside its row.
pub(super) struct Known {
    pub aliases: Vec<AliasMove>,
    pub approval: Approval,
    pub tags: Tags,
    pub note: Option<Note>,
}

impl Known {
    pub async fn of(host: &Host, row: &VersionRow) -> Result<Self> {
        let (name, version) = (row.name.clone(), row.version);
        let read = host.store.read(|connection| {
            Box::pin(async move {
                let subject = Subject::Version(name.clone(), version);
                Ok::<_, Error>(Self {
                    aliases: catalog::aliases(connection, &name).await?,
                    approval: catalog::approval(connection, &name, version).await?,
                    tags: catalog::tags(connection, &subject).await?,
                    note: catalog::note(connection, &subject).await?,
                })
            })
        });
        read.await
    }
}

/// Refuses a model that is not registered.
pub(super) async fn known(host: &Host, name: &str) -> Result<ModelRow> {
    let (project, wanted) = (host.project.name.clone(), name.to_owned());
    let read = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(catalog::model(connection, &project, &wanted).await?) })
    });
    read.await?.ok_or_else(|| CatalogError::UnknownModel(name.to_owned()).into())
}

fn summary(row: VersionRow, aliases: &[AliasMove]) -> VersionSummary {
    VersionSummary {
        version: row.version,
        digest: row.digest.to_string(),
        created: rfc3339(row.created),
        by: row.actor,
        run: row.run,
        step: row.step,
        origin: row.origin,
        evidence: !row.evidence.is_empty(),
        aliases: named(aliases, row.version),
    }
}

fn named(aliases: &[AliasMove], version: u64) -> Vec<String> {
    aliases.iter().filter(|alias| alias.to == Some(version)).map(|alias| alias.alias.clone()).collect()
}

fn by_alias(aliases: &[AliasMove]) -> BTreeMap<String, u64> {
    aliases.iter().filter_map(|alias| Some((alias.alias.clone(), alias.to?))).collect()
}
