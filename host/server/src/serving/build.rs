//! From a version to a release in memory: its components prepared, and its instances loaded.

use std::sync::Arc;
use std::time::Duration;

use wasmlops_core::artifact::ModelDocument;
use wasmlops_core::config::{EndpointConfig, ModelRef, Selector};
use wasmlops_core::limits::Limits;
use wasmlops_core::rollout::Release;
use wasmlops_core::table::Schema;
use wasmlops_engine::{Engine, Prepared, Profile, Stage, StageKind, Warm, WarmRequest};
use wasmlops_package::Digest;
use wasmlops_store::Blobs;

use crate::host::Host;
use crate::inference::Source;
use crate::models::{self, request_schema};

use super::loaded::Loaded;
use super::pool::Pool;
use super::routes::Shared;

/// Until an instance has loaded its model.
const LOADING: Duration = Duration::from_secs(60);
/// What an instance logs over its life goes nowhere; so little of it is counted.
const LOG_BYTES: u64 = 64 << 10;

/// Makes instances of one version.
pub(super) struct Blueprint {
    engine: Engine,
    parts: Vec<Part>,
    input: Schema,
}

struct Part {
    prepared: Prepared,
    bytes: Arc<[u8]>,
    kind: StageKind,
}

/// A component and what it was fitted or trained to, by digest.
struct Wanted {
    component: Digest,
    bytes: Digest,
    kind: StageKind,
}

/// Loads a release with all its instances.
///
/// Errors: one sentence for a person.
pub(super) async fn build(host: Host, shared: Arc<Shared>, release: Release) -> Result<Loaded, String> {
    let config = &shared.config;
    let reference = ModelRef { name: config.model.name.clone(), selector: Selector::Version(release.version) };
    let version = models::resolve(&host, &reference).await.map_err(|error| error.to_string())?;
    let version = version.ok_or_else(|| format!("there is no `{reference}`"))?;
    let document = version.document.document;
    let blueprint = Blueprint::read(&host, &document).await?;
    let mut instances = Vec::with_capacity(config.instances.max(1));
    for _ in 0..config.instances.max(1) {
        instances.push(blueprint.instance().await?);
    }
    let output = Arc::new(instances[0].output().clone());
    Ok(Loaded::new(source(config, &release, &document, &output), blueprint, Pool::new(instances, shared.wake.clone())))
}

fn source(config: &EndpointConfig, release: &Release, document: &ModelDocument, output: &Schema) -> Source {
    let target = document.target.as_ref().and_then(|target| document.input.index_of(target));
    Source {
        model: config.model.name.clone(),
        version: release.version,
        release: release.id.clone(),
        input: request_schema(document),
        output: output.clone(),
        target: target.map(|target| document.input.fields[target].clone()),
    }
}

impl Blueprint {
    async fn read(host: &Host, document: &ModelDocument) -> Result<Self, String> {
        let (engine, blobs) = (host.executor.engine.clone(), host.executor.blobs.clone());
        let input = request_schema(document);
        let transforms = document.transforms.iter().map(|transform| Wanted {
            component: transform.component,
            bytes: transform.state,
            kind: StageKind::Transform,
        });
        let predictor = Wanted { component: document.predictor, bytes: document.model, kind: StageKind::Predictor };
        let wanted: Vec<Wanted> = transforms.chain([predictor]).collect();
        // All stages share one store, and so one profile: the strictest that any of them was made with.
        let strict = document.strict || document.transforms.iter().any(|transform| transform.strict);
        let profile = Profile { strict, fuel: false };
        let reading = tokio::task::spawn_blocking(move || {
            let parts = wanted.iter().map(|wanted| Part::read(&engine, &blobs, wanted, profile));
            Ok(Self { parts: parts.collect::<Result<_, String>>()?, engine, input })
        });
        reading.await.map_err(|error| error.to_string())?
    }

    /// One more instance.
    pub async fn instance(&self) -> Result<Warm, String> {
        let stage = |part: &Part| Stage { prepared: part.prepared.clone(), bytes: part.bytes.clone(), kind: part.kind };
        let limits = Limits { timeout: LOADING, log_bytes: LOG_BYTES, ..Limits::default() };
        let stages = self.parts.iter().map(stage).collect();
        let request = WarmRequest { stages, input: self.input.clone(), limits };
        self.engine.warm(request).await.map_err(|error| error.to_string())
    }
}

impl Part {
    /// Blocks: reads blobs and may compile.
    fn read(engine: &Engine, blobs: &Blobs, wanted: &Wanted, profile: Profile) -> Result<Self, String> {
        let prepared = match engine.ready(&wanted.component, profile) {
            Some(prepared) => prepared,
            None => {
                let component = blobs.get_blocking(&wanted.component).map_err(|error| error.to_string())?;
                engine.prepare(&component, profile).map_err(|error| error.to_string())?
            }
        };
        let bytes = blobs.get_blocking(&wanted.bytes).map_err(|error| error.to_string())?;
        Ok(Self { prepared, bytes: Arc::from(bytes), kind: wanted.kind })
    }
}
