//! What stands for the world outside in native tests: nothing, until a test says what.

use std::cell::RefCell;

use crate::endpoints::{ReleaseState, Rollout};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Response};
use crate::table::Batch;

/// Stands for the host's endpoints; the functions are those of [`crate::endpoints`].
pub trait Endpoints {
    fn start(&mut self, endpoint: &str, key: &str, version: u64, rollout: &Rollout) -> Result<String>;
    fn state(&mut self, endpoint: &str, release: &str) -> Result<ReleaseState>;
    fn withdraw(&mut self, endpoint: &str, release: &str) -> Result<()>;
}

type Answer = Box<dyn FnMut(&Request) -> Result<Response>>;
type Model = Box<dyn FnMut(&Batch) -> Result<Batch>>;

thread_local! {
    static NETWORK: RefCell<Option<Answer>> = RefCell::default();
    static ENDPOINTS: RefCell<Option<Box<dyn Endpoints>>> = RefCell::default();
    static MODEL: RefCell<Option<Model>> = RefCell::default();
}

/// From now on, on this thread, [`crate::http::send`] gives what `answer` says. Without it, and after
/// [`super::forget`], every request is denied, as for a step that was granted nothing.
pub fn answer_http(answer: impl FnMut(&Request) -> Result<Response> + 'static) {
    NETWORK.set(Some(Box::new(answer)));
}

/// From now on, on this thread, [`crate::endpoints`] reaches these. Without them, and after [`super::forget`], every
/// call is denied, as for a step that was granted nothing.
pub fn lend_endpoints(endpoints: impl Endpoints + 'static) {
    ENDPOINTS.set(Some(Box::new(endpoints)));
}

/// From now on, on this thread, [`crate::models::predict`] gives what `predict` says. Without it, and after
/// [`super::forget`], there is no model to ask.
pub fn lend_model(predict: impl FnMut(&Batch) -> Result<Batch> + 'static) {
    MODEL.set(Some(Box::new(predict)));
}

pub(super) fn forget() {
    NETWORK.set(None);
    ENDPOINTS.set(None);
    MODEL.set(None);
}

#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "plugins send through the host"))]
pub(crate) fn send(request: &Request) -> Result<Response> {
    super::keep(|heard| heard.requests.push(request.clone()));
    NETWORK.with_borrow_mut(|network| match network {
        Some(answer) => answer(request),
        None => Err(denied(&request.url)),
    })
}

pub(crate) fn with_endpoints<T>(endpoint: &str, call: impl FnOnce(&mut dyn Endpoints) -> Result<T>) -> Result<T> {
    ENDPOINTS.with_borrow_mut(|endpoints| match endpoints {
        Some(endpoints) => call(endpoints.as_mut()),
        None => Err(denied(endpoint)),
    })
}

pub(crate) fn ask_model(rows: &Batch) -> Result<Batch> {
    MODEL.with_borrow_mut(|model| match model {
        Some(model) => model(rows),
        None => Err(Error::invalid_input("there is no model to ask")),
    })
}

fn denied(what: &str) -> Error {
    Error::new(ErrorCode::Denied, format!("`{what}` was not granted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{endpoints, http, testing};

    #[test]
    fn what_is_not_granted_is_denied() {
        testing::forget();
        let request = Request::get("https://a.example/");
        assert_eq!(http::send(&request).unwrap_err().code, ErrorCode::Denied);
        assert_eq!(endpoints::state("a", "1").unwrap_err().code, ErrorCode::Denied);
        answer_http(|request| Ok(Response { status: 404, body: request.url.clone().into(), ..Response::default() }));
        let answer = http::send(&request).unwrap();
        assert_eq!((answer.status, &*answer.text()), (404, "https://a.example/"));
        assert_eq!(testing::heard().requests, [request.clone(), request]);
    }
}
