//! One HTTP exchange with the node, as text or as a typed answer. Where the access token in the cookie is over, another is
//! fetched first, which nobody notices.

use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCredentials, RequestInit, Response};

use crate::api::error::ApiError;
use crate::state::url;

/// The node gives up on a query before this; an answer that takes longer means that it is gone.
const TIMEOUT_MS: u32 = 35_000;

pub(super) async fn get<T: DeserializeOwned>(path: &str, pairs: &[(&str, String)]) -> Result<T, ApiError> {
    let address = if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", url::encode(pairs)) };
    parse(&exchange("GET", &address, None).await?)
}

pub(super) async fn post<T: DeserializeOwned>(path: &str, body: &serde_json::Value) -> Result<T, ApiError> {
    parse(&post_text(path, body).await?)
}

/// For answers whose body says nothing.
pub(super) async fn post_text(path: &str, body: &serde_json::Value) -> Result<String, ApiError> {
    exchange("POST", path, Some(body.to_string())).await
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|error| ApiError::unreadable(&error.to_string()))
}

/// Makes the cookies of the session anew.
pub(super) async fn refresh() -> Result<(), ApiError> {
    once("POST", "/api/session/refresh", None).await.map(|_| ())
}

async fn exchange(method: &str, address: &str, body: Option<String>) -> Result<String, ApiError> {
    match once(method, address, body.clone()).await {
        Err(error) if error.needs_refresh() => {
            // Where that fails the session is over and its cookies are gone: what is asked then is asked by nobody.
            refresh().await.unwrap_or_default();
            once(method, address, body).await
        }
        other => other,
    }
}

async fn once(method: &str, address: &str, body: Option<String>) -> Result<String, ApiError> {
    let window = web_sys::window().ok_or_else(ApiError::unreachable)?;
    let init = request(method, body).map_err(|_| ApiError::unreachable())?;
    let answer = JsFuture::from(window.fetch_with_str_and_init(address, &init))
        .await
        .map_err(|_| ApiError::unreachable())?;
    let response: Response = answer.dyn_into().map_err(|_| ApiError::unreachable())?;
    let text = match response.text() {
        Ok(promise) => JsFuture::from(promise).await.map_err(|_| ApiError::unreachable())?,
        Err(_) => return Err(ApiError::unreachable()),
    };
    let text = text.as_string().unwrap_or_default();
    if response.ok() { Ok(text) } else { Err(ApiError::from_body(response.status(), &text)) }
}

fn request(method: &str, body: Option<String>) -> Result<RequestInit, JsValue> {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
    if let Some(body) = body {
        let headers = web_sys::Headers::new()?;
        headers.set("Content-Type", "application/json")?;
        init.set_headers(&headers);
        init.set_body(&JsValue::from_str(&body));
    }
    Ok(init)
}
