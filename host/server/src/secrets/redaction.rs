//! Finds secrets in what a guest says or makes, however it may have written them.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// What stands in the place of a secret.
const HIDDEN: &str = "[secret]";

/// Shorter values are not looked for: they would be found everywhere.
const SHORTEST: usize = 8;

/// Knows the forms of some secrets. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor {
    forms: Arc<Forms>,
}

#[derive(Default)]
struct Forms {
    /// Longest first, so that a form that contains another is hidden as a whole.
    forms: Vec<Zeroizing<Vec<u8>>>,
    /// A bit for each pair of bytes that a form begins with: most places are passed over with one look.
    beginnings: Vec<u64>,
}

impl Redactor {
    /// Of these values those that have at least eight bytes.
    pub fn new<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Self {
        let long = values.into_iter().filter(|value| value.len() >= SHORTEST);
        let mut forms: Vec<Zeroizing<Vec<u8>>> = long.flat_map(forms).collect();
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        let mut beginnings = if forms.is_empty() { Vec::new() } else { vec![0_u64; 1024] };
        for form in &forms {
            let at = (usize::from(form[0]) << 8) | usize::from(form[1]);
            beginnings[at / 64] |= 1 << (at % 64);
        }
        Self { forms: Arc::new(Forms { forms, beginnings }) }
    }

    /// Whether there is anything to look for.
    pub fn is_idle(&self) -> bool {
        self.forms.forms.is_empty()
    }

    /// Whether a secret is in there.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.next(bytes, 0).is_some()
    }

    /// The text without the secrets.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let bytes = text.as_bytes();
        let Some(mut found) = self.next(bytes, 0) else { return Cow::Borrowed(text) };
        let (mut clear, mut done) = (Vec::with_capacity(bytes.len()), 0);
        loop {
            let (at, length) = found;
            clear.extend_from_slice(&bytes[done..at]);
            clear.extend_from_slice(HIDDEN.as_bytes());
            done = at + length;
            match self.next(bytes, done) {
                Some(next) => found = next,
                None => break,
            }
        }
        clear.extend_from_slice(&bytes[done..]);
        // A form of a value that is no text may end inside a character.
        Cow::Owned(String::from_utf8_lossy(&clear).into_owned())
    }

    /// The first place from `start` on where a form stands, and the form's length.
    fn next(&self, bytes: &[u8], start: usize) -> Option<(usize, usize)> {
        let Forms { forms, beginnings } = &*self.forms;
        if forms.is_empty() || bytes.len() < start + SHORTEST {
            return None;
        }
        let may_begin = |at: usize| {
            let pair = (usize::from(bytes[at]) << 8) | usize::from(bytes[at + 1]);
            (beginnings[pair / 64] >> (pair % 64)) & 1 == 1
        };
        (start..=bytes.len() - SHORTEST).filter(|at| may_begin(*at)).find_map(|at| {
            let form = forms.iter().find(|form| bytes[at..].starts_with(form))?;
            Some((at, form.len()))
        })
    }
}

/// The value as it is, and as base64, hex, part of a URL, part of JSON; of several lines each that is long enough.
fn forms(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = vec![value.to_vec(), hex(value, b"0123456789abcdef"), hex(value, b"0123456789ABCDEF")];
    forms.extend([escaped(value, false, false), escaped(value, true, false), escaped(value, false, true)]);
    forms.extend(base64(value));
    if let Ok(text) = std::str::from_utf8(value) {
        let json = serde_json::Value::from(text).to_string();
        forms.push(json.as_bytes()[1..json.len() - 1].to_vec());
        forms.extend(text.lines().map(|line| line.trim().as_bytes().to_vec()));
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    value.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]).collect()
}

/// Percent-encoded (RFC 3986), with digits in lower case or spaces as `+` where asked for.
fn escaped(value: &[u8], lower: bool, plus: bool) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => vec![*byte],
        b' ' if plus => vec![b'+'],
        byte if lower => format!("%{byte:02x}").into_bytes(),
        byte => format!("%{byte:02X}").into_bytes(),
    };
    value.iter().flat_map(one).collect()
}

/// The characters of base64 that depend on the value alone, for each of the three places that it can have in what was
/// encoded: `user:password` has them too.
fn base64(value: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(value);
        // A character stands for six bits: the first whole ones of the value, and the last.
        let first = (before * 8).div_ceil(6);
        let end = padded.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            found.push(text.as_bytes()[first.min(end)..end].to_vec());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const VALUE: &str = "p@ss/word \"42\" ü";

    #[test]
    fn hides_every_form() {
        let redactor = Redactor::new([VALUE.as_bytes(), b"short"]);
        let url = "p%40ss%2Fword%20%2242%22%20%C3%BC";
        let json = serde_json::json!({ "password": VALUE, "n": 1 }).to_string();
        let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [VALUE, url, &url.to_lowercase(), &url.replace("%20", "+"), &hex, &hex.to_uppercase(), &json] {
            let said = format!("before {text} between {text} after");
            let clear = redactor.redact(&said);
            assert!(!clear.contains(text), "{clear}");
            assert!(clear.starts_with("before ") && clear.ends_with(" after") && clear.contains(HIDDEN), "{clear}");
            assert!(redactor.finds(said.as_bytes()));
        }
        for user in ["", "a:", "ab:", "abc:"] {
            let encoded = STANDARD.encode(format!("{user}{VALUE}"));
            assert!(redactor.finds(encoded.as_bytes()), "{encoded}");
            assert!(redactor.redact(&encoded).len() < HIDDEN.len() + 8, "{}", redactor.redact(&encoded));
        }
    }

    #[test]
    fn leaves_the_rest_alone() {
        let redactor = Redactor::new([b"short".as_slice(), b""]);
        assert!(redactor.is_idle());
        assert_eq!(redactor.redact("short"), "short");
        let redactor = Redactor::new([b"long enough".as_slice()]);
        for text in ["", "l", "long enoug", "lolong enoughh"] {
            assert_eq!(redactor.redact(text).contains(HIDDEN), text.len() > 12, "{text}");
        }
        assert_eq!(redactor.redact("ü lolong enoughh ü"), format!("ü lo{HIDDEN}h ü"));
    }

    #[test]
    fn hides_each_line_of_a_key() {
        let redactor = Redactor::new([b"-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----\n".as_slice()]);
        assert_eq!(redactor.redact("x MIIEvQIBADANBg y"), format!("x {HIDDEN} y"));
    }
}
