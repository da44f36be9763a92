//! Whose site is asking. A page of any site can make a browser send requests to this machine: by a name of its own that
//! it points here (DNS rebinding; the `Host` header then says that name), or plainly (the `Origin` header then says the
//! site). Programs send neither a foreign host nor an origin.

use axum::body::Body;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderValue, Request, StatusCode, Version};

use crate::http::failure::Failure;

/// Errors: a host that does not mean this machine (421), a site that is not this server (403).
pub(super) fn check(request: &Request<Body>) -> Result<(), Failure> {
    if let Some(authority) = request.uri().authority()
        && !is_here(authority.as_str())
    {
        return Err(misdirected());
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.to_str().is_ok_and(is_here) => {}
        // Only this old version may leave it out.
        (None, _) if request.version() == Version::HTTP_10 => {}
        (None, _) | (Some(_), Some(_)) => {
            return Err(Failure::bad_request("host", "the request needs one `Host` header"));
        }
        (Some(_), None) => return Err(misdirected()),
    }
    match request.headers().get(ORIGIN) {
        Some(origin) if !is_same(origin, request.headers().get(HOST)) => {
            Err(Failure::new(StatusCode::FORBIDDEN, "foreign-origin", "pages of other sites may not use this server"))
        }
        _ => Ok(()),
    }
}

fn misdirected() -> Failure {
    Failure::new(StatusCode::MISDIRECTED_REQUEST, "foreign-host", "this server answers to loopback names only")
        .hint("use `localhost`, `127.0.0.1` or `[::1]` as the host")
}

/// Whether `host`, with or without a port, is a name of this machine that no one else can give away.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => return rest.split_once(']').is_some_and(|(name, port)| name == "::1" && is_port(port)),
        None => match host.split_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            Some(_) => return false,
            None => host,
        },
    };
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a page of this very server is asking.
fn is_same(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
    origin.is_some() && origin == host.and_then(|host| host.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().uri("/healthz");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(Body::empty()).unwrap()).err().map(|failure| failure.status.as_u16())
    }

    #[test]
    fn names_of_this_machine_are_answered() {
        for host in
            ["localhost", "LocalHost:7070", "127.0.0.1:7070", "127.9.9.9", "[::1]", "[::1]:7070", "app.localhost:1"]
        {
            assert_eq!(status(&[("host", host)]), None, "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1:7070",
            "0.0.0.0",
            "[::2]:7070",
            "[::1",
            "[::1]x",
            "2130706433",
            "0x7f.1",
            "127.1",
            "user@localhost",
            "localhost:1:2",
            "",
            "évil",
        ] {
            assert_eq!(status(&[("host", host)]), Some(421), "{host}");
        }
    }

    #[test]
    fn a_request_needs_one_host() {
        assert_eq!(status(&[]), Some(400));
        assert_eq!(status(&[("host", "localhost"), ("host", "localhost")]), Some(400));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let ask = |origin| status(&[("host", "localhost:7070"), ("origin", origin)]);
        assert_eq!(ask("http://localhost:7070"), None);
        for origin in
            ["https://example.com", "null", "http://localhost:8080", "http://localhost", "https://localhost:7070"]
        {
            assert_eq!(ask(origin), Some(403), "{origin}");
        }
    }
}
