//! Identities from elsewhere: JWTs (RFC 7519) of an OpenID Connect provider, judged by its keys alone. No session, no
//! redirect, no secret: who logs people in is not this server.

mod jws;
mod keys;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use wasmlops_core::access::Role;
use wasmlops_core::config::OidcConfig;
use wasmlops_core::run::Micros;

use self::jws::Jws;
use self::keys::{KeySet, Wanted};
use super::Unavailable;
use crate::broker::Broker;
use crate::clock::Clock;

/// How far the provider's clock may be off, in seconds.
const LEEWAY: f64 = 60.0;

const LONGEST_SUBJECT: usize = 255;

/// A provider that the project trusts. Cheap to clone.
#[derive(Clone)]
pub struct Oidc {
    config: Arc<OidcConfig>,
    keys: Arc<KeySet>,
    clock: Arc<dyn Clock>,
}

/// Whom a token speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub subject: String,
    /// The highest of those that the claims give.
    pub role: Option<Role>,
    /// Leeway included.
    pub expires: Micros,
}

/// The claims that decide whether a token is good. One that is there twice makes it none.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: OneOrMany,
    /// Seconds since 1970, as are the others; fractions are allowed (RFC 7519 §2).
    exp: f64,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Oidc {
    pub fn new(config: OidcConfig, broker: &Broker, clock: Arc<dyn Clock>) -> Self {
        let keys = Arc::new(KeySet::new(&config, broker.clone(), clock.clone()));
        Self { config: Arc::new(config), keys, clock }
    }

    /// Nothing for a token that this provider did not make for this audience, or that is good no more or not yet.
    ///
    /// # Errors
    /// The provider's keys are not known and cannot be had.
    pub async fn identify(&self, text: &str) -> Result<Option<Identity>, Unavailable> {
        let Some(jws) = Jws::parse(text) else { return Ok(None) };
        let wanted = Wanted { id: jws.key_id(), algorithm: jws.algorithm };
        let Some(key) = self.keys.find(&wanted).await? else { return Ok(None) };
        Ok(if key.verifies(&jws) { self.judge(&jws.payload) } else { None })
    }

    fn judge(&self, payload: &[u8]) -> Option<Identity> {
        let claims: Claims = serde_json::from_slice(payload).ok()?;
        let now = self.clock.now() as f64 / 1e6;
        let audience = match &claims.aud {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        };
        // A time that is no number is never good.
        let good = claims.iss == self.config.issuer
            && audience.iter().any(|audience| self.config.audience.contains(audience))
            && now < claims.exp + LEEWAY
            && claims.nbf.is_none_or(|nbf| nbf - LEEWAY <= now)
            && (1..=LONGEST_SUBJECT).contains(&claims.sub.len())
            && !claims.sub.chars().any(char::is_control);
        let all: Value = serde_json::from_slice(payload).ok()?;
        let role = self.role(&all);
        good.then_some(Identity { subject: claims.sub, role, expires: ((claims.exp + LEEWAY) * 1e6) as Micros })
    }

    fn role(&self, claims: &Value) -> Option<Role> {
        let roles = &self.config.roles;
        let values: Vec<&str> = match claim(claims, &roles.claim)? {
            Value::String(value) => vec![value],
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let role = |value: &str| match &roles.map {
            Some(map) => map.iter().find(|(given, _)| given == value).map(|(_, role)| *role),
            None => value.parse().ok(),
        };
        values.into_iter().filter_map(role).max()
    }
}

/// A claim by its name, or by the path to it: `realm_access.roles`.
fn claim<'c>(claims: &'c Value, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| name.split('.').try_fold(claims, |claims, part| claims.get(part)))
}
