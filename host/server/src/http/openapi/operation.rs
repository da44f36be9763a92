//! One route as an OpenAPI operation.

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::http::idempotency::KEY_LENGTH;
use crate::http::route::{Carries, Route};

/// Problem details, as every failure of `/api/v1` has them.
const PROBLEM: &str = "application/problem+json";

pub(super) fn describe(route: &Route, taken: &mut SchemaGenerator, given: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [route.tag()],
        "parameters": parameters(route, taken),
        "responses": responses(route, given),
    });
    if let Some(body) = &route.takes.body {
        let schema = match body.shape {
            Some(shape) => (shape.make)(taken).to_value(),
            None => json!({}),
        };
        operation["requestBody"] =
            json!({ "required": body.required, "content": { body.media_type: { "schema": schema } } });
    }
    match route.permission {
        None => operation["security"] = json!([]),
        Some(permission) => operation["x-permission"] = json!(permission.to_string()),
    }
    operation
}

fn parameters(route: &Route, taken: &mut SchemaGenerator) -> Vec<Value> {
    let path = route.path_parameters().map(path_parameter);
    let query = route.takes.query.map(|shape| fields(&(shape.make)(taken).to_value(), taken)).unwrap_or_default();
    let query = query.into_iter().map(|(name, mut schema, required)| {
        let what = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let what = what.unwrap_or_default();
        let mut parameter = json!({ "in": "query", "name": name, "required": required, "schema": schema });
        if what.is_string() {
            parameter["description"] = what;
        }
        parameter
    });
    let header = |header: &crate::http::route::HeaderParameter| {
        json!({
            "in": "header", "name": header.name, "required": false, "description": header.what,
            "schema": { "type": "string" },
        })
    };
    let mut all: Vec<Value> = path.chain(query).chain(route.takes.headers.iter().map(header)).collect();
    if is_of_project(route) {
        all.push(json!({
            "in": "query", "name": "project", "required": false, "schema": { "type": "string" },
            "description": "The project that is meant, where the server has several.",
        }));
    }
    if route.tagged {
        all.push(json!({
            "in": "header", "name": "If-None-Match", "required": false, "schema": { "type": "string" },
            "description": "The `ETag` of what the client has: answered with 304 if it is the same still.",
        }));
    }
    if route.keyed {
        all.push(json!({
            "in": "header", "name": "Idempotency-Key", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": KEY_LENGTH, "pattern": "^[!-~]+$" },
            "description": "The same request under the same key happens once and is answered the same, for 24 hours.",
        }));
    }
    all
}

fn is_of_project(route: &Route) -> bool {
    route.pattern.starts_with("/api/v1/")
}

fn path_parameter(name: &'static str) -> Value {
    let schema = match name {
        "version" => json!({ "type": "integer", "minimum": 1 }),
        "digest" => json!({ "type": "string", "pattern": "^(blake3|sha256):[0-9a-f]{64}$" }),
        _ => json!({ "type": "string", "minLength": 1 }),
    };
    json!({ "in": "path", "name": name, "required": true, "schema": schema })
}

/// The fields of a struct: name, schema, whether it must be there. `null` has no place in a query.
fn fields(schema: &Value, generator: &SchemaGenerator) -> Vec<(String, Value, bool)> {
    let schema = match schema["$ref"].as_str() {
        Some(target) => {
            let name = target.rsplit('/').next().unwrap_or_default();
            generator.definitions().get(name).cloned().unwrap_or_default()
        }
        None => schema.clone(),
    };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    properties
        .into_iter()
        .map(|(name, schema)| (name.clone(), without_null(schema), required.contains(&&*name)))
        .collect()
}

fn without_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema["type"].as_array().cloned() {
        let kinds: Vec<Value> = kinds.into_iter().filter(|kind| kind != "null").collect();
        schema["type"] = if let [kind] = &*kinds { kind.clone() } else { kinds.into() };
    }
    if let Some(words) = schema["enum"].as_array().cloned() {
        schema["enum"] = words.into_iter().filter(|word| !word.is_null()).collect();
    }
    if let Some([one, _]) = schema["anyOf"].as_array().map(Vec::as_slice) {
        let mut one = one.clone();
        if let (Some(one), Some(what)) = (one.as_object_mut(), schema.get("description")) {
            one.insert("description".to_owned(), what.clone());
        }
        return one;
    }
    schema
}

fn responses(route: &Route, given: &mut SchemaGenerator) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for answer in &route.answers {
        let entry = all.entry(answer.status.as_str()).or_insert_with(|| json!({ "description": answer.what }));
        let (media_type, schema) = match &answer.carries {
            Carries::Nothing => continue,
            Carries::Json(shape) => ("application/json", (shape.make)(given).to_value()),
            Carries::Text(media_type) => (*media_type, json!({})),
            Carries::Problem => (PROBLEM, problem(route)),
        };
        entry["content"][media_type] = json!({ "schema": schema });
        if answer.status.is_success() {
            let headers = headers(route);
            if !headers.is_empty() {
                entry["headers"] = Value::Object(headers);
            }
        }
    }
    if route.tagged {
        all.insert("304".to_owned(), json!({ "description": "the client has it already" }));
    }
    for (status, what) in failures(route) {
        let body = json!({ media_type_of(route): { "schema": problem(route) } });
        all.entry(status.as_str()).or_insert_with(|| json!({ "description": what, "content": body }));
    }
    all.sort_keys();
    all
}

fn headers(route: &Route) -> Map<String, Value> {
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    let mut headers = Map::new();
    if route.tagged {
        headers.insert("ETag".to_owned(), text("What `If-None-Match` takes."));
    }
    if route.located {
        headers.insert("Location".to_owned(), text("Where what was made is."));
    }
    headers
}

/// What can go wrong with any route like this one.
fn failures(route: &Route) -> Vec<(StatusCode, &'static str)> {
    let mut all = vec![
        (StatusCode::BAD_REQUEST, "the request cannot be read"),
        (StatusCode::SERVICE_UNAVAILABLE, "not now: `Retry-After` says when to try again"),
    ];
    if route.permission.is_some() {
        all.push((StatusCode::UNAUTHORIZED, "no token, or none that is known"));
        all.push((StatusCode::FORBIDDEN, "the token does not reach so far"));
        all.push((StatusCode::NOT_FOUND, "there is no such thing, or no such project for this caller"));
        all.push((StatusCode::TOO_MANY_REQUESTS, "too much at a time: `Retry-After` says when to try again"));
        all.push((StatusCode::UNPROCESSABLE_ENTITY, "the request can be read and makes no sense"));
    }
    if route.takes.body.is_some() || route.keyed {
        all.push((StatusCode::REQUEST_TIMEOUT, "the body did not come in time"));
        all.push((StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
        all.push((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is of another type than is taken"));
    }
    if route.keyed {
        all.push((StatusCode::CONFLICT, "a request with this key is being worked on"));
    }
    all
}

/// Clients of the Open Inference Protocol know `{"error": text}` alone.
fn problem(route: &Route) -> Value {
    match is_protocol(route) {
        true => json!({
            "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } },
        }),
        false => json!({ "$ref": "#/components/schemas/Problem" }),
    }
}

fn media_type_of(route: &Route) -> &'static str {
    if is_protocol(route) { "application/json" } else { PROBLEM }
}

fn is_protocol(route: &Route) -> bool {
    route.pattern.starts_with("/v2")
}
