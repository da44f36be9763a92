//! One route as data: who may take it, what goes in, what comes out, who handles it.
//!
//! The router, the check of rights, the OpenAPI document and the tests that walk every route are made from these alone,
//! so that none of them can disagree with another. Knows no noun; the list is `routes`.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use wasmlops_core::access::{Area, Level, Permission};

use super::Api;

/// A method and a path pattern, with everything that is known of them.
#[derive(Clone)]
pub(crate) struct Route {
    pub method: Method,
    /// As axum writes it: `/api/v1/runs/{id}`.
    pub pattern: &'static str,
    /// Absent: for everybody, also without a token.
    pub permission: Option<Permission>,
    /// Unique: the handler's name, and the operation's in OpenAPI.
    pub id: &'static str,
    pub summary: &'static str,
    pub takes: Takes,
    pub answers: Vec<Answer>,
    /// Takes an `Idempotency-Key`: the same request again gets the same answer and has no second effect.
    pub keyed: bool,
    /// Answers carry an `ETag`, and `If-None-Match` is understood.
    pub tagged: bool,
    /// Its body comes in pieces, and its digest stands in the query.
    pub streamed: bool,
    /// Its answer holds what is shown once.
    pub confidential: bool,
    /// The answer has a `Location`.
    pub located: bool,
    pub handler: MethodRouter<Arc<Api>>,
}

/// What a request brings beside its path.
#[derive(Clone, Default)]
pub(crate) struct Takes {
    /// The fields of a struct are the parameters.
    pub query: Option<Shape>,
    pub headers: Vec<HeaderParameter>,
    pub body: Option<Body>,
}

/// A header that means something to the route.
#[derive(Clone)]
pub(crate) struct HeaderParameter {
    pub name: &'static str,
    pub what: &'static str,
}

#[derive(Clone)]
pub(crate) struct Body {
    pub media_type: &'static str,
    /// Absent: bytes.
    pub shape: Option<Shape>,
    pub required: bool,
}

/// A status that can come back, with what it carries. Failures with problem details need no entry of their own unless
/// they are peculiar to the route: see [`Route::fails`].
#[derive(Clone)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub what: &'static str,
    pub carries: Carries,
}

#[derive(Clone)]
pub(crate) enum Carries {
    Nothing,
    Json(Shape),
    /// Bytes or text of a media type.
    Text(&'static str),
    /// Problem details.
    Problem,
}

/// A type's JSON Schema, made where it is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub make: fn(&mut SchemaGenerator) -> Schema,
}

impl Shape {
    pub fn of<T: JsonSchema + 'static>() -> Self {
        Self { make: SchemaGenerator::subschema_for::<T> }
    }
}

/// The media type of nearly everything.
pub(crate) const JSON: &str = "application/json";

/// What a caller of a route must hold.
pub(crate) fn may(area: Area, level: Level) -> Option<Permission> {
    Some(Permission { area, level })
}

/// A route that is for everybody.
pub(crate) const PUBLIC: Option<Permission> = None;

