//! `Idempotency-Key`: a client that heard no answer asks again, and what it asked for happens once.
//!
//! A key belongs to who asks and what for (actor, method and pattern), and stands for 24 hours for one request: the
//! hash of its path, query and body. The same request again is given the same answer, byte for byte: status, body and
//! the headers that `kept` names. Another request under the key is refused (422).
//!
//! Why this holds, whatever dies when:
//!
//! 1. The key is reserved in the database before the request is worked on, with an id of its own. The reservation is
//!    the first durable thing, so that a repetition finds it.
//! 2. What a request makes is named by that id ([`Once::id`]), not by chance: a run that was submitted before the death
//!    of the process is the run that the repetition submits, and [`crate::runs::submit`] knows it.
//! 3. Every transaction of the request counts itself in the reservation, in that transaction
//!    ([`wasmlops_store::idempotency::under_key`]). So a repetition knows whether the request took effect
//!    ([`Once::took_effect`]): a handler whose effect has no id and must not happen twice looks at what is there then.
//! 4. The answer is kept, made durable, and only then sent. So an answer that somebody saw can be given again; one
//!    that was lost with the process was seen by nobody, and the repetition's becomes the answer.
//! 5. Requests of one key are worked on one after the other: within a process by a lock in memory, between processes
//!    by the reservation's holder, whose file the system unlocks when it dies. Whoever finds the key held by the dead
//!    takes it over. Whoever waits too long is told to come back (409).
//! 6. The work goes on when the client goes away: its future is a task of its own.
//!
//! Faults of the server, refusals that time cures (408, 429, 503) and refusals of the caller (401, 403) are not kept:
//! the key is free again, unless there was an effect. Knows no route.

mod holder;
mod kept;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedMutexGuard;
use wasmlops_package::Digest;
use wasmlops_store::idempotency::under_key;
use wasmlops_store::{KeyState, NewKey};

use self::holder::Holder;
use super::Api;
use super::failure::Failure;
use super::front::RequestId;
use crate::access::Caller;
use crate::clock::new_id;
use crate::error::Result;
use crate::host::Host;

pub(super) const HEADER: &str = "idempotency-key";
/// Characters of a key at the most.
pub(super) const KEY_LENGTH: usize = 255;
/// How long a key stands for its request.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a repetition waits for the request that is being worked on.
const PATIENCE: Duration = Duration::from_secs(10);

/// What requests under keys share in one process.
pub(super) struct Keys {
    holder: Holder,
    /// Requests that are being worked on or wait for that, by actor, route and key.
    under_way: Mutex<HashMap<Name, Arc<tokio::sync::Mutex<()>>>>,
}

/// Actor, route and key.
type Name = (String, String, String);

impl Keys {
    pub fn open(host: &Host) -> Result<Self> {
        let holder = Holder::take(&host.home, new_id(&*host.clock))?;
        Ok(Self { holder, under_way: Mutex::default() })
    }

    #[cfg(test)]
    pub fn holder(&self) -> &str {
        self.holder.id()
    }

    /// The right to work on a key; nothing after [`PATIENCE`].
    async fn turn(&self, name: &Name) -> Option<OwnedMutexGuard<()>> {
        let lock = {
            let mut all = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody holds or waits for.
            all.retain(|_, lock| Arc::strong_count(lock) > 1);
            all.entry(name.clone()).or_default().clone()
        };
        tokio::time::timeout(PATIENCE, lock.lock_owned()).await.ok()
    }
}

/// What a handler knows of the request it works on.
#[derive(Clone, Debug)]
pub(super) struct Once {
    /// Names what the request makes: 32 hex digits, the same for each repetition.
    pub id: String,
    /// An earlier try of this request committed something, and its answer was lost.
    pub took_effect: bool,
}

impl Once {
    /// For effects that cannot be told from others afterwards: they are not repeated, and the answer says so.
    pub fn refuse_repetition(&self, hint: &str) -> Result<(), Failure> {
        match self.took_effect {
            true => Err(Failure::new(
                StatusCode::CONFLICT,
                "done-already",
                "the request was carried out, and its answer was lost with the server's process",
            )
            .hint(hint)),
            false => Ok(()),
        }
    }
}

/// Without a key: a new id.
impl FromRequestParts<Arc<Api>> for Once {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let known = parts.extensions.get::<Once>().cloned();
        Ok(known.unwrap_or_else(|| Self { id: new_id(&*api.host.clock), took_effect: false }))
    }
}

/// A route that takes keys.
#[derive(Clone)]
pub(super) struct KeyedRoute {
    pub api: Arc<Api>,
    /// Method and pattern.
    pub name: String,
    /// Its body comes in pieces and is named by its digest in the query, so that it is not read here.
    pub streamed: bool,
    /// Its answer holds what must not be kept.
    pub confidential: bool,
}

