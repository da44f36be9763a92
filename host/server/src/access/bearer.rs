//! The credential in a request's `Authorization` header (RFC 6750), read strictly. Nothing of it is kept but a hash;
//! the text of a JWT is held as long as it is being judged.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::tokens::PREFIX;

/// Longer ones come from no identity provider that we know of.
const LONGEST_JWT: usize = 8 << 10;

/// Bytes of chance in a token.
pub(super) const SECRET: usize = 32;

/// A well-formed credential. Only the hash of a token is compared, so that the time that takes says nothing of it.
pub enum Bearer {
    /// One of ours.
    Token { hash: [u8; 32] },
    /// An identity provider's.
    Jwt { hash: [u8; 32], text: Zeroizing<String> },
}

/// Why a request has no credential to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    #[error("the request carries no token")]
    Missing,
    #[error("the request's `Authorization` header is no bearer token")]
    Malformed,
}

impl Bearer {
    /// The one in the headers. A request with two of them is nobody's.
    pub fn read(headers: &HeaderMap) -> Result<Self, BearerError> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let header = match (given.next(), given.next()) {
            (None, _) => return Err(BearerError::Missing),
            (Some(header), None) => header.to_str().map_err(|_| BearerError::Malformed)?,
            (Some(_), Some(_)) => return Err(BearerError::Malformed),
        };
        let (scheme, credential) = header.split_once(' ').ok_or(BearerError::Malformed)?;
        match scheme.eq_ignore_ascii_case("bearer") {
            true => Self::parse(credential).ok_or(BearerError::Malformed),
            false => Err(BearerError::Malformed),
        }
    }

    /// `wml_` and 32 bytes as base64url, or three parts of base64url as a JWS has them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = || Sha256::digest(text.as_bytes()).into();
        if let Some(secret) = text.strip_prefix(PREFIX) {
            // Every token has one spelling: without padding, and with no bits to spare.
            let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?);
            return (bytes.len() == SECRET).then(|| Self::Token { hash: hash() });
        }
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let jws = text.len() <= LONGEST_JWT && text.split('.').count() == 3 && text.split('.').all(part);
        jws.then(|| Self::Jwt { hash: hash(), text: Zeroizing::new(text.to_owned()) })
    }

    pub(super) fn hash(&self) -> &[u8; 32] {
        match self {
            Bearer::Token { hash } | Bearer::Jwt { hash, .. } => hash,
        }
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bearer::Token { .. } => "Token",
            Bearer::Jwt { .. } => "Jwt",
        })
    }
}
