//! What people add to models and versions: tags, notes, approval. Each change is an audit record with what it was; what
//! is so already changes nothing.

use serde_json::json;
use wasmlops_catalog::{self as catalog, Approval, Note, SetApproval, Subject};
use wasmlops_store::{AuditEntry, Stamp};

use crate::error::{Error, Result};
use crate::host::Host;

/// Sets a tag, or removes it where there is no value.
///
/// # Errors
/// The user's: no such model or version, a key that is not allowed.
pub async fn set_tag(host: &Host, subject: Subject, key: &str, value: Option<&str>, actor: &str) -> Result<()> {
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    let (key, value) = (key.to_owned(), value.map(str::to_owned));
    let write = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let connection = tx.connection().await?;
            let before = catalog::tags(connection, &subject).await?.remove(&key);
            if before == value && before.is_some() {
                return Ok(());
            }
            catalog::set_tag(connection, &subject, &key, value.as_deref()).await?;
            tx.audit(AuditEntry {
                stamp,
                action: "model.tagged".to_owned(),
                subject: text(&subject),
                details: json!({ "key": key, "from": before, "to": value }).to_string(),
            });
            Ok(())
        })
    });
    write.await?;
    Ok(host.store.barrier().await?)
}

/// Replaces the note of a model or version: Markdown by people, shown apart from what is generated.
///
/// # Errors
/// The user's: no such model or version.
pub async fn annotate(host: &Host, subject: Subject, note: &str, actor: &str) -> Result<()> {
    let note = Note { text: note.to_owned(), actor: actor.to_owned(), time: host.clock.now() };
    let write = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let connection = tx.connection().await?;
            let before = catalog::note(connection, &subject).await?.map(|note| note.text);
            if before.as_ref() == Some(&note.text) {
                return Ok(());
            }
            catalog::set_note(connection, &subject, &note).await?;
            tx.audit(AuditEntry {
                stamp: Stamp { time: note.time, actor: note.actor.clone() },
                action: "model.noted".to_owned(),
                subject: text(&subject),
                details: json!({ "from": before, "to": note.text }).to_string(),
            });
            Ok(())
        })
    });
    write.await?;
    Ok(host.store.barrier().await?)
}

/// Records whether a person agrees to a version. Without agreement that was asked for, it gets no alias.
///
/// # Errors
/// The user's: no such model or version.
pub async fn approve(
    host: &Host,
    name: &str,
    version: u64,
    state: Approval,
    reason: Option<String>,
    actor: &str,
) -> Result<()> {
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    let name = name.to_owned();
    let write = host.store.with_tx::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let connection = tx.connection().await?;
            let set = SetApproval {
                name: name.clone(),
                version,
                state,
                reason: reason.clone(),
                actor: stamp.actor.clone(),
                time: stamp.time,
            };
            catalog::set_approval(connection, set).await?;
            tx.audit(AuditEntry {
                stamp,
                action: "model.approval".to_owned(),
                subject: format!("model:{name}@{version}"),
                details: json!({ "state": state.as_str(), "reason": reason }).to_string(),
            });
            Ok(())
        })
    });
    write.await?;
    Ok(host.store.barrier().await?)
}

fn text(subject: &Subject) -> String {
    match subject {
        Subject::Model(name) => format!("model:{name}"),
        Subject::Version(name, version) => format!("model:{name}@{version}"),
    }
}
