//! How senders of webhooks prove who they are. Two styles:
//!
//! - ours: `Wasmlops-Signature: t=UNIX,v1=HEX`, an HMAC-SHA256 over `UNIX.body`; more than one `v1` while a secret is
//!   being replaced. A signature is good for [`TOLERANCE`] around its time.
//! - GitHub's: `X-Hub-Signature-256: sha256=HEX`, an HMAC-SHA256 over the body (docs.github.com, "Validating webhook
//!   deliveries").

use std::time::Duration;

/// How far a signature's time may be from ours, either way.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Signatures that one header may hold.
const MOST: usize = 4;

/// A header in our style.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Seconds since 1970.
    pub time: i64,
    /// One of them must be right.
    pub macs: Vec<[u8; 32]>,
}

/// Why a signature is not believed before its MAC is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature is not of the form `{0}`")]
    Form(&'static str),
    #[error("the signature's time is more than {} minutes from now", TOLERANCE.as_secs() / 60)]
    Late,
}

impl Signature {
    /// Reads `t=UNIX,v1=HEX`. Parts with other names are of later versions, and are passed over.
    pub fn parse(header: &str) -> Result<Self, SignatureError> {
        let wrong = || SignatureError::Form("t=UNIX,v1=HEX");
        let mut time = None;
        let mut macs = Vec::new();
        for part in header.split(',') {
            match part.trim().split_once('=').ok_or_else(wrong)? {
                ("t", text) if time.is_none() => time = Some(text.parse().map_err(|_| wrong())?),
                ("t", _) => return Err(wrong()),
                ("v1", hex) if macs.len() < MOST => macs.push(mac(hex).ok_or_else(wrong)?),
                ("v1", _) => return Err(wrong()),
                _ => {}
            }
        }
        match (time, macs.is_empty()) {
            (Some(time), false) => Ok(Self { time, macs }),
            _ => Err(wrong()),
        }
    }

    /// Refuses a signature of another time than `now`, in seconds since 1970.
    pub fn check_time(&self, now: i64) -> Result<(), SignatureError> {
        if self.time.abs_diff(now) > TOLERANCE.as_secs() { Err(SignatureError::Late) } else { Ok(()) }
    }
}

/// What the MAC of our style is computed over.
pub fn signed_bytes(time: i64, body: &[u8]) -> Vec<u8> {
    [format!("{time}.").as_bytes(), body].concat()
}

/// The header in our style.
pub fn written_signature(time: i64, mac: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = format!("t={time},v1=");
    for byte in mac {
        write!(text, "{byte:02x}").expect("a text takes every byte");
    }
    text
}

/// The MAC in a header of GitHub's style.
pub fn github_mac(header: &str) -> Result<[u8; 32], SignatureError> {
    header.trim().strip_prefix("sha256=").and_then(mac).ok_or(SignatureError::Form("sha256=HEX"))
}

fn mac(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}
