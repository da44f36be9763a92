//! The provider's keys (RFC 7517): fetched when first needed, again when a token names one that is not among them, and
//! from time to time, so that a key that the provider withdrew is believed no longer.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256};
use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use wasmlops_core::call::HttpRequest;
use wasmlops_core::config::{OidcConfig, Origin};
use wasmlops_core::run::Micros;

use super::Unavailable;
use super::jws::{Algorithm, Jws};
use crate::broker::Broker;
use crate::clock::Clock;

/// Between two requests for keys, in microseconds: a stranger can name as many keys as they like.
const AGAIN: Micros = 30_000_000;
/// Keys older than this are fetched anew.
const OLD: Micros = 3_600_000_000;
/// Keys older than this are not believed, whatever keeps them from being fetched.
const STALE: Micros = 24 * 3_600_000_000;

const PATIENCE: Duration = Duration::from_secs(5);
const LARGEST: usize = 1 << 20;
const MOST_KEYS: usize = 100;

/// The keys of one provider.
pub(super) struct KeySet {
    issuer: String,
    /// Without it, the provider's discovery document says where they are.
    url: Option<String>,
    /// For what the project file names, whatever its address.
    named: Broker,
    /// For what the provider names on a site of another name.
    foreign: Broker,
    clock: Arc<dyn Clock>,
    fetched: ArcSwapOption<Fetched>,
    /// When keys were last asked for. Held while asking, so that one request asks for all.
    asked: Mutex<Option<Micros>>,
}

struct Fetched {
    at: Micros,
    keys: Vec<Arc<Key>>,
}

/// Which key a token names.
pub(super) struct Wanted<'w> {
    pub id: Option<&'w str>,
    pub algorithm: Algorithm,
}

/// A public key for one algorithm.
pub(super) struct Key {
    id: Option<String>,
    material: Material,
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    pub fn new(config: &OidcConfig, broker: Broker, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer: config.issuer.clone(),
            url: config.jwks.clone(),
            named: Broker::for_operator(),
            foreign: broker,
            clock,
            fetched: ArcSwapOption::empty(),
            asked: Mutex::default(),
        }
    }

    /// The key, if the provider has it.
    pub async fn find(&self, wanted: &Wanted<'_>) -> Result<Option<Arc<Key>>, Unavailable> {
        let there = self.fetched.load_full();
        let age = there.as_ref().map(|there| self.clock.now() - there.at);
        let key = there.as_ref().and_then(|there| there.find(wanted));
        match (key, age) {
            (Some(key), Some(age)) if age < OLD => Ok(Some(key)),
            (key, _) => {
                let refreshed = self.refresh().await;
                let now = self.clock.now();
                match (self.fetched.load_full().filter(|there| now - there.at < STALE), refreshed) {
                    (Some(there), _) => Ok(there.find(wanted)),
                    (None, Err(why)) => Err(why),
                    (None, Ok(())) => Ok(key),
                }
            }
        }
    }

    /// Asks for the keys, unless somebody just did.
    async fn refresh(&self) -> Result<(), Unavailable> {
        let mut asked = self.asked.lock().await;
        let now = self.clock.now();
        if asked.is_some_and(|at| (0..AGAIN).contains(&(now - at))) {
            return match self.fetched.load().is_some() {
                true => Ok(()),
                false => Err(Unavailable("it did not answer a moment ago".to_owned())),
            };
        }
        *asked = Some(now);
        let fetched = self.fetch().await;
        match fetched {
            Ok(keys) => {
                self.fetched.store(Some(Arc::new(Fetched { at: now, keys })));
                Ok(())
            }
            Err(why) => {
                tracing::warn!(issuer = self.issuer, "cannot fetch the identity provider's keys: {why}");
                Err(Unavailable(why))
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Arc<Key>>, String> {
        let jwks = match &self.url {
            Some(url) => get(&self.named, url).await?,
            None => {
                let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
                let discovery: Discovery = parse(&get(&self.named, &url).await?)?;
                if discovery.issuer != self.issuer {
                    return Err(format!("`{url}` is the document of another issuer"));
                }
                // The provider may name another site of its own, but none inside.
                let here = Origin::of_url(&self.issuer) == Origin::of_url(&discovery.jwks_uri);
                get(if here { &self.named } else { &self.foreign }, &discovery.jwks_uri).await?
            }
        };
        let keys: Jwks = parse(&jwks)?;
        // Keys of other kinds are none of ours, and no fault.
        Ok(keys.keys.into_iter().take(MOST_KEYS).filter_map(Key::read).map(Arc::new).collect())
    }
}

impl Fetched {
    /// By its id; a token that names none means the only key there is for its algorithm.
    fn find(&self, wanted: &Wanted<'_>) -> Option<Arc<Key>> {
        let mut fit = self.keys.iter().filter(|key| {
            key.material.algorithm() == wanted.algorithm && (wanted.id.is_none() || key.id.as_deref() == wanted.id)
        });
        match (fit.next(), fit.next()) {
            (Some(key), None) => Some(key.clone()),
            _ => None,
        }
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let decode = |text: Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text?).ok();
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", None) => Material::Rsa { n: decode(jwk.n)?, e: decode(jwk.e)? },
            ("EC", Some("P-256")) => {
                let (x, y) = (decode(jwk.x)?, decode(jwk.y)?);
                (x.len() == 32 && y.len() == 32).then_some(())?;
                // An uncompressed point (SEC 1 §2.3.3).
                Material::P256([&[4], x.as_slice(), y.as_slice()].concat())
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(decode(jwk.x)?),
            _ => return None,
        };
        let for_signing = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        let for_this = jwk.alg.as_deref().is_none_or(|alg| alg == material.algorithm().name());
        (for_signing && for_this).then_some(Self { id: jwk.kid, material })
    }

    pub fn verifies(&self, jws: &Jws<'_>) -> bool {
        if self.material.algorithm() != jws.algorithm {
            return false;
        }
        let verified = match &self.material {
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, jws.signed, &jws.signature)
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(jws.signed, &jws.signature)
            }
            Material::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(jws.signed, &jws.signature),
        };
        verified.is_ok()
    }
}

impl Material {
    fn algorithm(&self) -> Algorithm {
        match self {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }
}

async fn get(broker: &Broker, url: &str) -> Result<Vec<u8>, String> {
    let granted: Vec<Origin> = Origin::of_url(url).into_iter().collect();
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: vec![("accept".to_owned(), b"application/json".to_vec())],
        body: Vec::new(),
        timeout: Some(PATIENCE),
    };
    let answer = broker.send(&granted, request).await.map_err(|error| format!("`{url}`: {error}"))?;
    match answer.status {
        200 if answer.body.len() <= LARGEST => Ok(answer.body),
        200 => Err(format!("`{url}` answered more than {LARGEST} bytes")),
        status => Err(format!("`{url}` answered {status}")),
    }
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("its answer cannot be read: {error}"))
}
