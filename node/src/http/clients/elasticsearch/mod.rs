//! What Elasticsearch's clients post and ask for: bulk requests, and the questions by which they find out whom they talk to.
//! Under `/elasticsearch` as well, for clients that can be given a path. What is taken is in `docs/elasticsearch.md`.

mod bulk;
mod probes;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use crate::http::AppState;

/// Without it clients refuse to talk.
const PRODUCT: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-elastic-product"), HeaderValue::from_static("Elasticsearch"));
/// For clients that can be given a path.
const PREFIX: &str = "/elasticsearch";

pub(in crate::http) fn router() -> OpenApiRouter<AppState> {
    bulk::router().merge(probes::router())
}

/// Marks every answer that a client of Elasticsearch may read, refusals too, and answers `/` where no page is asked for.
pub(in crate::http) async fn mark_answers(request: Request, next: Next) -> Response {
    let is_marked = is_of_client(request.uri().path()) || greets(&request);
    let mut response = next.run(request).await;
    if is_marked {
        response.headers_mut().extend([PRODUCT]);
    }
    response
}

/// `GET /` of a client is no question for the dashboard.
pub(in crate::http) async fn greet(request: Request, next: Next) -> Response {
    if greets(&request) {
        return probes::who();
    }
    next.run(request).await
}

/// A browser asks for a page, a client of Elasticsearch for JSON.
fn greets(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_asked = request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD);
    is_asked && accepts.is_none_or(|accepts| accepts.contains("json"))
}

/// What is Elasticsearch's own begins with an underscore, of everything or of an index: `/_bulk`, `/logs/_refresh`.
fn is_of_client(path: &str) -> bool {
    path.starts_with(PREFIX) || path.split('/').skip(1).take(2).any(|part| part.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_elasticsearch_are_told_from_our_own() {
        for path in ["/_bulk", "/_bulk/", "/logs/_bulk", "/logs/_refresh", "/_cat/health", "/elasticsearch/x"]
        {
            assert!(is_of_client(path), "{path}");
        }
        for path in ["/", "/api/logs", "/api/views/_mine", "/v1/logs", "/loki/api/v1/push"] {
            assert!(!is_of_client(path), "{path}");
        }
    }
}
