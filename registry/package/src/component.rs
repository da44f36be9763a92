//! What a component's bytes say about it: kinds, contract version, imports and manifest, read without running anything.
//!
//! Foreign bytes come in here first, so this module believes nothing: sizes are capped, the binary is validated, and
//! the manifest must agree with the exports. It does not decide what a component may do. The door is
//! [`Component::inspect`].

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::digest::Digest;
use crate::manifest::{Manifest, SECTION};

/// The largest component that is looked at. A Python plugin with its interpreter is about 18 MB.
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// The largest manifest that is read.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// The contract's package, which every kind is an interface of.
const CONTRACT_PACKAGE: &str = "wasmlops:plugin/";

/// What a plugin can be; in the contract, the interface it exports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    DataSource,
    Processor,
    Transform,
    Trainer,
    Predictor,
    Validator,
    Deployer,
    Monitor,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::DataSource,
        Kind::Processor,
        Kind::Transform,
        Kind::Trainer,
        Kind::Predictor,
        Kind::Validator,
        Kind::Deployer,
        Kind::Monitor,
    ];

    /// The name as text, which is also the name of the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::DataSource => "data-source",
            Kind::Processor => "processor",
            Kind::Transform => "transform",
            Kind::Trainer => "trainer",
            Kind::Predictor => "predictor",
            Kind::Validator => "validator",
            Kind::Deployer => "deployer",
            Kind::Monitor => "monitor",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of plugin: expected one of {known}", known = list(Kind::ALL))]
pub struct KindError(pub String);

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let named = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
        named.ok_or_else(|| KindError(text.chars().take(100).collect()))
    }
}

/// A component that is well-formed, speaks a supported contract, and whose manifest agrees with its exports.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    pub manifest: Manifest,
    /// The kinds it exports; the same as those of the manifest.
    pub kinds: BTreeSet<Kind>,
    /// The version of the `wasmlops:plugin` package in the names of its exports.
    pub contract: Version,
    /// The names of its imports, in the order of the binary.
    pub imports: Vec<String>,
    /// Whether it looks for files (`wasi:filesystem/preopens`).
    pub needs_files: bool,
    /// Whether it sends HTTP requests (`wasi:http/outgoing-handler`).
    pub needs_http: bool,
    /// Whether it drives the host's endpoints (`endpoints` of the contract).
    pub needs_endpoints: bool,
}

/// Why some bytes are not a plugin's component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    #[error(
        "component has {size} bytes, and the limit is {MAX_COMPONENT_BYTES}\nhint: build with optimisation and without \
         debug information"
    )]
    TooLarge { size: usize },
    #[error(
        "file is machine code (ELF), not a component\nhint: give the `.wasm` file; precompiled `.cwasm` files are not \
         accepted, since nothing can check what is in them"
    )]
    Precompiled,
    #[error(
        "file is a core WebAssembly module, not a component\nhint: build for the target `wasm32-wasip2`, which gives \
         components"
    )]
    CoreModule,
    #[error("file is not WebAssembly: {reason}\nhint: give the `.wasm` file that the build wrote")]
    NotWasm { reason: String },
    #[error("component is malformed or uses a WebAssembly feature that is off: {reason}\nhint: build it again")]
    Malformed { reason: String },
    #[error(
        "component has no manifest (custom section `{SECTION}`)\nhint: declare the plugin with the SDK's export macro, \
         and do not strip custom sections"
    )]
    NoManifest,
    #[error(
        "component has more than one manifest (custom section `{SECTION}`)\nhint: build one plugin per component, \
         and do not compose plugins with each other"
    )]
    DuplicateManifest,
    #[error("manifest has {size} bytes, and the limit is {MAX_MANIFEST_BYTES}\nhint: shorten its texts and schemas")]
    ManifestTooLarge { size: usize },
    #[error("manifest is not valid: {reason}\nhint: build the plugin with the SDK of this contract version")]
    Manifest { reason: String },
    #[error(
        "component exports no kind of plugin\nhint: export at least one of {known} from `wasmlops:plugin`",
        known = list(Kind::ALL)
    )]
    NoKind,
    #[error(
        "component exports `{export}`, which is no kind of plugin\nhint: known are {known}",
        known = list(Kind::ALL)
    )]
    UnknownKind { export: String },
    #[error(
        "contract version of the export `{export}` is not supported\nhint: this host runs `wasmlops:plugin@0.1`; build \
         the plugin against that version"
    )]
    Contract { export: String },
    #[error(
        "manifest says kinds {manifest}, and the component exports {exports}\nhint: declare each exported kind in the \
         manifest, and no other"
    )]
    KindsDiffer { manifest: String, exports: String },
    #[error(
        "manifest says contract `{manifest}`, and the component exports `{exports}`\nhint: build manifest and \
         component with the same SDK version"
    )]
    ContractDiffers { manifest: Version, exports: Version },
}

