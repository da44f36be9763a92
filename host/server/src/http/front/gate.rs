//! The outermost layer that knows who is asking: which project a request is for, whose credential it carries, and
//! whether it needs one at all. Deny by default: what is not on the list of public routes goes nowhere without a
//! caller. What the caller may do is checked at the route ([`super::require`]).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};

use super::Asker;
use crate::access::denials::Denials;
use crate::access::{Access, Bearer, BearerError, Caller, Verdict};
use crate::http::connections::Peer;
use crate::http::failure::Failure;

/// Names the project where the query does not.
const PROJECT: HeaderName = HeaderName::from_static("x-wasmlops-project");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What routes may take. `TRACE` and its like end here: they would give back what a proxy has put in.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Public routes that speak of the process: all of its projects are asked, and the first that is not well answers.
const WHOLE: [&str; 4] = ["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"];

/// A project that is served.
pub(crate) struct Site {
    pub router: Router,
    pub access: Access,
}

/// Who is let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Anyone on this machine, as an administrator.
    Open,
    /// Holders of credentials.
    Guarded,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

pub(crate) struct GateOptions {
    /// At least one; their names differ.
    pub sites: Vec<Site>,
    /// Methods and patterns of routes for everybody.
    pub public: Vec<(Method, &'static str)>,
    pub mode: Mode,
    /// The last address that the proxy wrote is where a request is from.
    pub behind_proxy: bool,
}

struct Inner {
    options: GateOptions,
    denials: Denials,
}

/// What a request says of who is asking. A request as a whole cannot be looked at from several threads.
#[derive(Clone, Copy)]
struct Asked<'r> {
    headers: &'r HeaderMap,
    path: &'r str,
    address: Option<IpAddr>,
}

/// Where a request goes.
pub(super) struct Admitted {
    /// More than one for what speaks of the whole process.
    pub routers: Vec<Router>,
    pub asker: Option<Asker>,
}

impl Gate {
    pub fn new(options: GateOptions) -> Self {
        Self { inner: Arc::new(Inner { options, denials: Denials::default() }) }
    }

    pub fn denials(&self) -> &Denials {
        &self.inner.denials
    }

    pub fn is_behind_proxy(&self) -> bool {
        self.inner.options.behind_proxy
    }

    pub fn accesses(&self) -> Vec<Access> {
        self.sites().iter().map(|site| site.access.clone()).collect()
    }

    fn sites(&self) -> &[Site] {
        &self.inner.options.sites
    }

    /// Lets a request in, with its caller among its extensions, or says why not.
    pub(super) async fn admit(&self, request: &mut Parts) -> Result<Admitted, Failure> {
        if !METHODS.contains(&request.method) {
            let message = "no path of this server takes that method";
            return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", message));
        }
        // Only this gate says who is asking.
        request.extensions.remove::<Caller>();
        let named = named_project(request)?;
        if self.is_public(request) {
            return self.public(request, named.as_deref());
        }
        let (index, caller) = match self.inner.options.mode {
            Mode::Open => {
                let index = self.index(named.as_deref())?;
                (index, Caller::local(self.sites()[index].access.project()))
            }
            Mode::Guarded => {
                let (headers, path) = (&request.headers, request.uri.path());
                let asked = Asked { headers, path, address: self.address(request) };
                self.identify(asked, named.as_deref()).await?
            }
        };
        let asker = Asker { actor: caller.actor.clone(), project: caller.project.clone() };
        request.extensions.insert(caller);
        Ok(Admitted { routers: vec![self.sites()[index].router.clone()], asker: Some(asker) })
    }

    fn public(&self, request: &Parts, named: Option<&str>) -> Result<Admitted, Failure> {
        let routers = match named {
            None if WHOLE.contains(&request.uri.path()) => {
                self.sites().iter().map(|site| site.router.clone()).collect()
            }
            named => vec![self.sites()[self.index(named)?].router.clone()],
        };
        Ok(Admitted { routers, asker: None })
    }

