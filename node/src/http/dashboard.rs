//! The dashboard, embedded at build time. Only names of the table are served: no path reaches a disk.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::{ApiError, AppState};

/// What a browser asks for first.
const FIRST: &str = "index.html";

/// A file of `ui/dist`.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

// `static ASSETS: [Asset; N]`, made by build.rs from the files of ui/dist.
include!(concat!(env!("OUT_DIR"), "/dashboard/dashboard_assets.rs"));

pub(super) fn router() -> Router<AppState> {
    Router::new().fallback(serve)
}

async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    // Pages are read and not written to: a client that misspells a path must not take one for a receipt.
    if matches!(first, "api" | "ws" | "debug") || !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::not_found(format!("there is no {}", uri.path())).into_response();
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let found = ASSETS.iter().find(|asset| asset.name == path);
    // Addresses inside the dashboard are its own business; a file that is not there is not.
    let asset = match (found, is_file) {
        (Some(asset), _) => Some(asset),
        (None, false) => ASSETS.iter().find(|asset| asset.name == FIRST),
        (None, true) => None,
    };
    match asset {
        Some(asset) => respond(asset, &headers),
        None if is_file => ApiError::not_found(format!("there is no file {}", uri.path())).into_response(),
        None => (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], NO_DASHBOARD)
            .into_response(),
    }
}

const NO_DASHBOARD: &str = "This build of InsightHub carries no dashboard: build it with `cargo xtask ui` first. \
                            The API works: see /api/cluster.\n";

fn respond(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, asset.content_type)
        .header(header::VARY, "accept-encoding")
        .header(header::CACHE_CONTROL, how_long(asset))
        .header(header::ETAG, etag(asset));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag(asset).as_bytes()) {
        return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).unwrap_or_default();
    }
    let (encoding, bytes) = encoded(asset, headers);
    if let Some(encoding) = encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    response.body(Body::from(bytes)).unwrap_or_default()
}

/// The smallest form that the browser takes, and its name.
fn encoded(asset: &'static Asset, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let accepts =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |name: &str| {
        accepts.split(',').any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            // Weighted with nothing, it is refused (RFC 9110, section 12.5.3).
            parts.next() == Some(name)
                && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    if takes("br") {
        (Some("br"), asset.brotli)
    } else if takes("gzip") {
        (Some("gzip"), asset.gzip)
    } else {
        (None, asset.bytes)
    }
}

/// Every file but the first carries a hash of the dashboard in its name, and is never another. The first is asked for at each
/// load: a new version of the node must be a new dashboard.
fn how_long(asset: &Asset) -> &'static str {
    if asset.name == FIRST { "no-cache" } else { "public, max-age=31536000, immutable" }
}

fn etag(asset: &Asset) -> String {
    format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(asset.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_smallest_form_that_it_takes() {
        static ASSET: Asset = Asset {
            name: "a.js",
            content_type: "text/javascript",
            bytes: b"plain",
            gzip: b"gz",
            brotli: b"br",
        };
        let encoding = |accepts: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepts.parse().unwrap());
            encoded(&ASSET, &headers).0
        };
        assert_eq!(encoding("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(encoding("gzip;q=0.5"), Some("gzip"));
        assert_eq!(encoding("br;q=0, gzip"), Some("gzip"));
        assert_eq!(encoding("brotli, x-gzip"), None);
        assert_eq!(encoded(&ASSET, &HeaderMap::new()), (None, b"plain".as_slice()));
    }
}