impl Component {
    /// Reads what `bytes` say of themselves. Nothing is run and nothing is compiled; validating 64 MiB takes well under
    /// a second.
    ///
    /// Errors: [`ComponentError`] for anything but a valid component with one manifest that agrees with its exports.
    pub fn inspect(bytes: &[u8]) -> Result<Self, ComponentError> {
        refuse_other_files(bytes)?;
        Validator::new_with_features(features())
            .validate_all(bytes)
            .map_err(|error| ComponentError::Malformed { reason: error.to_string() })?;
        Self::read(bytes)
    }

    /// Like [`Component::inspect`], for bytes that have been inspected before: does not validate the code again, which is
    /// most of the time.
    pub fn read(bytes: &[u8]) -> Result<Self, ComponentError> {
        let Parts { manifests, imports, exports } = Parts::of(bytes)?;

        let manifest = match manifests.as_slice() {
            [] => return Err(ComponentError::NoManifest),
            [manifest] => read_manifest(manifest)?,
            _ => return Err(ComponentError::DuplicateManifest),
        };
        let (kinds, contract) = kinds_of(&exports)?;
        if !manifest.kinds.keys().eq(kinds.iter()) {
            return Err(ComponentError::KindsDiffer {
                manifest: list(manifest.kinds.keys().copied()),
                exports: list(kinds),
            });
        }
        if manifest.contract != contract {
            return Err(ComponentError::ContractDiffers { manifest: manifest.contract, exports: contract });
        }
        let needs = |interface: &str| {
            imports.iter().any(|import| import.split_once('@').is_some_and(|(name, _)| name == interface))
        };
        Ok(Self {
            digest: Digest::sha256(bytes),
            size: bytes.len() as u64,
            needs_files: needs("wasi:filesystem/preopens"),
            needs_http: needs("wasi:http/outgoing-handler"),
            needs_endpoints: needs("wasmlops:plugin/endpoints"),
            manifest,
            kinds,
            contract,
            imports,
        })
    }
}

/// What the engine runs: everything final but garbage collection, exceptions, threads, 64-bit memories and component
/// async.
fn features() -> WasmFeatures {
    let off = WasmFeatures::GC
        | WasmFeatures::GC_TYPES
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::THREADS
        | WasmFeatures::MEMORY64;
    (WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL) - off
}

fn refuse_other_files(bytes: &[u8]) -> Result<(), ComponentError> {
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(ComponentError::TooLarge { size: bytes.len() });
    }
    if bytes.starts_with(b"\x7fELF") {
        return Err(ComponentError::Precompiled);
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(()),
        Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => Err(ComponentError::CoreModule),
        Some(Err(error)) => Err(ComponentError::NotWasm { reason: error.message().to_owned() }),
        Some(Ok(_)) | None => Err(ComponentError::NotWasm { reason: "it has no WebAssembly header".to_owned() }),
    }
}

/// The sections that matter, as they lie in the binary.
#[derive(Default)]
struct Parts<'a> {
    /// Manifest sections at any depth: linkers leave them in the core module.
    manifests: Vec<&'a [u8]>,
    imports: Vec<String>,
    exports: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, ComponentError> {
        let malformed = |error: wasmparser::Error| ComponentError::Malformed { reason: error.to_string() };
        let mut parts = Parts::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::CustomSection(section) if section.name() == SECTION => parts.manifests.push(section.data()),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        parts.imports.push(import.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        parts.exports.push(export.map_err(malformed)?.name.name);
                    }
                }
                _ => {}
            }
        }
        Ok(parts)
    }
}

fn read_manifest(section: &[u8]) -> Result<Manifest, ComponentError> {
    if section.len() > MAX_MANIFEST_BYTES {
        return Err(ComponentError::ManifestTooLarge { size: section.len() });
    }
    let manifest: Manifest =
        serde_json::from_slice(section).map_err(|error| ComponentError::Manifest { reason: error.to_string() })?;
    match manifest.problems() {
        problems if problems.is_empty() => Ok(manifest),
        problems => Err(ComponentError::Manifest { reason: problems.join("; ") }),
    }
}

/// The exported kinds and the one contract version they share.
fn kinds_of(exports: &[&str]) -> Result<(BTreeSet<Kind>, Version), ComponentError> {
    let mut kinds = BTreeSet::new();
    let mut contract: Option<Version> = None;
    for export in exports {
        let Some(name) = export.strip_prefix(CONTRACT_PACKAGE) else { continue };
        let unsupported = || ComponentError::Contract { export: (*export).to_owned() };
        let (interface, version) = name.split_once('@').ok_or_else(unsupported)?;
        let version = Version::parse(version).map_err(|_| unsupported())?;
        let supported = version.major == 0 && version.minor == 1 && version.pre.is_empty();
        if !supported || contract.as_ref().is_some_and(|first| *first != version) {
            return Err(unsupported());
        }
        kinds.insert(interface.parse().map_err(|_| ComponentError::UnknownKind { export: (*export).to_owned() })?);
        contract = Some(version);
    }
    contract.map(|contract| (kinds, contract)).ok_or(ComponentError::NoKind)
}

fn list(kinds: impl IntoIterator<Item = Kind>) -> String {
    kinds.into_iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
