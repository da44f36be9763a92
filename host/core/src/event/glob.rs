//! Patterns for the attributes of events: `*` stands for any text, also for none.

use std::fmt;

/// A pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob(String);

impl Glob {
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole text fits. Takes at most pattern × text steps, whoever wrote the two.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Where to go back to: behind the last `*`, and the text that it has taken so far.
        let mut star: Option<(usize, usize)> = None;
        while seen < text.len() {
            match (pattern.get(at), star) {
                (Some(b'*'), _) => {
                    star = Some((at + 1, seen));
                    at += 1;
                }
                (Some(byte), _) if *byte == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                (_, Some((behind, taken))) => {
                    at = behind;
                    seen = taken + 1;
                    star = Some((behind, seen));
                }
                _ => return false,
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
