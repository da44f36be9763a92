//! `wasmlops init`: a project that runs at once, with sample data or for a CSV file of the user's.

mod for_data;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use wasmlops_server::error::Error;

use crate::args::InitArgs;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

/// The example that comes with the sources, as it stands there.
const SAMPLE: [(&str, &str); 4] = [
    ("wasmlops.yaml", include_str!("../../../../examples/breast-cancer/wasmlops.yaml")),
    ("README.md", include_str!("../../../../examples/breast-cancer/README.md")),
    ("pipelines/breast-cancer.yaml", include_str!("../../../../examples/breast-cancer/pipelines/breast-cancer.yaml")),
    ("data/breast-cancer.csv", include_str!("../../../../examples/breast-cancer/data/breast-cancer.csv")),
];

pub async fn init(settings: &Settings, args: InitArgs, printer: &Printer) -> Result<Outcome> {
    let folder = settings.folder.join(&args.dir);
    refuse_used(&folder)?;
    // Made beside and moved into place: a mistake in the data leaves nothing half done.
    let draft = Draft::beside(&folder)?;
    let summary = match (&args.data, &args.target) {
        (Some(data), Some(target)) => {
            for_data::write(settings, &draft.folder, &settings.folder.join(data), target).await?
        }
        _ => {
            for (path, text) in SAMPLE {
                write(&draft.folder, path, text)?;
            }
            "the breast-cancer sample".to_owned()
        }
    };
    write(&draft.folder, ".gitignore", ".wasmlops/\n")?;
    draft.move_to(&folder)?;
    let shown = args.dir.display().to_string();
    printer.data(&json!({ "project": folder, "about": summary }), || {
        format!("made {shown}: {summary}\n\nnext:\n  cd {shown}\n  wasmlops plan\n  wasmlops run")
    })?;
    Ok(Outcome::Done)
}

fn refuse_used(folder: &Path) -> Result<()> {
    let used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if used || folder.is_file() {
        let message = format!("`{}` exists and is not empty", folder.display());
        return Err(Error::user("folder-used", message, "name a folder that does not exist yet").into());
    }
    Ok(())
}

fn write(folder: &Path, path: &str, text: &str) -> Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// A folder in the making; gone if it is not moved into place.
struct Draft {
    folder: PathBuf,
}

impl Draft {
    fn beside(folder: &Path) -> Result<Self> {
        let name = folder.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
        let draft = folder.with_file_name(format!(".{name}.init-{}", std::process::id()));
        fs::create_dir_all(&draft).with_context(|| format!("cannot make `{}`", draft.display()))?;
        Ok(Self { folder: draft })
    }

    fn move_to(self, folder: &Path) -> Result<()> {
        // An empty folder of that name gives way.
        let _ = fs::remove_dir(folder);
        fs::rename(&self.folder, folder).with_context(|| format!("cannot make `{}`", folder.display()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
