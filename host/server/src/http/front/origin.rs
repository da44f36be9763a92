//! Whose site is asking. A page of any site can make a browser send requests to this machine: by a name of its own that
//! it points here (DNS rebinding; the `Host` header then says that name), or plainly (the `Origin` header then says the
//! site). Programs send neither a foreign host nor an origin.
//!
//! Names of this machine that no one else can give away are always answered, and those that the operator lists.

use axum::body::Body;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderValue, Request, StatusCode, Version};

use crate::http::failure::Failure;

/// What this server is called.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Lower-case names and addresses, without ports.
    pub names: Vec<String>,
    /// Pages of this server come over TLS: its own, or a proxy's.
    pub secure: bool,
}

impl Hosts {
    /// Errors: a host that does not mean this server (421), a site that is not this server (403).
    pub(super) fn check(&self, request: &Request<Body>) -> Result<(), Failure> {
        if let Some(authority) = request.uri().authority()
            && !self.knows(authority.as_str())
        {
            return Err(self.misdirected());
        }
        let mut hosts = request.headers().get_all(HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if host.to_str().is_ok_and(|host| self.knows(host)) => {}
            // Only this old version may leave it out.
            (None, _) if request.version() == Version::HTTP_10 => {}
            (None, _) | (Some(_), Some(_)) => {
                return Err(Failure::bad_request("host", "the request needs one `Host` header"));
            }
            (Some(_), None) => return Err(self.misdirected()),
        }
        match request.headers().get(ORIGIN) {
            Some(origin) if !self.is_same(origin, request.headers().get(HOST)) => {
                let message = "pages of other sites may not use this server";
                Err(Failure::new(StatusCode::FORBIDDEN, "foreign-origin", message))
            }
            _ => Ok(()),
        }
    }

    fn misdirected(&self) -> Failure {
        let (message, hint) = match self.names.is_empty() {
            true => (
                "this server answers to loopback names only",
                "use `localhost`, `127.0.0.1` or `[::1]` as the host, or start it with `--host-name NAME`",
            ),
            false => ("this server does not answer to that name", "its operator lists names with `--host-name NAME`"),
        };
        Failure::new(StatusCode::MISDIRECTED_REQUEST, "foreign-host", message).hint(hint)
    }

    fn knows(&self, host: &str) -> bool {
        is_here(host) || split(host).is_some_and(|name| self.names.contains(&name))
    }

    /// Whether a page of this very server is asking.
    fn is_same(&self, origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
        let scheme = if self.secure { "https://" } else { "http://" };
        let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix(scheme));
        origin.is_some() && origin == host.and_then(|host| host.to_str().ok())
    }
}

/// The name in lower case, without a port and a final dot: an IPv6 address in its brackets.
fn split(host: &str) -> Option<String> {
    let end = match host.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let name = name.strip_suffix('.').unwrap_or(name);
    (is_port(port) && !name.is_empty()).then(|| name.to_ascii_lowercase())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Hosts {
        Hosts { names: names.iter().map(|name| (*name).to_owned()).collect(), secure: false }
    }

    fn status(headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().uri("/healthz");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        named(&[]).check(&request.body(Body::empty()).unwrap()).err().map(|failure| failure.status.as_u16())
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

    #[test]
    fn names_that_were_listed_are_answered() {
        let hosts = named(&["ml.example.org", "10.0.0.5", "[fd00::5]"]);
        for host in ["ml.example.org", "ML.example.org.:8443", "10.0.0.5:7070", "[fd00::5]:7070", "localhost"] {
            assert!(hosts.knows(host), "{host}");
        }
        for host in
            ["example.org", "x.ml.example.org", "ml.example.org.evil", "ml.example.org:x", "10.0.0.50", "[fd00::50]"]
        {
            assert!(!hosts.knows(host), "{host}");
        }
    }
}
