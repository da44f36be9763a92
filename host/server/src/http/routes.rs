//! Every route there is. Each group stands with its handlers; nothing else says what this server answers.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn_with_state, map_request, map_response};
use axum::response::Response;
use axum::routing::MethodRouter;

use super::failure::Failure;
use super::front::{Pattern, require};
use super::idempotency::{KeyedRoute, once};
use super::route::Route;
use super::{Api, api, health, inference, openapi};

/// The one list: operations (load balancers, Prometheus), this server's own API, the Open Inference Protocol.
pub(crate) fn all() -> Vec<Route> {
    [health::routes(), openapi::routes(), api::routes(), inference::routes()].into_iter().flatten().collect()
}

/// The router; each route lets those pass who may, and each answer carries the pattern of the route that gave it.
pub(super) fn router(api: Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in all() {
        let (pattern, permission) = (route.pattern, route.permission);
        let handler = repeatable(&api, route);
        let named = map_response(move |mut response: Response| async move {
            response.extensions_mut().insert(Pattern(pattern));
            response
        });
        router = router.route(pattern, handler.layer(map_request(require(permission))).layer(named));
    }
    router.fallback(no_route).method_not_allowed_fallback(wrong_method).with_state(api)
}

/// The handler, behind the layer of keys where the route takes them.
fn repeatable(api: &Arc<Api>, route: Route) -> MethodRouter<Arc<Api>> {
    if !route.keyed {
        return route.handler;
    }
    let name = format!("{} {}", route.method, route.pattern);
    let keyed = KeyedRoute { api: api.clone(), name, streamed: route.streamed, confidential: route.confidential };
    route.handler.layer(from_fn_with_state(keyed, once))
}

/// Methods and patterns of what is for everybody.
pub(super) fn public() -> Vec<(Method, &'static str)> {
    let public = all().into_iter().filter(|route| route.permission.is_none());
    public.map(|route| (route.method, route.pattern)).collect()
}

async fn no_route() -> Failure {
    Failure::not_found("no-route", "there is nothing at this path")
}

async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this path does not take that method")
}
