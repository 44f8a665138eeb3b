//! What a browser keeps of a session: out of reach of scripts, sent to this site by this site alone.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::sessions::Carried;
use crate::http::{ApiError, Node};

/// The access token. It is sent on after it is over: the answer says so, and the page refreshes.
pub(in crate::http) const ACCESS: &str = "insighthub_session";
/// The refresh secret, which only the routes of the session see.
const REFRESH: &str = "insighthub_refresh";
const REFRESH_PATH: &str = "/api/session";

/// The value of a cookie of the request.
pub(in crate::http) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

pub(super) fn refresh_secret(headers: &HeaderMap) -> Option<String> {
    value(headers, REFRESH)
}

/// Gives the browser what it is to carry.
pub(super) fn give(
    node: &Node,
    response: &mut Response,
    carried: &Carried,
    life_secs: u64,
) -> Result<(), ApiError> {
    set(node, response, ACCESS, "/", carried.access.reveal(), life_secs)?;
    if let Some(refresh) = &carried.refresh {
        set(node, response, REFRESH, REFRESH_PATH, refresh.reveal(), life_secs)?;
    }
    Ok(())
}

/// Takes it away again.
pub(super) fn take(node: &Node, response: &mut Response) -> Result<(), ApiError> {
    set(node, response, ACCESS, "/", "", 0)?;
    set(node, response, REFRESH, REFRESH_PATH, "", 0)
}

fn set(
    node: &Node,
    response: &mut Response,
    name: &str,
    path: &str,
    value: &str,
    life_secs: u64,
) -> Result<(), ApiError> {
    add(response, &written(name, path, value, life_secs, "Strict", node.access.secure_cookies))
}

/// A cookie as it is sent.
pub(super) fn written(
    name: &str,
    path: &str,
    value: &str,
    life_secs: u64,
    same_site: &str,
    is_secure: bool,
) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; HttpOnly; SameSite={same_site}; Max-Age={life_secs}{secure}")
}

pub(super) fn add(response: &mut Response, cookie: &str) -> Result<(), ApiError> {
    let value = HeaderValue::from_str(cookie).map_err(|error| ApiError::internal(&error))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; insighthub_session=x.y=z;c=d".parse().unwrap());
        headers.append(header::COOKIE, "insighthub_refresh=r".parse().unwrap());
        assert_eq!(value(&headers, ACCESS).as_deref(), Some("x.y=z"));
        assert_eq!(refresh_secret(&headers).as_deref(), Some("r"));
        assert_eq!(value(&headers, "session"), None);
    }

    #[test]
    fn no_script_and_no_other_site_uses_a_cookie() {
        let cookie = written(ACCESS, "/", "x", 60, "Strict", true);
        assert_eq!(cookie, "insighthub_session=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
    }
}
