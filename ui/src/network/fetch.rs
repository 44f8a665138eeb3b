//! One HTTP exchange with a node, as text or as a typed answer. Where the access token in the cookie is over, another is
//! fetched first; where the node is gone, another is asked; neither is noticed.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestCredentials, RequestInit, Response};

use super::peers;
use crate::api::error::ApiError;
use crate::json;
use crate::state::url;

/// The node gives up on a query before this; an answer that takes longer means that it is gone.
const TIMEOUT_MS: u32 = 35_000;

/// Whether a request may be sent to a second node where the first has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// It changes nothing, or the same to the same.
    Allowed,
    /// The first may have done it.
    Forbidden,
}

pub(super) async fn get<T: DeserializeOwned>(path: &str, pairs: &[(&str, String)]) -> Result<T, ApiError> {
    let address = if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", url::encode(pairs)) };
    parse(&exchange("GET", &address, None, Repeat::Allowed).await?)
}

/// A question that is too long for an address.
pub(super) async fn ask<T: DeserializeOwned>(path: &str, question: &impl Serialize) -> Result<T, ApiError> {
    parse(&exchange("POST", path, Some(body(question)?), Repeat::Allowed).await?)
}

pub(super) async fn post<T: DeserializeOwned>(path: &str, change: &impl Serialize) -> Result<T, ApiError> {
    parse(&post_text(path, change).await?)
}

/// For answers whose body says nothing.
pub(super) async fn post_text(path: &str, change: &impl Serialize) -> Result<String, ApiError> {
    exchange("POST", path, Some(body(change)?), Repeat::Forbidden).await
}

pub(super) async fn put(path: &str, thing: &impl Serialize) -> Result<String, ApiError> {
    exchange("PUT", path, Some(body(thing)?), Repeat::Allowed).await
}

/// Of what may not be replaced twice: the second would find another revision.
pub(super) async fn put_once(path: &str, thing: &impl Serialize) -> Result<String, ApiError> {
    exchange("PUT", path, Some(body(thing)?), Repeat::Forbidden).await
}

pub(super) async fn patch(path: &str, change: &impl Serialize) -> Result<String, ApiError> {
    exchange("PATCH", path, Some(body(change)?), Repeat::Allowed).await
}

pub(super) async fn delete(path: &str) -> Result<String, ApiError> {
    exchange("DELETE", path, None, Repeat::Allowed).await
}

fn body(thing: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(thing).map_err(|error| ApiError::unreadable(&error.to_string()))
}

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    json::from_str(text).map_err(|error| ApiError::unreadable(&error.to_string()))
}

/// Makes the cookies of the session anew.
pub(super) async fn refresh() -> Result<(), ApiError> {
    at_any_node("POST", "/api/session/refresh", None, Repeat::Forbidden).await.map(drop)
}

async fn exchange(
    method: &str,
    path: &str,
    body: Option<String>,
    repeat: Repeat,
) -> Result<String, ApiError> {
    match at_any_node(method, path, body.clone(), repeat).await {
        Err(error) if error.needs_refresh() => {
            // Where that fails the session is over and its cookies are gone: what is asked then is asked by nobody.
            refresh().await.unwrap_or_default();
            at_any_node(method, path, body, repeat).await
        }
        other => other,
    }
}

/// Asks one node after the other until one can answer, each once.
async fn at_any_node(
    method: &str,
    path: &str,
    body: Option<String>,
    repeat: Repeat,
) -> Result<String, ApiError> {
    let tries = if repeat == Repeat::Allowed { peers::count().max(1) } else { 1 };
    let mut first_error = None;
    for _ in 0..tries {
        let (host, origin) = peers::current();
        let error = match once(method, &format!("{origin}{path}"), body.clone()).await {
            Ok(text) => {
                peers::heard();
                return Ok(text);
            }
            Err(error) => error,
        };
        match error.status {
            0 => peers::lost(&host),
            // It is cut off from the others, or on its way out.
            503 => {
                peers::heard();
                peers::pass_over(&host);
            }
            _ => {
                peers::heard();
                return Err(error);
            }
        }
        first_error.get_or_insert(error);
    }
    Err(first_error.unwrap_or_else(ApiError::unreachable))
}

/// Stops the request when nobody waits for it any more.
struct StoppedOnDrop(AbortController);

impl Drop for StoppedOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn once(method: &str, address: &str, body: Option<String>) -> Result<String, ApiError> {
    let window = web_sys::window().ok_or_else(ApiError::unreachable)?;
    let controller = AbortController::new().map_err(|_| ApiError::unreachable())?;
    let init = request(method, body, &controller).map_err(|_| ApiError::unreachable())?;
    let stopped = StoppedOnDrop(controller.clone());
    let timeout = gloo_timers::callback::Timeout::new(TIMEOUT_MS, move || controller.abort());
    let answer = JsFuture::from(window.fetch_with_str_and_init(address, &init))
        .await
        .map_err(|_| ApiError::unreachable())?;
    let response: Response = answer.dyn_into().map_err(|_| ApiError::unreachable())?;
    let text = match response.text() {
        Ok(promise) => JsFuture::from(promise).await.map_err(|_| ApiError::unreachable())?,
        Err(_) => return Err(ApiError::unreachable()),
    };
    drop((timeout, stopped));
    let text = text.as_string().unwrap_or_default();
    if response.ok() { Ok(text) } else { Err(ApiError::from_body(response.status(), &text)) }
}

fn request(method: &str, body: Option<String>, controller: &AbortController) -> Result<RequestInit, JsValue> {
    let init = RequestInit::new();
    init.set_method(method);
    // Another node of the cluster is another origin, and the same site.
    init.set_credentials(RequestCredentials::Include);
    init.set_signal(Some(&controller.signal()));
    if let Some(body) = body {
        let headers = web_sys::Headers::new()?;
        headers.set("Content-Type", "application/json")?;
        init.set_headers(&headers);
        init.set_body(&JsValue::from_str(&body));
    }
    Ok(init)
}
