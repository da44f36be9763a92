//! Short ids and digests, as people type them.

use wasmlops_package::{Digest, DigestError};

use crate::error::StoreError;
use crate::store::Store;

/// Fewer characters would be an accident.
const SHORTEST: usize = 6;

/// Candidates named when a prefix stands for several.
const CANDIDATES: usize = 5;

/// What a text stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolved {
    Run(String),
    Artifact(Digest),
}

impl Store {
    /// The run or artifact that `text` is the beginning of. Digests may be given without `blake3:` or `sha256:`.
    ///
    /// # Errors
    /// [`StoreError::BadPrefix`], [`StoreError::NothingResolved`], [`StoreError::Ambiguous`].
    pub async fn resolve(&self, text: &str) -> Result<Resolved, StoreError> {
        check_length(text)?;
        let runs = self.run_ids_from(text).await?;
        let digests = self.digests_from(text).await?;
        match (exact(text, &runs), digests.as_slice()) {
            (Some(run), []) => Ok(Resolved::Run(run)),
            (None, [digest]) if runs.is_empty() => Ok(Resolved::Artifact(parse(digest)?)),
            _ => Err(unresolved(text, runs.into_iter().chain(digests).collect())),
        }
    }

    /// The run whose id begins with `text`; the whole id always names its run.
    ///
    /// # Errors
    /// As of [`Store::resolve`].
    pub async fn resolve_run(&self, text: &str) -> Result<String, StoreError> {
        check_length(text)?;
        let runs = self.run_ids_from(text).await?;
        exact(text, &runs).ok_or_else(|| unresolved(text, runs))
    }

    /// The artifact whose digest begins with `text`, with or without the algorithm.
    ///
    /// # Errors
    /// As of [`Store::resolve`].
    pub async fn resolve_artifact(&self, text: &str) -> Result<Digest, StoreError> {
        check_length(text)?;
        let digests = self.digests_from(text).await?;
        match digests.as_slice() {
            [digest] => parse(digest),
            _ => Err(unresolved(text, digests)),
        }
    }

    async fn run_ids_from(&self, text: &str) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT id FROM runs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3");
        let query = query.bind(text).bind(after(text)).bind(CANDIDATES as i64);
        Ok(query.fetch_all(&mut *self.reader().await?).await?)
    }

    async fn digests_from(&self, text: &str) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for start in digest_starts(text) {
            let query = sqlx::query_scalar(
                "SELECT DISTINCT digest FROM artifacts WHERE digest >= $1 AND digest < $2 ORDER BY digest LIMIT $3",
            );
            let query = query.bind(&start).bind(after(&start)).bind(CANDIDATES as i64);
            found.extend(query.fetch_all(&mut *self.reader().await?).await?);
        }
        Ok(found)
    }
}

/// The first id where it is the only one, or the text itself: ids come in order, and no other begins before it.
fn exact(text: &str, runs: &[String]) -> Option<String> {
    match runs {
        [run] => Some(run.clone()),
        [first, ..] if first == text => Some(first.clone()),
        _ => None,
    }
}

fn unresolved(text: &str, mut candidates: Vec<String>) -> StoreError {
    if candidates.is_empty() {
        return StoreError::NothingResolved(text.to_owned());
    }
    candidates.truncate(CANDIDATES);
    StoreError::Ambiguous { prefix: text.to_owned(), candidates }
}

fn check_length(text: &str) -> Result<(), StoreError> {
    let hex = text.strip_prefix("blake3:").or_else(|| text.strip_prefix("sha256:")).unwrap_or(text);
    let fits = (SHORTEST..=256).contains(&hex.chars().count());
    if fits { Ok(()) } else { Err(StoreError::BadPrefix(text.chars().take(100).collect())) }
}

/// The digests' texts that `text` may be the beginning of.
fn digest_starts(text: &str) -> Vec<String> {
    let is_hex = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    match text.split_once(':') {
        Some(("blake3" | "sha256", hex)) if is_hex(hex) => vec![text.to_owned()],
        None if is_hex(text) => vec![format!("blake3:{text}"), format!("sha256:{text}")],
        _ => Vec::new(),
    }
}

/// Sorts after everything that begins with `start`.
fn after(start: &str) -> String {
    format!("{start}\u{10ffff}")
}

fn parse(digest: &str) -> Result<Digest, StoreError> {
    digest.parse().map_err(|error: DigestError| sqlx::Error::Decode(Box::new(error)).into())
}
