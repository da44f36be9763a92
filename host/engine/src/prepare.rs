//! From a component's bytes to something callable. Runs no guest code.
//!
//! In this order, so that the cheap refusals come first: size, form, imports (by name), compilation or the cache,
//! counts of memories and tables, and the types of imports and exports against the contract.

use std::sync::Arc;

use wasmlops_package::Digest;
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::kinds;
use crate::compiled_cache::{CodeKey, CompiledCache};
use crate::config::Profile;
use crate::limiter::{MAX_MEMORIES, MAX_TABLES};
use crate::linker::{CONTRACT, Import, judge};
use crate::state::State;
use crate::text::neutralise_within;

/// A Python plugin with its interpreter takes 18 MB.
const MAX_COMPONENT: usize = 64 << 20;

/// Why a component cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error("this is not a WebAssembly component: {reason}")]
    NotAComponent { reason: String },
    /// It imports something that no plugin gets.
    #[error("the component imports `{import}`, which this host does not grant")]
    Denied { import: String },
    /// It does not fit the contract.
    #[error("the component does not fit the plugin contract {CONTRACT}: {reason}")]
    Contract { reason: String },
    #[error("the component is too large: {what}")]
    TooLarge { what: String },
    /// It is malformed, uses a WebAssembly feature that is switched off, or the compiler failed.
    #[error("the component cannot be compiled: {reason}")]
    Compile { reason: String },
}

impl PrepareError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            PrepareError::NotAComponent { .. } => "build the plugin for the target `wasm32-wasip2`",
            PrepareError::Denied { import } if import.starts_with("wasi:sockets") => {
                "plugins have no sockets; send HTTP requests through `wasi:http/outgoing-handler` to origins that the \
                 step is granted with `http`, or fetch the data before the run"
            }
            PrepareError::Denied { import } if import.starts_with("wasmlops:plugin/endpoints") => {
                "only deployers drive the host's endpoints; export the kind `deployer`, or leave the import out"
            }
            PrepareError::Denied { import } if import.starts_with("wasmlops:plugin/models") => {
                "only validators ask a model; export the kind `validator`, or leave the import out"
            }
            PrepareError::Denied { .. } => {
                "plugins may import the contract's host interfaces, and `cli`, `clocks`, `filesystem`, `io`, `random` \
                 and outgoing `http` of WASI 0.2"
            }
            PrepareError::Contract { .. } => "build the plugin with an SDK for the contract that this host speaks",
            PrepareError::TooLarge { .. } => {
                "leave out what the plugin does not need, or split it into several plugins"
            }
            PrepareError::Compile { .. } => {
                "build for the target `wasm32-wasip2` without extra target features: threads, exceptions, GC, tail \
                 calls and 64-bit memories are off"
            }
        }
    }
}

/// Callable code of one component under one profile. Clones share it.
#[derive(Clone)]
pub struct Prepared {
    code: Arc<Code>,
    from_cache: bool,
}

pub(crate) struct Code {
    pub digest: Digest,
    pub profile: Profile,
    pub instance: InstancePre<State>,
    pub kinds: Kinds,
}

/// The kinds that the component exports, with their functions found and type-checked.
pub(crate) struct Kinds {
    pub data_source: Option<kinds::data_source::GuestIndices>,
    pub processor: Option<kinds::processor::GuestIndices>,
    pub transform: Option<kinds::transform::GuestIndices>,
    pub trainer: Option<kinds::trainer::GuestIndices>,
    pub predictor: Option<kinds::predictor::GuestIndices>,
    pub validator: Option<kinds::validator::GuestIndices>,
    pub deployer: Option<kinds::deployer::GuestIndices>,
    pub monitor: Option<kinds::monitor::GuestIndices>,
}

impl Prepared {
    /// The component's SHA-256.
    pub fn digest(&self) -> &Digest {
        &self.code.digest
    }

    pub fn profile(&self) -> Profile {
        self.code.profile
    }

    /// Whether nothing had to be compiled for this.
    pub fn from_cache(&self) -> bool {
        self.from_cache
    }

    pub(crate) fn code(&self) -> &Code {
        &self.code
    }

    /// The same, found in memory.
    pub(crate) fn again(&self) -> Self {
        Self { code: self.code.clone(), from_cache: true }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("digest", self.digest()).field("from_cache", &self.from_cache).finish()
    }
}

/// Where code comes from and what it is linked with.
pub(crate) struct Workshop<'a> {
    pub profile: Profile,
    pub linker: &'a Linker<State>,
    pub cache: Option<&'a CompiledCache>,
}

/// Errors: see [`PrepareError`].
pub(crate) fn prepare(bytes: &[u8], digest: Digest, workshop: &Workshop<'_>) -> Result<Prepared, PrepareError> {
    check_bytes(bytes)?;
    let (component, from_cache) = compile(bytes, &digest, workshop)?;
    check_counts(&component)?;
    let instance =
        workshop.linker.instantiate_pre(&component).map_err(|error| PrepareError::Contract { reason: text(&error) })?;
    let kinds = find_kinds(&instance)?;
    let code = Arc::new(Code { digest, profile: workshop.profile, instance, kinds });
    Ok(Prepared { code, from_cache })
}

