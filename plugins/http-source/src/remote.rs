//! The resource, piece by piece: through ranges where the server gives them, whole where it does not. All pieces are of
//! one version, or the reading fails.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;

use sha2::{Digest, Sha256};
use wasmlops_formats::source::Elsewhere;
use wasmlops_sdk::http::{self, Request};
use wasmlops_sdk::prelude::*;

use crate::answer::{self, Piece, Version};
use crate::config::Config;

/// Bytes asked for at once: half of what the host lets through in one answer.
const PIECE: u64 = 8 << 20;

/// Pieces that are kept. What is not larger is fetched once, whatever is read of it how often.
const KEPT: usize = 8;

/// A resource whose first piece is here.
pub struct Remote {
    url: String,
    headers: BTreeMap<String, String>,
    version: Version,
    state: RefCell<State>,
}

struct State {
    /// Number and bytes, the one used last at the end.
    pieces: VecDeque<(u64, Vec<u8>)>,
    /// Of the bytes up to `hashed`.
    hash: Sha256,
    hashed: u64,
    requests: u64,
}

impl Remote {
    /// Fetches the first piece, and so learns what there is.
    ///
    /// Errors: those of [`answer::piece`]; `denied` where the origin was not granted; `exhausted` for a large resource
    /// of a server that gives no parts.
    pub fn open(config: &Config) -> Result<Self> {
        let expected = config.etag.as_deref();
        if expected.is_some_and(|etag| !weak(etag).starts_with('"') || !etag.ends_with('"') || etag.len() < 2) {
            let message = "an ETag stands in quotes of its own\nhint: `etag: '\"5d8c72a5\"'`";
            return Err(Error::invalid_config("etag", message));
        }
        // A weak one never satisfies `if-match`; it is compared below.
        let first = fetch(&config.url, &config.headers, 0, expected.filter(|etag| !etag.starts_with("W/")))?;
        if let (Some(expected), Some(found)) = (&config.etag, &first.version.etag)
            && weak(expected) != weak(found)
        {
            let message = format!("`{}` is not the expected version any more: it is `{found}` now", config.url);
            return Err(Error::invalid_input(message).at("etag"));
        }
        if config.etag.is_some() && first.version.etag.is_none() {
            let message = format!("`{}` has no ETag that could be compared\nhint: leave `etag` out", config.url);
            return Err(Error::invalid_config("etag", message));
        }
        let length = first.bytes.len() as u64;
        if first.is_part && length != PIECE.min(first.version.length) {
            return Err(answer::odd(&config.url, &format!("its first part has {length} bytes")));
        }
        let mut state = State { pieces: VecDeque::new(), hash: Sha256::new(), hashed: 0, requests: 1 };
        state.hash(0, &first.bytes);
        // A resource that came whole is one piece after the other, too.
        for (number, bytes) in first.bytes.chunks(PIECE as usize).enumerate() {
            state.pieces.push_back((number as u64, bytes.to_vec()));
        }
        Ok(Self {
            url: config.url.clone(),
            headers: config.headers.clone(),
            version: first.version,
            state: state.into(),
        })
    }

    pub fn version(&self) -> &Version {
        &self.version
    }

    /// What was read, for the report.
    pub fn evidence(&self) -> Vec<String> {
        let state = self.state.borrow();
        let mut lines = vec![format!("fetched {} bytes of `{}`", self.version.length, self.url)];
        lines.extend(self.version.etag.iter().map(|etag| format!("etag: {etag}")));
        lines.extend(self.version.last_modified.iter().map(|time| format!("last-modified: {time}")));
        if state.hashed == self.version.length {
            let digest = state.hash.clone().finalize();
            lines.push(format!("sha256: {}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
        }
        if state.requests > 1 && self.version.etag.is_none() && self.version.last_modified.is_none() {
            lines.push("the server states no version, so a change while it was read could go unseen".to_owned());
        }
        lines
    }

    /// The piece with this number.
    fn load(&self, number: u64) -> Result<Vec<u8>> {
        let start = number * PIECE;
        // A weak ETag must not be used for `if-match`; the versions are compared below.
        let strong = self.version.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        let piece = fetch(&self.url, &self.headers, start, strong)?;
        let same = |version: &Version| {
            (&version.etag, &version.last_modified) == (&self.version.etag, &self.version.last_modified)
                && version.length == self.version.length
        };
        if !same(&piece.version) || !piece.is_part {
            let message = format!("`{}` changed while it was read\nhint: run the step again", self.url);
            return Err(Error::new(ErrorCode::Unavailable, message).at("url"));
        }
        if piece.bytes.len() as u64 != PIECE.min(self.version.length - start) {
            return Err(answer::odd(&self.url, &format!("a part has {} bytes", piece.bytes.len())));
        }
        Ok(piece.bytes)
    }
}

impl State {
    fn hash(&mut self, start: u64, bytes: &[u8]) {
        if start == self.hashed {
            self.hash.update(bytes);
            self.hashed += bytes.len() as u64;
        }
    }
}

impl Elsewhere for Remote {
    fn size(&self) -> u64 {
        self.version.length
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        if offset >= self.version.length {
            return Ok(0);
        }
        let number = offset / PIECE;
        let mut state = self.state.borrow_mut();
        let place = state.pieces.iter().position(|(known, _)| *known == number);
        let piece = match place.and_then(|place| state.pieces.remove(place)) {
            Some(piece) => piece,
            None => {
                state.requests += 1;
                let bytes = self.load(number).map_err(io::Error::other)?;
                state.hash(number * PIECE, &bytes);
                (number, bytes)
            }
        };
        let bytes = piece.1.get((offset % PIECE) as usize..).unwrap_or_default();
        let read = bytes.len().min(into.len());
        into[..read].copy_from_slice(&bytes[..read]);
        state.pieces.push_back(piece);
        if state.pieces.len() > KEPT {
            state.pieces.pop_front();
        }
        Ok(read)
    }
}

fn fetch(url: &str, headers: &BTreeMap<String, String>, start: u64, etag: Option<&str>) -> Result<Piece> {
    let mut request = Request::get(url);
    for (name, value) in headers {
        request = request.header(name, value.as_str());
    }
    request = request
        .header("range", format!("bytes={start}-{}", start + PIECE - 1))
        // Parts of something compressed on the way cannot be put together.
        .header("accept-encoding", "identity");
    if let Some(etag) = etag {
        request = request.header("if-match", etag);
    }
    let response = http::send(&request).map_err(|error| match error.code {
        ErrorCode::Exhausted => {
            let hint = "hint: its server gives no parts (`range`), so only 16 MiB can be fetched; read it from a file";
            Error { message: format!("{}\n{hint}", error.message), ..error }.at("url")
        }
        _ => error.at("url"),
    })?;
    answer::piece(url, start, response)
}

/// Without the mark of a weak one: what is compared is whether the server calls it the same.
fn weak(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}
