//! `GET /api/openapi.json`: the API in OpenAPI 3.1. Routes and their document are made together, so that neither has what the
//! other lacks; what all routes have in common is added here, so that a handler says only what is its own.

mod answers;
pub(super) mod parameters;
pub(super) mod shapes;
mod twofold;

use axum::Extension;
use axum::http::{Method, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use insighthub_model::access::Action;
use insighthub_model::api::error::ErrorAnswer;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::gate::{Access, Gate};

/// Where a route says what it asks of its caller.
const ACCESS: &str = "x-insighthub-access";
const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "InsightHub",
        description = "Every node answers every request, for the whole cluster. `x-insighthub-access` of a route says what \
                       it asks of its caller: `open`, `send_records`, or an action that the caller's role must allow. Who \
                       may not is refused before anything else of the request is looked at. A development node lets \
                       anybody on the same machine send and read, and refuses other host names with 421."
    ),
    components(schemas(ErrorAnswer))
)]
struct Frame;

/// A router without routes; what is merged into it is described.
pub(super) fn begin() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Frame::openapi())
        .merge(of("Document", OpenApiRouter::new().routes(routes!(show))))
}

/// Puts the routes of a router under one heading.
pub(super) fn of(heading: &str, mut router: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    for item in router.get_openapi_mut().paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
            &mut item.options,
        ];
        for operation in operations.into_iter().flatten() {
            operation.tags = Some(vec![heading.to_owned()]);
        }
    }
    router
}

/// The document as it is served.
#[derive(Clone, Debug)]
pub(super) struct Document(Bytes);

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json",
    responses((status = 200, body = shapes::OpenApiDocument)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn show(Extension(Document(text)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text)
}

/// Adds what all routes have in common.
///
/// # Panics
/// Where a route does not say what it asks of its caller: no node starts with such a route.
pub(super) fn finish(document: &utoipa::openapi::OpenApi) -> (Document, Gate) {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let mut gate = Gate::default();
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths.iter_mut() {
            twofold::tell_apart(item);
            for (name, method) in METHODS {
                let Some(operation) = item.get_mut(name).and_then(Value::as_object_mut) else { continue };
                let access = operation.get(ACCESS).and_then(Access::parse);
                assert!(access.is_some(), "{method} {path} does not say what it asks of its caller");
                let Some(access) = access else { continue };
                describe(operation, &method, path, access);
                gate.put(method, path.clone(), access);
            }
        }
    }
    if let Some(document) = document.as_object_mut() {
        document.insert("servers".into(), json!([{ "url": "/" }]));
        let components = document.entry("components").or_insert_with(|| json!({}));
        components["securitySchemes"] = schemes();
    }
    (Document(document.to_string().into()), gate)
}

fn describe(operation: &mut Map<String, Value>, method: &Method, path: &str, access: Access) {
    operation.insert("operationId".into(), name_of(method, path).into());
    operation.insert("security".into(), security(access));
    answers::complete(operation, method, access);
}

/// Unique, and the same as long as the route is: `put_alerts_rules_name`.
fn name_of(method: &Method, path: &str) -> String {
    let parts = path.split(['/', '-', '{', '}', '.']).filter(|part| !part.is_empty() && *part != "api");
    // As some clients write a path: a route of its own, and another name.
    let end = path.ends_with('/').then_some("slash");
    let parts: Vec<&str> = parts.chain(end).collect();
    format!("{}_{}", method.as_str().to_lowercase(), parts.join("_"))
}

fn security(access: Access) -> Value {
    let signed_in = [json!({ "session": [] }), json!({ "password": [] }), json!({ "cookie": [] })];
    match access {
        Access::Open => json!([]),
        Access::SendRecords | Access::Needs(Action::ReadLogs | Action::ReadMetrics) => {
            std::iter::once(json!({ "service_token": [] })).chain(signed_in).collect::<Vec<_>>().into()
        }
        Access::Needs(_) => signed_in.to_vec().into(),
    }
}

fn schemes() -> Value {
    json!({
        "service_token": {
            "type": "http", "scheme": "bearer", "bearerFormat": "ihs_...",
            "description": "A token with scopes: write (records, of one service or of every one), read, metrics.",
        },
        "session": {
            "type": "http", "scheme": "bearer",
            "description": "What POST /api/login gave, for programs.",
        },
        "password": { "type": "http", "scheme": "basic", "description": "User and password with each request." },
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": super::signing_in::cookies::ACCESS,
            "description": "What POST /api/login set, for browsers.",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_a_name_of_its_own() {
        assert_eq!(name_of(&Method::PUT, "/api/alerts/rules/{name}"), "put_alerts_rules_name");
        assert_eq!(name_of(&Method::POST, "/api/dead-letters/replay"), "post_dead_letters_replay");
        assert_eq!(name_of(&Method::GET, "/ws/logs"), "get_ws_logs");
        assert_eq!(name_of(&Method::GET, "/api/openapi.json"), "get_openapi_json");
    }
}