/// Everything that can be said without compiling: size, form, and the names of the imports.
pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), PrepareError> {
    if bytes.len() > MAX_COMPONENT {
        return Err(PrepareError::TooLarge {
            what: format!("{} bytes, and at most {MAX_COMPONENT} are taken", bytes.len()),
        });
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        let reason = "these are bytes of compiled code, which is only taken from this host's own cache".into();
        return Err(PrepareError::NotAComponent { reason });
    }
    let malformed =
        |error: wasmparser::BinaryReaderError| PrepareError::NotAComponent { reason: error.message().into() };
    let mut depth = 0;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                let reason = "it is a core module".into();
                return Err(PrepareError::NotAComponent { reason });
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            // The outermost one ends the stream.
            Payload::End(_) => depth -= i32::from(depth > 0),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(malformed)?.name.name);
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(malformed)?.name.name);
                }
            }
            _ => {}
        }
    }
    imports.into_iter().try_for_each(|import| check_import(import, &exports))
}

fn check_import(name: &str, exports: &[&str]) -> Result<(), PrepareError> {
    let shown = neutralise_within(name, 200);
    let is = |export: &str, kind: &str| {
        export.strip_prefix("wasmlops:plugin/").and_then(|rest| rest.split_once('@')).is_some_and(|(it, _)| it == kind)
    };
    match judge(name) {
        Import::Linked => Ok(()),
        Import::OnlyFor(kind) if exports.iter().any(|export| is(export, kind)) => Ok(()),
        Import::OtherContract => Err(PrepareError::Contract { reason: format!("it imports `{shown}`") }),
        Import::OnlyFor(_) | Import::Denied => Err(PrepareError::Denied { import: shown }),
    }
}

fn compile(bytes: &[u8], digest: &Digest, workshop: &Workshop<'_>) -> Result<(Component, bool), PrepareError> {
    let engine = workshop.linker.engine();
    let key = CodeKey::new(digest, workshop.profile, engine);
    if let Some(component) = workshop.cache.and_then(|cache| cache.load(&key, engine)) {
        return Ok((component, true));
    }
    let _span = tracing::debug_span!("compile", component = %digest.short(), bytes = bytes.len()).entered();
    let component =
        Component::from_binary(engine, bytes).map_err(|error| PrepareError::Compile { reason: text(&error) })?;
    if let Some(cache) = workshop.cache {
        cache.store(&key, &component);
    }
    Ok((component, false))
}

fn check_counts(component: &Component) -> Result<(), PrepareError> {
    // Absent only for components that import core modules, and those are refused by name.
    let Some(needs) = component.resources_required() else { return Ok(()) };
    let too_large = |what: String| Err(PrepareError::TooLarge { what });
    if needs.num_memories as usize > MAX_MEMORIES {
        return too_large(format!("{} memories, and at most {MAX_MEMORIES} are allowed", needs.num_memories));
    }
    if needs.num_tables as usize > MAX_TABLES {
        return too_large(format!("{} tables, and at most {MAX_TABLES} are allowed", needs.num_tables));
    }
    Ok(())
}

fn find_kinds(instance: &InstancePre<State>) -> Result<Kinds, PrepareError> {
    macro_rules! find {
        ($kind:ident, $name:literal) => {{
            let export = concat!("wasmlops:plugin/", $name, "@0.1.0");
            let exported = instance.component().get_export_index(None, export).is_some();
            exported.then(|| kinds::$kind::GuestIndices::new(instance)).transpose().map_err(|error| {
                PrepareError::Contract { reason: format!("its export `{}`: {}", $name, text(&error)) }
            })?
        }};
    }
    let kinds = Kinds {
        data_source: find!(data_source, "data-source"),
        processor: find!(processor, "processor"),
        transform: find!(transform, "transform"),
        trainer: find!(trainer, "trainer"),
        predictor: find!(predictor, "predictor"),
        validator: find!(validator, "validator"),
        deployer: find!(deployer, "deployer"),
        monitor: find!(monitor, "monitor"),
    };
    match &kinds {
        Kinds {
            data_source: None,
            processor: None,
            transform: None,
            trainer: None,
            predictor: None,
            validator: None,
            deployer: None,
            monitor: None,
        } => {
            let reason = "it exports no kind of plugin: none of `data-source`, `processor`, `transform`, `trainer`, \
                          `predictor`, `validator`, `deployer`, `monitor`";
            Err(PrepareError::Contract { reason: reason.into() })
        }
        _ => Ok(kinds),
    }
}

/// The error with its causes on one line: names of the guest's own choosing stand in it.
fn text(error: &wasmtime::Error) -> String {
    neutralise_within(&format!("{error:#}"), 4096)
}
