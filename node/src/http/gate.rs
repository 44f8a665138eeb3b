//! Asks who calls before anything else of a request is looked at: who may not learns neither whether a thing exists nor
//! whether a body can be read. What a route asks of its caller is written where the route is, and shown in the API's document.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use insighthub_model::access::Action;
use serde::Deserialize;
use serde_json::Value;

use super::caller::{Sender, Viewer};
use super::{ApiError, AppState};

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing: everybody who reaches the node.
    Open,
    /// To be somebody who may send records.
    SendRecords,
    /// To be signed in, and to have a role that may do this.
    Needs(Action),
}

impl Access {
    /// As a route says it: `open`, `send_records`, or the name of an action.
    pub(super) fn parse(said: &Value) -> Option<Access> {
        match said.as_str()? {
            "open" => Some(Access::Open),
            "send_records" => Some(Access::SendRecords),
            _ => Action::deserialize(said).ok().map(Access::Needs),
        }
    }
}

/// What each route asks, by path as the router knows it.
#[derive(Debug, Default)]
pub(super) struct Gate(HashMap<String, Asked>);

/// What the methods of one path ask.
#[derive(Debug, Default)]
struct Asked(HashMap<Method, Access>);

impl Asked {
    fn of(&self, method: &Method) -> Option<Access> {
        // What answers GET answers HEAD as well.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(method).copied()
    }
}

impl Gate {
    pub(super) fn put(&mut self, method: Method, path: String, access: Access) {
        self.0.entry(path).or_default().0.insert(method, access);
    }
}

/// The gate and the node behind it.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    pub(super) gate: Arc<Gate>,
    pub(super) node: AppState,
}

/// Lets in who may. A method that the route does not have goes on to be refused as such.
pub(super) async fn admit(
    State(Guarded { gate, node }): State<Guarded>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let matched = request.extensions().get::<MatchedPath>();
    // No route at all: a page of the dashboard, or nothing.
    let Some(path) = matched.map(MatchedPath::as_str) else { return Ok(next.run(request).await) };
    let Some(asked) = gate.0.get(path) else {
        tracing::error!(path, "a route stands outside the document and is closed");
        return Err(ApiError::forbidden("this route does not say who may use it"));
    };
    let access = asked.of(request.method());
    let (mut parts, body) = request.into_parts();
    match access {
        None | Some(Access::Open) => {}
        // Kept for the handler, which is not to find out again.
        Some(Access::SendRecords) => {
            let sender = Sender::from_request_parts(&mut parts, &node).await?;
            parts.extensions.insert(sender);
        }
        Some(Access::Needs(action)) => {
            let viewer = Viewer::admit(&parts, &node, action).await?;
            parts.extensions.insert(viewer);
        }
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_route_asks_is_read_and_a_word_nobody_knows_is_not() {
        assert_eq!(Access::parse(&json!("open")), Some(Access::Open));
        assert_eq!(Access::parse(&json!("send_records")), Some(Access::SendRecords));
        assert_eq!(Access::parse(&json!("manage_users")), Some(Access::Needs(Action::ManageUsers)));
        for wrong in [json!("everybody"), json!(""), json!(null), json!(["open"])] {
            assert_eq!(Access::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn head_is_asked_what_get_is() {
        let mut gate = Gate::default();
        gate.put(Method::GET, "/api/users".into(), Access::Needs(Action::ManageUsers));
        let asked = &gate.0["/api/users"];
        assert_eq!(asked.of(&Method::HEAD), Some(Access::Needs(Action::ManageUsers)));
        assert_eq!(asked.of(&Method::POST), None);
    }
}
