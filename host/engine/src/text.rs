//! Text from guests made harmless: it ends up in terminals, logs and pages that people read.

use std::fmt::Write;

/// The longest text kept of one message of a guest.
pub(crate) const MAX_TEXT: usize = 64 << 10;

/// Control characters, terminal escapes, line separators, and marks that reorder or hide text become visible as
/// `\u{1b}`; the text is cut to [`MAX_TEXT`] bytes.
pub(crate) fn neutralise(text: &str) -> String {
    neutralise_within(text, MAX_TEXT)
}

/// As [`neutralise`], cut to `limit` bytes.
pub(crate) fn neutralise_within(text: &str, limit: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(limit));
    for c in text.chars() {
        let start = clean.len();
        match c {
            '\n' => clean.push_str("\\n"),
            '\r' => clean.push_str("\\r"),
            '\t' => clean.push_str("\\t"),
            c if misleads(c) => write!(clean, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String cannot fail"),
            c => clean.push(c),
        }
        if clean.len() > limit {
            clean.truncate(start);
            break;
        }
    }
    clean
}

fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Zero width, and marks of direction.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{061c}' | '\u{feff}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Interlinear annotations and tags: invisible.
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_would_hide() {
        assert_eq!(neutralise("a\u{1b}[31mb\0"), "a\\u{1b}[31mb\\u{0}");
        assert_eq!(neutralise("x\u{202e}y\u{2066}\n"), "x\\u{202e}y\\u{2066}\\n");
        assert_eq!(neutralise("Grüße, 世界 ✓"), "Grüße, 世界 ✓");
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(neutralise_within("ééé", 5), "éé");
        assert_eq!(neutralise_within("ab\u{1b}", 5), "ab");
    }
}
