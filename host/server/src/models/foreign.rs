//! Models that were trained elsewhere. Their bytes are parsed in the sandbox alone: the host puts a header in front of
//! them that says what the user said, and lets the predictor of that format load them over sample rows, so that a broken
//! file is refused here and the columns of predictions are known.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};
use wasmlops_core::artifact::{Code, ModelDocument, VersionDocument, media_type};
use wasmlops_core::canonical_json::to_canonical;
use wasmlops_core::diagnostics::suggest;
use wasmlops_core::run::Failure;
use wasmlops_core::table::{Schema, Table};
use wasmlops_package::{Algorithm, Digest};

use super::files::{predictions, refused, requests};
use super::{Provenance, Registered, keep, register};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::plugins::Plugin;
use crate::probe::read_file;

/// What wrote the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Onnx,
    Xgboost,
    Lightgbm,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Xgboost => "xgboost",
            Self::Lightgbm => "lightgbm",
        }
    }

    /// The plugin that predicts with it.
    pub fn predictor(self) -> &'static str {
        match self {
            Self::Onnx => "onnx-predictor",
            Self::Xgboost | Self::Lightgbm => "tree-ensemble",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A model file with what its user knows of it.
#[derive(Clone, Debug)]
pub struct Foreign {
    pub format: Format,
    pub bytes: Vec<u8>,
    /// A CSV file with a header: the columns that the model was trained on, in their order, and its target.
    pub sample: Vec<u8>,
    /// The CSV file's name.
    pub sample_name: String,
    pub target: Option<String>,
    /// The texts of the classes, in the model's order.
    pub classes: Option<Vec<String>>,
    /// `binary`, `multiclass` or `regression`, where the file does not say it.
    pub task: Option<String>,
}

/// Registers a foreign model. The sample is kept as the rows that it can be judged on.
///
/// # Errors
/// The user's: an unreadable sample, a target that is no column, a file that the predictor refuses, with its reason.
pub async fn import_foreign(host: &Host, name: &str, foreign: Foreign, actor: &str) -> Result<Registered> {
    wasmlops_catalog::check_name(name)?;
    let plugin = plugin(host, foreign.format)?;
    host.store.blobs().put_as(Algorithm::Sha256, plugin.bytes.clone()).await.map_err(Error::store)?;
    let sample = read_sample(host, &foreign).await?;
    let bytes = sample.to_ipc().map_err(Error::bug)?;
    let evaluation = keep(host, bytes, media_type::TABLE, actor).await?;
    let mut document = ModelDocument {
        transforms: Vec::new(),
        plugin: format!("{} {}", plugin.info.name, plugin.info.version),
        predictor: plugin.info.digest,
        model: keep(host, wrapped(&foreign, sample.schema())?, media_type::BYTES, actor).await?,
        input: sample.schema().clone(),
        output: Schema::default(),
        target: foreign.target.clone(),
        strict: false,
    };
    let rows = requests(&sample, &document, sample.num_rows())?;
    let rows = rows.ok_or_else(|| no_features(&foreign))?;
    document.output = predictions(host, &document, rows).await.map_err(unfit)?.schema().clone();
    let canonical = to_canonical(&serde_json::to_value(&document).map_err(Error::bug)?);
    let content = VersionDocument {
        name: name.to_owned(),
        model: keep(host, canonical.into_bytes(), media_type::MODEL, actor).await?,
        metrics: BTreeMap::new(),
        reports: Vec::new(),
        data: BTreeMap::from([(foreign.sample_name, Digest::blake3(&foreign.sample))]),
        training: None,
        evaluation: Some(evaluation),
        code: Code {
            pipeline: String::new(),
            plugins: BTreeMap::from([("predictor".to_owned(), format!("{} {}", document.plugin, document.predictor))]),
        },
        origin: Some(foreign.format.to_string()),
        document,
    };
    host.store.blobs().put(foreign.sample).await.map_err(Error::store)?;
    register(host, name, content, Provenance::default(), actor).await
}

fn plugin(host: &Host, format: Format) -> Result<Plugin> {
    let name = format.predictor();
    let found = host.plugins.iter().find(|plugin| plugin.info.name.as_str() == name);
    found.cloned().ok_or_else(|| {
        let message = format!("there is no plugin `{name}`, which reads {format} models");
        Error::user("unknown-plugin", message, format!("allow `{name}` in the project's `plugins`"))
    })
}

async fn read_sample(host: &Host, foreign: &Foreign) -> Result<Table> {
    const FILE: &str = "sample.csv";
    let sample = read_file(host, "csv-source", json!({ "path": FILE }), FILE, foreign.sample.clone()).await?;
    let fields = &sample.schema().fields;
    if sample.num_rows() == 0 {
        let message = format!("`{}` has no rows", foreign.sample_name);
        return Err(Error::user("empty-sample", message, "give at least one row that the model can predict"));
    }
    match &foreign.target {
        Some(target) if sample.schema().index_of(target).is_none() => {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let hint = match suggest(target, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the file has `{}`", names.join("`, `")),
            };
            let message = format!("`{}` has no column `{target}`", foreign.sample_name);
            Err(Error::user("unknown-column", message, hint))
        }
        _ => Ok(sample),
    }
}

/// The predictor's reason, with a fix in the words of the import where it points at the model or the rows.
fn unfit(failure: Failure) -> Error {
    let hint = match failure.field.as_deref() {
        Some("model") => "give the file as its library saved it, with `--classes` in the model's order if it has any",
        Some("table") => "give the columns that the model was trained on, in their order, as `--data`",
        _ => return refused(failure),
    };
    let usual = failure.hint.as_ref().is_none_or(|hint| hint.starts_with("correct "));
    refused(if usual { Failure { hint: Some(hint.to_owned()), ..failure } } else { failure })
}

fn no_features(foreign: &Foreign) -> Error {
    let message = format!("`{}` has no column beside the target", foreign.sample_name);
    Error::user("empty-sample", message, "give the columns that the model was trained on")
}

/// The file behind its header: a 4-byte little-endian length, that many bytes of canonical JSON, the bytes as they were.
fn wrapped(foreign: &Foreign, sample: &Schema) -> Result<Vec<u8>> {
    let features = sample.fields.iter().map(|field| &field.name).filter(|name| Some(*name) != foreign.target.as_ref());
    let mut header = Map::from_iter([
        ("format".to_owned(), Value::from(foreign.format.as_str())),
        ("columns".to_owned(), features.cloned().collect()),
    ]);
    let optional = [
        ("classes", foreign.classes.clone().map(Value::from)),
        ("target", foreign.target.clone().map(Value::from)),
        ("task", foreign.task.clone().map(Value::from)),
    ];
    header.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    let header = to_canonical(&Value::Object(header)).into_bytes();
    let length = u32::try_from(header.len()).map_err(Error::bug)?;
    Ok([&length.to_le_bytes(), header.as_slice(), foreign.bytes.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use wasmlops_core::table::{DataType, Field};

    use super::*;

    #[test]
    fn the_header_says_what_the_user_said() {
        let field = |name: &str| Field { name: name.to_owned(), data_type: DataType::F64, nullable: false };
        let sample = Schema { fields: vec![field("b"), field("y"), field("a")] };
        let foreign = Foreign {
            format: Format::Onnx,
            bytes: vec![1, 2, 3],
            sample: Vec::new(),
            sample_name: "sample.csv".to_owned(),
            target: Some("y".to_owned()),
            classes: Some(vec!["no".to_owned(), "yes".to_owned()]),
            task: None,
        };
        let blob = wrapped(&foreign, &sample).unwrap();
        let header = r#"{"classes":["no","yes"],"columns":["b","a"],"format":"onnx","target":"y"}"#;
        assert_eq!(blob[..4], (header.len() as u32).to_le_bytes());
        assert_eq!(&blob[4..4 + header.len()], header.as_bytes());
        assert_eq!(&blob[4 + header.len()..], [1, 2, 3]);
    }
}
