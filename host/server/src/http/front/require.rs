//! What a route needs of its caller. Stands at each route, so that none is reached without.

use std::pin::Pin;

use axum::extract::Request;
use axum::http::StatusCode;
use wasmlops_core::access::Permission;

use crate::access::{Caller, denials};
use crate::http::failure::Failure;

/// A request that may go on, or why it may not.
type Checked = Pin<Box<dyn Future<Output = Result<Request, Failure>> + Send>>;

/// For `axum::middleware::map_request`: lets callers pass who hold `permission`, and everybody where there is none.
pub(crate) fn require(permission: Option<Permission>) -> impl Fn(Request) -> Checked + Clone + Send + Sync + 'static {
    move |request| Box::pin(check(permission, request))
}

async fn check(permission: Option<Permission>, request: Request) -> Result<Request, Failure> {
    let Some(permission) = permission else { return Ok(request) };
    let Some(caller) = request.extensions().get::<Caller>() else {
        // The gate lets nobody come so far.
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthenticated", "the request has no caller"));
    };
    if caller.may(permission) {
        return Ok(request);
    }
    let failure = forbidden(caller, permission);
    let what = format!("route:{} {}", request.method(), request.uri().path());
    if let Some(access) = caller.lease.access() {
        denials::forbidden(access, caller, permission, &what.chars().take(300).collect::<String>()).await;
    }
    Err(failure)
}

fn forbidden(caller: &Caller, permission: Permission) -> Failure {
    let message = format!("`{}` lacks `{permission}`", caller.actor);
    let hint = match caller.rights.role < permission.level.role() {
        true => format!(
            "the role `{}` or above has it, and the caller's is `{}`",
            permission.level.role(),
            caller.rights.role
        ),
        false => format!("the caller's role has it, but its scopes leave out `{}`", permission.area),
    };
    Failure::new(StatusCode::FORBIDDEN, "forbidden", message).hint(hint)
}
