//! The state of the sources that a run was started from, where the project is a Git work tree.
//!
//! Asks the `git` command; without it, or outside a work tree, there is nothing to say.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// Untracked files beyond this size are named in the digest, not kept in the patch.
const MAX_UNTRACKED: u64 = 1 << 20;

/// Commit, branch and what was not committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceState {
    pub commit: String,
    /// Absent where no branch is checked out.
    pub branch: Option<String>,
    /// Changes against the commit, untracked files included, as a patch; absent for a clean work tree.
    pub patch: Option<Vec<u8>>,
}

/// What `root` was at now; `None` outside a Git work tree with a commit.
pub async fn source_state(root: &Path) -> Option<SourceState> {
    let commit = text(git(root, &["rev-parse", "--verify", "HEAD"]).await?)?;
    let branch = git(root, &["symbolic-ref", "--short", "--quiet", "HEAD"]).await.and_then(text);
    let mut patch = git(root, &["diff", "--binary", "--no-ext-diff", "--no-color", "HEAD", "--", "."]).await?;
    let untracked = git(root, &["ls-files", "--others", "--exclude-standard", "-z"]).await.unwrap_or_default();
    for path in untracked.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
        let path = std::str::from_utf8(path).ok()?;
        // The host's own folder is no source, ignored or not.
        if !path.starts_with(".wasmlops/") {
            patch.extend(added(root, path).await);
        }
    }
    Some(SourceState { commit, branch, patch: Some(patch).filter(|patch| !patch.is_empty()) })
}

/// An untracked file as a patch; a large one as a line with its size.
async fn added(root: &Path, path: &str) -> Vec<u8> {
    let size = tokio::fs::metadata(root.join(path)).await.map_or(0, |file| file.len());
    if size > MAX_UNTRACKED {
        return format!("# untracked, not kept: {path} ({size} bytes)\n").into_bytes();
    }
    // `--no-index` ends with 1 where the files differ, which they do.
    output(root, &["diff", "--binary", "--no-color", "--no-index", "--", "/dev/null", path])
        .await
        .map(|output| output.stdout)
        .unwrap_or_default()
}

async fn git(root: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    output(root, arguments).await.filter(|output| output.status.success()).map(|output| output.stdout)
}

async fn output(root: &Path, arguments: &[&str]) -> Option<std::process::Output> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.output().await.ok()
}

fn text(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
