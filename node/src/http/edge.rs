//! What holds for every answer, whichever route it comes from: headers for browsers, and an answer also where a handler fails.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{ApiError, AppState, peer_pages};
use crate::config::HttpConfig;

/// No inline script, nothing from elsewhere, in nobody's frame. The dashboard is WebAssembly, which needs a word of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; \
                                       base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// A browser that was here once asks in clear text no more for a year.
const TRANSPORT_SECURITY: &str = "max-age=31536000";
/// A browser asks whether a page may send, and remembers for so long.
const PREFLIGHT_HOLDS: Duration = Duration::from_secs(7_200);

/// How browsers may deal with this node.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// Clients speak TLS to this node itself.
    pub has_tls: bool,
    /// Origins of pages that may act besides our own, as browsers write them.
    allowed_origins: Arc<[String]>,
}

impl Edge {
    pub fn new(config: &HttpConfig) -> Edge {
        let list = config.allowed_origins.as_deref().unwrap_or_default();
        let origins = list.split(',').map(|origin| origin.trim().to_ascii_lowercase());
        Edge {
            has_tls: config.certificate.is_some(),
            allowed_origins: origins.filter(|origin| !origin.is_empty()).collect(),
        }
    }

    /// Whether the page that sends this, if it is a page, may act on a node that was called `host`.
    pub(super) fn may_act(&self, headers: &HeaderMap, host: &str) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let origin = origin.to_str().unwrap_or_default();
        let is_own = origin.split_once("://").is_some_and(|(scheme, authority)| {
            // Where a proxy speaks TLS for us, both are ours.
            let may_be_ours = scheme == "https" || (scheme == "http" && !self.has_tls);
            may_be_ours && authority.eq_ignore_ascii_case(host)
        });
        is_own || self.allowed_origins.iter().any(|allowed| origin.eq_ignore_ascii_case(allowed))
    }

    /// Pages of allowed origins may send records, and read what becomes of them; with what they hold themselves, never with a
    /// cookie.
    /// `None` where there are none: then a preflight is a method like any other that is not there.
    pub(super) fn cors(&self) -> Option<CorsLayer> {
        if self.allowed_origins.is_empty() {
            return None;
        }
        let origins = self.allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        let headers = [header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING];
        let own = [
            HeaderName::from_static("x-insighthub-producer"),
            HeaderName::from_static("x-insighthub-sequence"),
        ];
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::POST])
            .allow_headers(headers.into_iter().chain(own).collect::<Vec<_>>())
            .expose_headers([header::RETRY_AFTER])
            .max_age(PREFLIGHT_HOLDS);
        Some(layer)
    }
}

/// Headers that keep a browser from doing with our answers what we did not mean.
pub(super) async fn security_headers(State(node): State<AppState>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let host = peer_pages::called(&request).to_owned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    protect(headers, is_api, node.edge.has_tls);
    // Only a page makes connections.
    let is_page =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        let policy = format!("{CONTENT_SECURITY_POLICY}; {}", peer_pages::connections(&node, &host));
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    response
}

fn protect(headers: &mut HeaderMap, is_api: bool, has_tls: bool) {
    let mut set = |name: HeaderName, value| drop(headers.insert(name, HeaderValue::from_static(value)));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if has_tls {
        set(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
    }
    // Files of the dashboard say by themselves how long they hold.
    if is_api || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The answer of a handler that failed; the panic itself is in the log.
pub(super) fn answer_for_panic(_: Box<dyn Any + Send>) -> Response {
    let message = "the node failed to answer; its log says why";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use tower_http::catch_panic::CatchPanicLayer;

    fn may_act(edge: &Edge, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        edge.may_act(&headers, "logs.example:8000")
    }

    #[test]
    fn a_page_may_act_from_our_own_origin_and_from_those_allowed() {
        let plain = Edge::default();
        let config = HttpConfig {
            certificate: Some("site.pem".into()),
            allowed_origins: Some("https://Ops.example, http://localhost:3000".to_owned()),
            ..HttpConfig::default()
        };
        let listed = Edge::new(&config);
        for (origin, by_plain, by_listed) in [
            (None, true, true),
            (Some("http://logs.example:8000"), true, false),
            (Some("https://logs.example:8000"), true, true),
            (Some("https://LOGS.example:8000"), true, true),
            (Some("https://ops.example"), false, true),
            (Some("http://ops.example"), false, false),
            (Some("https://ops.example.evil"), false, false),
            (Some("https://evil.example"), false, false),
            (Some("null"), false, false),
            (Some("file://logs.example:8000"), false, false),
        ] {
            assert_eq!(may_act(&plain, origin), by_plain, "{origin:?}");
            assert_eq!(may_act(&listed, origin), by_listed, "{origin:?}, with a list");
        }
    }

    async fn fails() -> String {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_handler_that_panics_answers_500_with_all_headers() {
        let router = Router::new()
            .route("/api/x", get(fails))
            .layer(CatchPanicLayer::custom(answer_for_panic))
            .layer(middleware::map_response(async |mut response: Response| {
                protect(response.headers_mut(), true, false);
                response
            }));
        let request = hyper::Request::get("/api/x").body(Body::empty()).unwrap();
        let response = TowerToHyperService::new(router).call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
    }

    #[tokio::test]
    async fn an_allowed_page_is_told_that_it_may_send_and_another_is_not() {
        let config =
            HttpConfig { allowed_origins: Some("https://shop.example".to_owned()), ..HttpConfig::default() };
        let edge = Edge::new(&config);
        let router = Router::new().route("/api/logs", get(async || "")).layer(edge.cors().unwrap());
        let ask = async |origin: &str| {
            let request = hyper::Request::options("/api/logs")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,x-insighthub-sequence")
                .body(Body::empty());
            let answer = TowerToHyperService::new(router.clone()).call(request.unwrap()).await.unwrap();
            let value = |name: &str| {
                answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
            };
            assert_eq!(value("access-control-allow-credentials"), None);
            (value("access-control-allow-origin"), value("access-control-allow-headers").unwrap_or_default())
        };
        let (allowed, headers) = ask("https://shop.example").await;
        assert_eq!(allowed.as_deref(), Some("https://shop.example"));
        assert!(headers.contains("x-insighthub-producer") && headers.contains("authorization"), "{headers}");
        for origin in ["https://evil.example", "null", "http://shop.example"] {
            assert_eq!(ask(origin).await.0, None, "{origin}");
        }
    }

    #[test]
    fn transport_security_is_promised_only_over_tls() {
        for has_tls in [false, true] {
            let mut headers = HeaderMap::new();
            protect(&mut headers, false, has_tls);
            assert_eq!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), has_tls);
        }
    }

    #[test]
    fn a_file_of_the_dashboard_keeps_what_it_says_of_itself() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        protect(&mut headers, false, false);
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        protect(&mut headers, true, false);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}
