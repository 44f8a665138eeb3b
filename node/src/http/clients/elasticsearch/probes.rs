//! What clients of Elasticsearch ask before they send: who answers, under which license, in what health; and what they would set up,
//! which here needs none: templates, policies, pipelines.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use serde_json::{Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, Required, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use super::PREFIX;
use crate::http::{AppState, Node, waiting_for};

/// The version whose clients find what they need.
const VERSION: &str = "8.19.0";

/// Where a client sets something up or looks whether it is: all of it is taken and nothing comes of it.
const SET_UP: [&str; 12] = [
    "/_xpack",
    "/_nodes",
    "/_nodes/{rest}",
    "/_ilm/policy/{rest}",
    "/_index_template/{rest}",
    "/_component_template/{rest}",
    "/_template/{rest}",
    "/_ingest/pipeline/{rest}",
    "/_data_stream/{rest}",
    "/_alias/{rest}",
    "/_refresh",
    "/{index}/_refresh",
];

type Answer = fn(&Node) -> Response;

pub(super) fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new();
    let first = "What a client of Elasticsearch asks before it sends.";
    for prefix in ["", PREFIX] {
        let questions =
            [("/_license", license as Answer), ("/_cluster/health", health), ("/_cat/health", table)];
        for (path, answer) in questions {
            router = describe(router, &format!("{prefix}{path}"), first, answer);
        }
        for path in SET_UP {
            let about = "What a client of Elasticsearch sets up: taken, and nothing comes of it.";
            router = describe(router, &format!("{prefix}{path}"), about, nothing);
        }
    }
    let router = describe(router, PREFIX, first, |_| who());
    describe(router, &format!("{PREFIX}/"), first, |_| who())
}

/// A route and its place in the document.
fn describe(
    mut router: OpenApiRouter<AppState>,
    path: &str,
    about: &str,
    answer: Answer,
) -> OpenApiRouter<AppState> {
    let access = ExtensionsBuilder::new().add("x-insighthub-access", "send_records").build();
    let paths = &mut router.get_openapi_mut().paths;
    for method in [HttpMethod::Get, HttpMethod::Put, HttpMethod::Post] {
        let mut operation = OperationBuilder::new()
            .summary(Some(about))
            .response("200", ResponseBuilder::new().description("As Elasticsearch answers.").build())
            .extensions(Some(access.clone()));
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let name = name.trim_end_matches('}');
            let text = ObjectBuilder::new().schema_type(Type::String);
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            operation = operation.parameter(parameter.required(Required::True).schema(Some(text)));
        }
        paths.add_path_operation(path, vec![method], operation.build());
    }
    let methods = MethodFilter::GET.or(MethodFilter::PUT).or(MethodFilter::POST);
    let handler = move |State(node): State<AppState>| async move { answer(&node) };
    router.route(path, on(methods, handler))
}

/// Who answers: what clients compare with the versions they know.
pub(super) fn who() -> Response {
    json_of(&json!({
        "name": "insighthub",
        "cluster_name": "insighthub",
        "cluster_uuid": "insighthub",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "insighthub",
            "build_hash": "0",
            "build_date": "1970-01-01T00:00:00Z",
            "build_snapshot": false,
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }))
}

/// Open source to everybody, as far as clients care.
fn license(_: &Node) -> Response {
    json_of(&json!({
        "license": {
            "status": "active", "uid": "insighthub", "type": "basic", "mode": "basic",
            "expiry_date_in_millis": 4_102_444_800_000_u64,
        },
    }))
}

fn health(node: &Node) -> Response {
    let nodes = node.cluster.members().len();
    json_of(&json!({
        "cluster_name": "insighthub",
        "status": status(node),
        "timed_out": false,
        "number_of_nodes": nodes,
        "number_of_data_nodes": nodes,
    }))
}

fn table(node: &Node) -> Response {
    format!("{} insighthub {} {}\n", node.clock.now(), status(node), node.cluster.members().len())
        .into_response()
}

/// Whether this node can take in what is sent to it.
fn status(node: &Node) -> &'static str {
    if waiting_for(node).is_empty() { "green" } else { "red" }
}

fn nothing(_: &Node) -> Response {
    json_of(&json!({ "acknowledged": true }))
}

fn json_of(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
