//! A JWS in its compact form (RFC 7515) with the few algorithms that are taken. Pure.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What signatures are made with (RFC 7518 §3.1, RFC 8037). No others: neither `none`, nor anything that a public key
/// could be taken for a secret of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// A token whose signature was not looked at.
pub(super) struct Jws<'t> {
    pub algorithm: Algorithm,
    key: Option<String>,
    /// What was signed.
    pub signed: &'t [u8],
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood: we understand none.
    crit: Option<IgnoredAny>,
}

impl<'t> Jws<'t> {
    pub fn parse(text: &'t str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        // RFC 9068 §2.1; providers that say nothing mean the same.
        let typ = header.typ.as_deref().unwrap_or("jwt").to_ascii_lowercase();
        let known = matches!(typ.as_str(), "jwt" | "at+jwt" | "application/at+jwt");
        (known && header.crit.is_none()).then_some(())?;
        Some(Self {
            algorithm: header.alg,
            key: header.kid,
            signed: signed.as_bytes(),
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    pub fn key_id(&self) -> Option<&str> {
        self.key.as_deref()
    }
}