    /// The named project, else the first.
    fn index(&self, named: Option<&str>) -> Result<usize, Failure> {
        match named {
            None => Ok(0),
            Some(name) => self.position(name).ok_or_else(|| unknown_project(name)),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.sites().iter().position(|site| site.access.project() == name)
    }

    /// The project and the caller: the named one, or the first that knows the credential. A project in which the caller
    /// is nobody does not exist for them.
    async fn identify(&self, asked: Asked<'_>, named: Option<&str>) -> Result<(usize, Caller), Failure> {
        let refused = |failure: Failure| {
            let project = named.and_then(|name| self.position(name)).unwrap_or(0);
            let now = self.sites()[project].access.clock().now();
            self.inner.denials.count(project, asked.address, asked.path, now);
            failure
        };
        let bearer = Bearer::read(asked.headers).map_err(|error| refused(unauthenticated(error)))?;
        let (mut elsewhere, mut nobody) = (false, None);
        for (index, site) in self.sites().iter().enumerate() {
            let verdict = site.access.authenticate(&bearer).await?.map_err(|error| {
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, "identity-provider", error.to_string())
                    .retry_after(Duration::from_secs(30))
            })?;
            let here = named.is_none_or(|name| name == site.access.project());
            match verdict {
                Verdict::Known(caller) if here => return Ok((index, caller)),
                Verdict::Known(_) => elsewhere = true,
                Verdict::NoRole { actor } => nobody = Some(actor),
                Verdict::Unknown => {}
            }
        }
        match (named, elsewhere, nobody) {
            (Some(name), true, _) | (Some(name), false, Some(_)) => Err(unknown_project(name)),
            (None, _, Some(actor)) => {
                let message = format!("`{actor}` has no role in any project of this server");
                Err(refused(
                    Failure::new(StatusCode::FORBIDDEN, "forbidden", message)
                        .hint("the identity provider's claims give no role: see `access.oidc.roles` of the project"),
                ))
            }
            (_, _, None) => Err(refused(refuse("the token is unknown, was revoked, or has run out"))),
        }
    }

    /// Where the request is from, as far as that can be known.
    fn address(&self, request: &Parts) -> Option<IpAddr> {
        let peer = request.extensions.get::<Peer>().map(|peer| peer.0.ip());
        match self.inner.options.behind_proxy {
            true => forwarded_for(&request.headers).or(peer),
            false => peer,
        }
    }

    fn is_public(&self, request: &Parts) -> bool {
        let method = match request.method {
            Method::HEAD => Method::GET,
            ref method => method.clone(),
        };
        let path = request.uri.path();
        self.inner.options.public.iter().any(|(public, pattern)| *public == method && fits(pattern, path))
    }
}

/// The project that the request names, in its query or a header.
fn named_project(request: &Parts) -> Result<Option<String>, Failure> {
    let wrong = |message: &str| Failure::bad_request("invalid-project", message);
    let mut named: Vec<String> = Vec::new();
    for value in request.headers.get_all(PROJECT) {
        named.push(value.to_str().map_err(|_| wrong("the project's name is no text"))?.to_owned());
    }
    if request.uri.query().is_some_and(|query| query.contains("project=")) {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&request.uri)
            .map_err(|_| wrong("the query cannot be read"))?;
        named.extend(pairs.into_iter().filter(|(key, _)| key == "project").map(|(_, value)| value));
    }
    named.dedup();
    match named.len() {
        0 | 1 => Ok(named.pop()),
        _ => Err(wrong("the request names several projects")),
    }
}

fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// Whether a path fits a route's pattern, such as `/api/v1/hooks/{name}`. The router has the last word; this only says
/// who may ask it.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given => {}
            (Some(part), Some(given)) if part.starts_with('{') && !part.starts_with("{*") && !given.is_empty() => {}
            _ => return false,
        }
    }
}

fn unauthenticated(error: BearerError) -> Failure {
    refuse(&error.to_string())
}

fn refuse(message: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
        .hint("send `Authorization: Bearer TOKEN`; `wasmlops token create` on the server makes tokens")
}

fn unknown_project(name: &str) -> Failure {
    let name: String = name.chars().filter(|character| !character.is_control()).take(100).collect();
    Failure::not_found("unknown-project", format!("there is no project `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_paths() {
        for (pattern, path) in [("/healthz", "/healthz"), ("/api/v1/hooks/{name}", "/api/v1/hooks/on-push")] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/healthz", "/healthz/"),
            ("/healthz", "/healthz/x"),
            ("/healthz", "//healthz"),
            ("/healthz", "/HEALTHZ"),
            ("/api/v1/hooks/{name}", "/api/v1/hooks/"),
            ("/api/v1/hooks/{name}", "/api/v1/hooks/a/b"),
            ("/api/v1/{*rest}", "/api/v1/x"),
        ] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }
}
