//! Signing what goes out, and checking what comes in: HMAC-SHA256 (RFC 2104). Forms are `core::event`'s.

use ring::hmac::{HMAC_SHA256, Key};
use wasmlops_core::event::{Signature, signed_bytes, written_signature};

/// The header of our own style.
pub const SIGNATURE: &str = "wasmlops-signature";

/// The value of [`SIGNATURE`] for a body that is sent at `time`, in seconds since 1970.
pub fn signature(secret: &[u8], time: i64, body: &[u8]) -> String {
    written_signature(time, ring::hmac::sign(&key(secret), &signed_bytes(time, body)).as_ref())
}

/// Whether one of a signature's MACs is right. Takes as long whatever they say.
pub fn is_signed(secret: &[u8], signature: &Signature, body: &[u8]) -> bool {
    let (key, message) = (key(secret), signed_bytes(signature.time, body));
    signature.macs.iter().fold(false, |right, mac| ring::hmac::verify(&key, &message, mac).is_ok() | right)
}

/// Whether the MAC is that of the body alone, as GitHub signs.
pub fn is_signed_by_github(secret: &[u8], mac: &[u8; 32], body: &[u8]) -> bool {
    ring::hmac::verify(&key(secret), body, mac).is_ok()
}

fn key(secret: &[u8]) -> Key {
    Key::new(HMAC_SHA256, secret)
}

#[cfg(test)]
mod tests {
    use wasmlops_core::event::github_mac;

    use super::*;

    #[test]
    fn signs_as_others_check() {
        // docs.github.com, "Validating webhook deliveries": the values to test with.
        let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let mac = github_mac(header).unwrap();
        assert!(is_signed_by_github(b"It's a Secret to Everybody", &mac, b"Hello, World!"));
        assert!(!is_signed_by_github(b"It's a Secret to Everybody", &mac, b"Hello, World"));
        assert!(!is_signed_by_github(b"", &mac, b"Hello, World!"));
    }

    #[test]
    fn checks_what_it_signs() {
        let header = signature(b"key", 1000, b"{}");
        let mut signature = Signature::parse(&header).unwrap();
        assert!(is_signed(b"key", &signature, b"{}"));
        assert!(!is_signed(b"other", &signature, b"{}") && !is_signed(b"key", &signature, b"{} "));
        signature.macs.insert(0, [0; 32]);
        assert!(is_signed(b"key", &signature, b"{}"), "one right signature is enough");
        signature.time += 1;
        assert!(!is_signed(b"key", &signature, b"{}"));
    }
}
