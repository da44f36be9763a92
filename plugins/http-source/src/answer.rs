//! What an answer means.

use wasmlops_sdk::http::Response;
use wasmlops_sdk::prelude::*;

/// Characters of an answer that a message quotes.
const QUOTED: usize = 300;

/// Which resource it is that the server gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Version {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub content_type: Option<String>,
    /// Bytes of the whole resource.
    pub length: u64,
}

/// A piece of the resource, and of which version.
#[derive(Debug)]
pub struct Piece {
    pub version: Version,
    /// Whether it is a part only, as was asked for.
    pub is_part: bool,
    pub bytes: Vec<u8>,
}

/// What `url` answered to the question for the bytes from `start` on.
///
/// Errors: `unavailable` for answers that say "later" (408, 425, 429, 5xx), `invalid-input` at `etag` where the
/// resource is not the expected one, at `url` for other refusals, and for answers that contradict themselves.
pub fn piece(url: &str, start: u64, response: Response) -> Result<Piece> {
    let text = |name: &str| response.header(name).map(str::to_owned);
    let mut version = Version {
        etag: text("etag"),
        last_modified: text("last-modified"),
        content_type: text("content-type"),
        length: response.body.len() as u64,
    };
    match response.status {
        200 => check_encoding(url, &response)?,
        206 => {
            check_encoding(url, &response)?;
            let range = response.header("content-range").unwrap_or_default();
            let end = start + response.body.len() as u64;
            version.length = match content_range(range) {
                Some((first, last, length)) if first == start && last + 1 == end && end <= length => length,
                _ => {
                    let what = format!("a part of it calls itself `{range}` where byte {start} was asked for");
                    return Err(odd(url, &what));
                }
            };
        }
        // A resource without bytes has no part that could be given.
        416 if start == 0 => version.length = 0,
        _ => return Err(refusal(url, &response)),
    }
    let is_part = response.status == 206;
    let bytes = if response.status == 416 { Vec::new() } else { response.body };
    Ok(Piece { version, is_part, bytes })
}

/// `bytes 0-99/1234`: first, last and length.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, length) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse::<u64>().ok()?);
    Some((first, last.checked_add(1).map(|_| last)?, length.trim().parse().ok()?))
}

/// gzip and zstd are seen and taken away by those who read the bytes.
fn check_encoding(url: &str, response: &Response) -> Result<()> {
    match response.header("content-encoding").map(str::trim) {
        None | Some("" | "identity" | "gzip" | "x-gzip" | "zstd") => Ok(()),
        Some(other) => Err(odd(url, &format!("it comes in the encoding `{other}`, which was not asked for"))),
    }
}

fn refusal(url: &str, response: &Response) -> Error {
    let status = response.status;
    let later = matches!(status, 408 | 425 | 429 | 500..=599);
    let what = match status {
        412 => {
            let now = response.header("etag").map_or_else(String::new, |etag| format!(": it is `{etag}` now"));
            let hint = "hint: look at what changed, then set `etag` anew or leave it out";
            let message = format!("`{url}` is not the expected version any more{now}\n{hint}");
            return Error::invalid_input(message).at("etag");
        }
        300..=399 => match response.header("location") {
            Some(to) => format!("leads on to `{to}`\nhint: name that as `url`, and grant the step its origin"),
            None => format!("answers with status {status}"),
        },
        401 | 403 => format!("answers with status {status}\nhint: have credentials configured for its origin"),
        _ if later => match response.header("retry-after") {
            Some(wait) => format!("answers with status {status}, and asks to wait (`retry-after: {wait}`)"),
            None => format!("answers with status {status}"),
        },
        _ => {
            let said: String = response.text().chars().take(QUOTED).flat_map(char::escape_debug).collect();
            if said.is_empty() {
                format!("answers with status {status}")
            } else {
                format!("answers with status {status}: {said}")
            }
        }
    };
    let code = if later { ErrorCode::Unavailable } else { ErrorCode::InvalidInput };
    Error::new(code, format!("`{url}` {what}")).at("url")
}

/// The server contradicts itself or HTTP.
pub fn odd(url: &str, what: &str) -> Error {
    Error::invalid_input(format!("`{url}` answers oddly: {what}")).at("url")
}
