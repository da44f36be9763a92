//! How the server is reached, and whether that is safe: an address that other machines can reach needs credentials and
//! TLS, its own or a proxy's.

use std::net::SocketAddr;

use wasmlops_core::config::Origin;
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};

use super::connections::{Tls, TlsFiles};
use super::front::{Hosts, Mode};
use crate::error::{Error, Result};

/// Who reaches the server, and how.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    /// Anyone on this machine is an administrator.
    pub open: bool,
    pub tls: Option<TlsFiles>,
    /// A proxy speaks TLS with clients and is alone in reaching the server.
    pub behind_proxy: bool,
    /// Names that clients call the server by, beside those of this machine.
    pub host_names: Vec<String>,
}

/// What follows from it.
pub(super) struct Entry {
    pub hosts: Hosts,
    pub mode: Mode,
    pub tls: Option<Tls>,
}

impl Exposure {
    /// Whether clients speak TLS with this server itself.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// # Errors
    /// The user's: all that would not be safe, files that cannot be used.
    pub(super) fn check(&self, bind: SocketAddr) -> Result<Entry> {
        let mut problems = self.unsafe_ways(bind);
        let mut names: Vec<String> = Vec::new();
        for name in &self.host_names {
            match normal(name) {
                Some(name) => names.push(name),
                None => problems.push(problem(
                    "host-name",
                    format!("`{name}` is no host's name"),
                    "name it without scheme and port, as in `--host-name ml.example.org`",
                )),
            }
        }
        if !problems.is_empty() {
            return Err(Error::User(Diagnostics(problems)));
        }
        if !bind.ip().is_unspecified() {
            names.push(match bind {
                SocketAddr::V4(address) => address.ip().to_string(),
                SocketAddr::V6(address) => format!("[{}]", address.ip()),
            });
        }
        let tls = self.tls.as_ref().map(Tls::read).transpose()?;
        let secure = tls.is_some() || self.behind_proxy;
        let mode = if self.open { Mode::Open } else { Mode::Guarded };
        Ok(Entry { hosts: Hosts { names, secure }, mode, tls })
    }

    fn unsafe_ways(&self, bind: SocketAddr) -> Vec<Diagnostic> {
        let (local, mut problems) = (bind.ip().is_loopback(), Vec::new());
        if self.open && (!local || self.behind_proxy) {
            let message = format!("`--open` makes everyone who reaches `{bind}` an administrator");
            problems.push(problem("public-address", message, "leave `--open` out, and give tokens"));
        }
        if !local && self.tls.is_none() && !self.behind_proxy {
            let message =
                format!("`{bind}` can be reached from other machines, and tokens would cross the network in the clear");
            let hint = "give `--tls-cert FILE --tls-key FILE`, or `--behind-proxy` where a proxy speaks TLS";
            problems.push(problem("public-address", message, hint));
        }
        let unnamed = self.host_names.is_empty();
        if unnamed && (self.behind_proxy || (bind.ip().is_unspecified() && self.tls.is_some())) {
            let message = "no name is known that clients call the server by";
            problems.push(problem("host-name", message, "give `--host-name NAME`, as often as it has names"));
        }
        problems
    }
}

/// As `Host` headers are compared with it.
fn normal(name: &str) -> Option<String> {
    let origin = format!("https://{name}").parse::<Origin>().ok()?;
    let host = origin.as_str().strip_prefix("https://")?;
    // A port that is not the default's stays.
    let bare =
        !host.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(host, |(_, rest)| rest).contains(':');
    (bare && !name.ends_with(":443") && !name.ends_with('/')).then(|| host.to_owned())
}

fn problem(code: &str, message: impl Into<String>, hint: &str) -> Diagnostic {
    Diagnostic::new(code, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(bind: &str, exposure: &Exposure) -> Vec<String> {
        match exposure.check(bind.parse().unwrap()) {
            Ok(_) => Vec::new(),
            Err(Error::User(found)) => found.0.into_iter().map(|problem| problem.code).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn proxied(names: &[&str]) -> Exposure {
        let host_names = names.iter().map(|name| (*name).to_owned()).collect();
        Exposure { behind_proxy: true, host_names, ..Exposure::default() }
    }

    #[test]
    fn only_what_is_safe_is_taken() {
        let (usual, open) = (Exposure::default(), Exposure { open: true, ..Exposure::default() });
        for bind in ["127.0.0.1:7070", "[::1]:0"] {
            assert!(codes(bind, &usual).is_empty() && codes(bind, &open).is_empty(), "{bind}");
        }
        for bind in ["0.0.0.0:7070", "10.0.0.5:7070", "[::]:7070", "[fd00::5]:7070"] {
            assert_eq!(codes(bind, &usual), ["public-address"], "{bind}");
            assert_eq!(codes(bind, &open), ["public-address", "public-address"], "{bind}");
            assert!(codes(bind, &proxied(&["ml.example.org"])).is_empty(), "{bind}");
            assert_eq!(codes(bind, &proxied(&[])), ["host-name"], "{bind}");
        }
        let both = Exposure { open: true, ..proxied(&["ml.example.org"]) };
        assert_eq!(codes("127.0.0.1:7070", &both), ["public-address"]);
        for name in ["", "https://a", "a:7070", "a:443", "a/b", "*.example.org", "a b", "[::1]:7"] {
            assert_eq!(codes("127.0.0.1:0", &proxied(&[name])), ["host-name"], "{name}");
        }
        assert_eq!(normal("ML.example.org").as_deref(), Some("ml.example.org"));
        assert_eq!(normal("[FD00::5]").as_deref(), Some("[fd00::5]"));
    }
}
