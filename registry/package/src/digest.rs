//! Digests: how artifacts (BLAKE3) and components (SHA-256, as the OCI world expects) are named.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// The hash function of a [`Digest`]. Both give 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// Artifacts: fast, and a tree hash, so that a range can be checked without reading the whole.
    Blake3,
    /// Components and everything that leaves as OCI.
    Sha256,
}

impl Algorithm {
    fn prefix(self) -> &'static str {
        match self {
            Algorithm::Blake3 => "blake3:",
            Algorithm::Sha256 => "sha256:",
        }
    }
}

/// The name of some bytes, written `blake3:<64 hex digits>` or `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

impl Digest {
    pub fn new(algorithm: Algorithm, bytes: [u8; 32]) -> Self {
        Self { algorithm, bytes }
    }

    /// The digest of an artifact.
    pub fn blake3(content: &[u8]) -> Self {
        Self::new(Algorithm::Blake3, *blake3::hash(content).as_bytes())
    }

    /// The digest of a component.
    pub fn sha256(content: &[u8]) -> Self {
        Self::new(Algorithm::Sha256, sha2::Sha256::digest(content).into())
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The 64 hex digits without the algorithm.
    pub fn hex(&self) -> String {
        self.bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first 12 hex digits: enough for a person to tell digests apart, not enough to name one.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }

    /// Whether `content` is what this digest names.
    pub fn matches(&self, content: &[u8]) -> bool {
        *self
            == match self.algorithm {
                Algorithm::Blake3 => Self::blake3(content),
                Algorithm::Sha256 => Self::sha256(content),
            }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.algorithm.prefix(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest: expected `blake3:` or `sha256:` and 64 lower-case hex digits")]
pub struct DigestError(pub String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError(text.chars().take(100).collect());
        let (algorithm, hex) = [Algorithm::Blake3, Algorithm::Sha256]
            .into_iter()
            .find_map(|algorithm| Some((algorithm, text.strip_prefix(algorithm.prefix())?)))
            .ok_or_else(wrong)?;
        let digits = hex.as_bytes();
        if digits.len() != 64 || !digits.iter().all(|d| d.is_ascii_digit() || (b'a'..=b'f').contains(d)) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        Ok(Self { algorithm, bytes })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for digest in [Digest::blake3(b"rows"), Digest::sha256(b"rows")] {
            assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
            assert!(digest.matches(b"rows"));
            assert!(!digest.matches(b"row"));
        }
    }

    #[test]
    fn refuses_what_is_no_digest() {
        let upper = Digest::blake3(b"").to_string().replace(char::is_alphabetic, "A");
        for text in ["", "blake3:", "md5:00", "blake3:zz", &upper, &format!("{}0", Digest::blake3(b""))] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