/// The layer of every route that takes keys.
pub(super) async fn once(State(route): State<KeyedRoute>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    match answered_once(route, request, next).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn answered_once(route: KeyedRoute, request: Request, next: Next) -> Result<Response, Failure> {
    let key = read_key(request.headers())?;
    let caller = request.extensions().get::<Caller>();
    let actor = caller.ok_or_else(|| Failure::internal("a route without a caller takes keys (this is a bug)"))?;
    let name = (actor.actor.clone(), route.name.clone(), key);
    let (request, fingerprint) = fingerprinted(&route, request).await?;
    let turn = route.api.keys.turn(&name).await.ok_or_else(in_progress)?;
    let once = match reserve(&route.api, name, fingerprint).await? {
        Found::Answer(answer) => return kept::again(answer),
        Found::Turn(once) => once,
    };
    let work = async move {
        let _turn = turn;
        work(&route, once, request, next).await
    };
    // Goes on when the client goes away, and is waited for as long as it is there.
    tokio::spawn(work).await.map_err(|_| Failure::internal("a handler panicked, which is a bug"))?
}

async fn work(route: &KeyedRoute, once: Once, mut request: Request, next: Next) -> Result<Response, Failure> {
    let (store, id) = (&route.api.host.store, once.id.clone());
    let request_id = request.extensions().get::<RequestId>().cloned();
    request.extensions_mut().insert(once);
    let response = under_key(id.clone(), next.run(request)).await;
    if !kept::is_kept(response.status()) {
        store.release_key(&id).await?;
        return Ok(response);
    }
    let request_id = request_id.map(|id| id.0);
    let (response, answer) =
        kept::taken(response, request_id.as_deref().unwrap_or_default(), route.confidential).await?;
    store.keep_answer(&id, answer).await?;
    store.barrier().await?;
    Ok(response)
}

/// What becomes of a request.
enum Found {
    Answer(wasmlops_store::KeptAnswer),
    Turn(Once),
}

async fn reserve(api: &Api, (actor, route, key): Name, fingerprint: String) -> Result<Found, Failure> {
    let (now, mine) = (api.host.clock.now(), api.keys.holder.id());
    let expired = now.saturating_sub(i64::try_from(KEPT_FOR.as_micros()).unwrap_or(i64::MAX));
    let id = new_id(&*api.host.clock);
    let new = NewKey { actor, route, key, id: id.clone(), fingerprint, holder: mine.to_owned(), now, expired };
    let (id, holder, took_effect) = match api.host.store.reserve_key(new).await? {
        KeyState::New => return Ok(Found::Turn(Once { id, took_effect: false })),
        KeyState::Answered(answer) => return Ok(Found::Answer(answer)),
        KeyState::Taken => return Err(mismatch()),
        KeyState::Begun { id, holder, took_effect } => (id, holder, took_effect),
    };
    // Held here, it is by a try that failed: this one has the turn.
    if holder != mine {
        let is_free = Holder::is_gone(&api.host.home, &holder)?;
        if !is_free || !api.host.store.take_over_key(&id, &holder, mine).await? {
            return Err(in_progress());
        }
    }
    Ok(Found::Turn(Once { id, took_effect }))
}

fn read_key(headers: &HeaderMap) -> Result<String, Failure> {
    let mut given = headers.get_all(HEADER).iter();
    let key = match (given.next(), given.next()) {
        (Some(key), None) => key.to_str().unwrap_or_default(),
        _ => "",
    };
    let visible = key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if visible && (1..=KEY_LENGTH).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    let message = format!("`Idempotency-Key` is not one text of 1 to {KEY_LENGTH} visible ASCII characters");
    Err(Failure::bad_request("invalid-idempotency-key", message).hint("make up a UUID for each thing you want done"))
}

/// The request, and the hash of all that it asks for.
async fn fingerprinted(route: &KeyedRoute, request: Request) -> Result<(Request, String), Failure> {
    let target = request.uri().path_and_query().map(|target| target.as_str().to_owned()).unwrap_or_default();
    let (request, body) = match route.streamed {
        true => (request, Digest::blake3(b"")),
        false => {
            let (parts, body) = request.into_parts();
            let head = Request::from_parts(parts.clone(), body);
            let read = route.api.bodies.read(head).await?;
            let digest = Digest::blake3(&read.bytes);
            (Request::from_parts(parts, Body::from(read.bytes.clone())), digest)
        }
    };
    let fingerprint = whole(request.method().as_str(), &target, &body);
    Ok((request, fingerprint))
}

fn whole(method: &str, target: &str, body: &Digest) -> String {
    Digest::blake3(format!("{method}\n{target}\n{body}").as_bytes()).to_string()
}

#[cfg(test)]
pub(super) fn fingerprint(method: &str, target: &str, body: &[u8]) -> String {
    whole(method, target, &Digest::blake3(body))
}

fn mismatch() -> Failure {
    let message = "this `Idempotency-Key` was used for another request";
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch", message)
        .hint("make up a new key for each thing you want done; repeat a request as it was")
}

fn in_progress() -> Failure {
    let message = "a request with this `Idempotency-Key` is being worked on";
    Failure::new(StatusCode::CONFLICT, "in-progress", message).retry_after(Duration::from_secs(1))
}
