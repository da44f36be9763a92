//! The parts of a URL that `wasi:http` takes one by one. The host checks them; this only cuts.

use crate::error::{Error, Result};

#[derive(PartialEq, Eq, Debug)]
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "native tests send nothing"))]
pub(super) struct Parts<'a> {
    pub https: bool,
    /// `host` or `host:port`.
    pub authority: &'a str,
    /// With the query, without the fragment.
    pub path: &'a str,
}

/// Errors: `invalid-input` for anything but an absolute `http` or `https` URL without user and password.
pub(super) fn parts(url: &str) -> Result<Parts<'_>> {
    let wrong = || Error::invalid_input(format!("`{url}` is no absolute `http` or `https` URL"));
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let https = match scheme {
        scheme if scheme.eq_ignore_ascii_case("https") => true,
        scheme if scheme.eq_ignore_ascii_case("http") => false,
        _ => return Err(wrong()),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_empty() {
        return Err(wrong());
    }
    if authority.contains('@') {
        return Err(Error::invalid_input(
            "a URL with a user in it; the host adds credentials where they are configured",
        ));
    }
    Ok(Parts { https, authority, path: if path.is_empty() { "/" } else { path } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let cut = |url| parts(url).map(|Parts { https, authority, path }| (https, authority, path));
        assert_eq!(cut("https://a.example/b?c=d#e"), Ok((true, "a.example", "/b?c=d")));
        assert_eq!(cut("HTTP://127.0.0.1:8080"), Ok((false, "127.0.0.1:8080", "/")));
        assert_eq!(cut("http://[::1]:80?x"), Ok((false, "[::1]:80", "?x")));
        for url in ["", "a.example/b", "ftp://a", "https://", "https:///b", "https://user:word@a.example/"] {
            assert!(cut(url).is_err(), "{url}");
        }
    }
}