impl Route {
    pub fn get<T: 'static>(
        pattern: &'static str,
        permission: Option<Permission>,
        handler: impl Handler<T, Arc<Api>>,
    ) -> Self {
        Self::new(Method::GET, MethodFilter::GET, pattern, permission, handler)
    }

    pub fn post<T: 'static>(
        pattern: &'static str,
        permission: Option<Permission>,
        handler: impl Handler<T, Arc<Api>>,
    ) -> Self {
        Self::new(Method::POST, MethodFilter::POST, pattern, permission, handler)
    }

    pub fn put<T: 'static>(
        pattern: &'static str,
        permission: Option<Permission>,
        handler: impl Handler<T, Arc<Api>>,
    ) -> Self {
        Self::new(Method::PUT, MethodFilter::PUT, pattern, permission, handler)
    }

    pub fn delete<T: 'static>(
        pattern: &'static str,
        permission: Option<Permission>,
        handler: impl Handler<T, Arc<Api>>,
    ) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, pattern, permission, handler)
    }

    /// Changes of `/api/v1` take a key unless they say otherwise, see [`Route::unkeyed`].
    fn new<T: 'static>(
        method: Method,
        filter: MethodFilter,
        pattern: &'static str,
        permission: Option<Permission>,
        handler: impl Handler<T, Arc<Api>>,
    ) -> Self {
        Self {
            keyed: method != Method::GET && pattern.starts_with("/api/v1/"),
            method,
            pattern,
            permission,
            id: "",
            summary: "",
            takes: Takes::default(),
            answers: Vec::new(),
            tagged: false,
            streamed: false,
            confidential: false,
            located: false,
            handler: on(filter, handler),
        }
    }

    pub fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        (self.id, self.summary) = (id, summary);
        self
    }

    pub fn query<T: JsonSchema + 'static>(mut self) -> Self {
        self.takes.query = Some(Shape::of::<T>());
        self
    }

    pub fn header(mut self, name: &'static str, what: &'static str) -> Self {
        self.takes.headers.push(HeaderParameter { name, what });
        self
    }

    /// A JSON body.
    pub fn body<T: JsonSchema + 'static>(mut self) -> Self {
        let shape = Some(Shape::of::<T>());
        self.takes.body = Some(Body { media_type: JSON, shape, required: true });
        self
    }

    /// A JSON body that may be left out.
    pub fn optional_body<T: JsonSchema + 'static>(mut self) -> Self {
        let shape = Some(Shape::of::<T>());
        self.takes.body = Some(Body { media_type: JSON, shape, required: false });
        self
    }

    /// A body of any bytes.
    pub fn bytes(mut self, media_type: &'static str) -> Self {
        self.takes.body = Some(Body { media_type, shape: None, required: true });
        self
    }

    /// 200 with JSON.
    pub fn gives<T: JsonSchema + 'static>(self, what: &'static str) -> Self {
        self.answers::<T>(StatusCode::OK, what)
    }

    /// A status with JSON.
    pub fn answers<T: JsonSchema + 'static>(mut self, status: StatusCode, what: &'static str) -> Self {
        self.answers.push(Answer { status, what, carries: Carries::Json(Shape::of::<T>()) });
        self
    }

    /// A status with text or bytes.
    pub fn answers_text(mut self, status: StatusCode, media_type: &'static str, what: &'static str) -> Self {
        self.answers.push(Answer { status, what, carries: Carries::Text(media_type) });
        self
    }

    /// 200 in another media type than the one before.
    pub fn also_gives(self, media_type: &'static str, what: &'static str) -> Self {
        self.answers_text(StatusCode::OK, media_type, what)
    }

    /// The answer names the place of what was made.
    pub fn located(mut self) -> Self {
        self.located = true;
        self
    }

    /// A status with no body.
    pub fn answers_nothing(mut self, status: StatusCode, what: &'static str) -> Self {
        self.answers.push(Answer { status, what, carries: Carries::Nothing });
        self
    }

    /// A status with problem details that not every route has.
    pub fn fails(mut self, status: StatusCode, what: &'static str) -> Self {
        self.answers.push(Answer { status, what, carries: Carries::Problem });
        self
    }

    /// As the Open Inference Protocol says, which has a specification of its own.
    pub fn protocol(self) -> Self {
        self.answers_text(StatusCode::OK, JSON, "as the protocol says")
    }

    pub fn tagged(mut self) -> Self {
        self.tagged = true;
        self
    }

    /// The handler reads its body piece by piece, and the query says its digest.
    pub fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }

    /// The answer holds what is shown once: under a key it is not kept, so that a repetition is refused.
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// A change that a key would not make safer, or that keeps its own.
    pub fn unkeyed(mut self) -> Self {
        self.keyed = false;
        self
    }

    /// The noun, for the sections of the documentation.
    pub fn tag(&self) -> &'static str {
        match self.pattern.strip_prefix("/api/v1/") {
            Some(rest) => rest.split('/').next().unwrap_or(rest),
            None if self.pattern.starts_with("/v2") => "open-inference",
            None => "operations",
        }
    }

    /// The names in the pattern, in their order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
