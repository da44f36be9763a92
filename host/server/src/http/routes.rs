//! Every route there is, grouped by who calls it.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use super::failure::Failure;
use super::front::Pattern;
use super::{Api, endpoints, health, inference, models};

type Routes = Vec<(&'static str, MethodRouter<Arc<Api>>)>;

/// Load balancers and Prometheus.
fn operations() -> Routes {
    vec![
        ("/healthz", get(health::get_health)),
        ("/readyz", get(health::get_readiness)),
        ("/metrics", get(health::get_metrics)),
    ]
}

/// Clients of this server's own API.
fn own() -> Routes {
    vec![
        ("/api/v1/endpoints", get(endpoints::list_endpoints)),
        ("/api/v1/endpoints/{name}", get(endpoints::get_endpoint)),
        ("/api/v1/endpoints/{name}/predict", post(endpoints::predict)),
        ("/api/v1/endpoints/{name}/labels", post(endpoints::record_labels)),
        ("/api/v1/models", get(models::list_models)),
        ("/api/v1/models/{name}", get(models::get_model)),
        ("/api/v1/models/{name}/aliases/{alias}/history", get(models::get_alias_history)),
    ]
}

/// Clients of the Open Inference Protocol, and of Triton's extensions to it.
fn open_inference() -> Routes {
    vec![
        ("/v2", get(inference::get_server)),
        ("/v2/", get(inference::get_server)),
        ("/v2/health/live", get(inference::get_live)),
        ("/v2/health/ready", get(inference::get_ready)),
        ("/v2/models", get(inference::list_models)),
        ("/v2/models/stats", get(inference::list_stats)),
        ("/v2/models/{name}", get(inference::get_model)),
        ("/v2/models/{name}/ready", get(inference::get_model_ready)),
        ("/v2/models/{name}/infer", post(inference::infer)),
        ("/v2/models/{name}/stats", get(inference::get_stats)),
        ("/v2/models/{name}/versions/{version}", get(inference::get_version)),
        ("/v2/models/{name}/versions/{version}/ready", get(inference::get_version_ready)),
        ("/v2/models/{name}/versions/{version}/infer", post(inference::infer_version)),
        ("/v2/models/{name}/versions/{version}/stats", get(inference::get_version_stats)),
        ("/v2/repository/index", post(inference::index_repository)),
    ]
}

/// The router; each answer carries the pattern of the route that gave it.
pub(super) fn router(api: Arc<Api>) -> Router {
    let all = operations().into_iter().chain(own()).chain(open_inference());
    let mut router = Router::new();
    for (pattern, methods) in all {
        let named = map_response(move |mut response: Response| async move {
            response.extensions_mut().insert(Pattern(pattern));
            response
        });
        router = router.route(pattern, methods.layer(named));
    }
    router.fallback(no_route).method_not_allowed_fallback(wrong_method).with_state(api)
}

async fn no_route() -> Failure {
    Failure::not_found("no-route", "there is nothing at this path")
}

async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this path does not take that method")
}
