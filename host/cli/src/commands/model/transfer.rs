//! `wasmlops model export|import`.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use wasmlops_server::error::Error;
use wasmlops_server::host::Host;
use wasmlops_server::models::{self, AliasMoveRequest, AliasTarget, Expected, Foreign, Format, MoveView, Registered};

use super::alias::sentence;
use super::reference;
use crate::args::{ForeignFormat, ImportArgs, TaskArg};
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

pub async fn export(settings: &Settings, model: &str, folder: &Path, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let version = models::required(&host, &reference(model)?).await?;
    let folder = settings.folder.join(folder);
    let files = models::export(&host, &version, &folder).await?;
    let view = json!({
        "model": version.name, "version": version.version, "digest": version.digest, "folder": folder, "files": files,
    });
    printer.data(&view, || {
        format!("wrote {}@{} to {}: {} files", version.name, version.version, folder.display(), files.len())
    })?;
    Ok(Outcome::Done)
}

pub async fn import(settings: &Settings, args: ImportArgs, printer: &Printer) -> Result<Outcome> {
    let path = settings.folder.join(&args.file);
    let foreign = match args.format {
        Some(format) => Some(foreign(settings, &args, format, &path)?),
        None => None,
    };
    let host = settings.host().await?;
    let actor = settings.actor();
    let registered = match foreign {
        Some(foreign) => models::import_foreign(&host, &args.model, foreign, &actor).await?,
        None if path.is_file() => {
            let message = format!("`{}` is a file, and its format is not known", path.display());
            let hint = "add `--format onnx|xgboost|lightgbm --data SAMPLE.csv --target COLUMN`";
            return Err(Error::user("unknown-format", message, hint).into());
        }
        None => models::import_folder(&host, &args.model, &path, &actor).await?,
    };
    let moved = match &args.alias {
        Some(alias) => Some(name(&host, &args, alias, &registered, actor).await?),
        None => None,
    };
    host.store.close().await;
    let view = json!({
        "model": args.model, "version": registered.version, "digest": registered.digest,
        "created": registered.created, "alias": moved,
    });
    printer.data(&view, || {
        let what = if registered.created { "registered" } else { "was registered before" };
        let alias = moved.as_ref().map_or_else(String::new, |moved| format!("\n{}", sentence(moved, true)));
        format!("{what}: {}@{}, {}{alias}", args.model, registered.version, registered.digest)
    })?;
    Ok(Outcome::Done)
}

/// Asked for by hand: where no gate speaks for the version, the move is recorded as forced.
async fn name(host: &Host, args: &ImportArgs, alias: &str, registered: &Registered, actor: String) -> Result<MoveView> {
    let reference = format!("{}@{}", args.model, registered.version).parse()?;
    let version = models::required(host, &reference).await?;
    let forced = !version.document.has_evidence();
    let usual = || "imported by hand; no gate has judged it".to_owned();
    let request = AliasMoveRequest {
        name: args.model.clone(),
        alias: alias.to_owned(),
        to: AliasTarget::Version(registered.version),
        expected: Expected::Any,
        reason: args.reason.clone().or_else(|| forced.then(usual)),
        forced,
        actor,
    };
    Ok(MoveView::new(&models::move_alias(host, request).await?.last))
}

fn foreign(settings: &Settings, args: &ImportArgs, format: ForeignFormat, path: &Path) -> Result<Foreign> {
    let data = args.data.as_deref().unwrap_or(Path::new(""));
    let name = data.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
    Ok(Foreign {
        format: match format {
            ForeignFormat::Onnx => Format::Onnx,
            ForeignFormat::Xgboost => Format::Xgboost,
            ForeignFormat::Lightgbm => Format::Lightgbm,
        },
        bytes: read(path)?,
        sample: read(&settings.folder.join(data))?,
        sample_name: name,
        target: args.target.clone(),
        classes: args.classes.clone(),
        task: args.task.map(|task| match task {
            TaskArg::Binary => "binary".to_owned(),
            TaskArg::Multiclass => "multiclass".to_owned(),
            TaskArg::Regression => "regression".to_owned(),
        }),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let wrong =
        |error| Error::user("no-such-file", format!("cannot read `{}`: {error}", path.display()), "check the path");
    Ok(std::fs::read(path).map_err(wrong)?)
}
