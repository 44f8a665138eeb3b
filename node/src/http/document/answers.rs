//! Answers that follow from what kind of route it is: who is refused, what cannot be read, what every request may meet.

use axum::http::{Method, StatusCode};
use insighthub_model::access::Action;
use serde_json::{Map, Value, json};

use crate::http::gate::Access;

const ERROR: &str = "#/components/schemas/ErrorAnswer";
/// Where a route says that it refuses in the words of the protocol it speaks, which no schema of ours describes.
const OWN_WORDS: &str = "x-refuses-in-own-words";

/// Adds them, and gives every refusal its form.
pub(super) fn complete(operation: &mut Map<String, Value>, method: &Method, access: Access) {
    let has_body = operation.contains_key("requestBody");
    let has_parameters =
        operation.get("parameters").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let has_own_words = operation.remove(OWN_WORDS).is_some();
    let changes = *method != Method::GET;
    let mut statuses = Vec::new();
    if has_body || has_parameters {
        statuses.push(400);
    }
    if has_body {
        statuses.extend([413, 415]);
    }
    if access != Access::Open {
        // A password is checked on every route, and that is throttled.
        statuses.extend([401, 429, 500, 503]);
    }
    // Pages of other sites change nothing.
    if changes || !matches!(access, Access::Open | Access::Needs(Action::ReadLogs)) {
        statuses.push(403);
    }
    let answers = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(answers) = answers.as_object_mut() else { return };
    for status in statuses {
        answers.entry(status.to_string()).or_insert_with(|| json!({}));
    }
    for (status, answer) in answers.iter_mut() {
        let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
        if let (Some(status), Some(answer)) = (status, answer.as_object_mut()) {
            fill(status, answer, has_own_words);
        }
    }
    answers.sort_keys();
}

fn fill(status: StatusCode, answer: &mut Map<String, Value>, has_own_words: bool) {
    let is_silent = answer.get("description").and_then(Value::as_str).is_none_or(str::is_empty);
    if is_silent {
        answer.insert("description".into(), meaning(status).into());
    }
    if !status.is_client_error() && !status.is_server_error() {
        return;
    }
    let form = match has_own_words {
        true => json!({ "application/json": { "schema": {} }, "text/plain": { "schema": {} } }),
        false => json!({ "application/json": { "schema": { "$ref": ERROR } } }),
    };
    answer.entry("content").or_insert(form);
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        let seconds = json!({ "type": "integer", "minimum": 0 });
        let header = json!({ "description": "Seconds after which to try again.", "schema": seconds });
        answer.entry("headers").or_insert_with(|| json!({ "Retry-After": header }));
    }
    if status == StatusCode::UNAUTHORIZED {
        let header = json!({ "schema": { "type": "string" } });
        answer.entry("headers").or_insert_with(|| json!({ "WWW-Authenticate": header }));
    }
}

fn meaning(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "The answer.",
        201 => "It was made.",
        202 => "It was taken on.",
        204 => "It was done.",
        400 => "A parameter, a field or the body cannot be read or is out of range; `field` names it.",
        401 => "Nobody is signed in, or what was shown opens nothing.",
        403 => "The caller's role does not allow this, or a page of another site asks.",
        404 => "There is no such thing.",
        409 => "Something else is so; the message says what.",
        413 => "The body is too large.",
        415 => "The body is of a type that is not taken.",
        422 => "It took too long or too much; the message says how to narrow it.",
        429 => "Too much at once; try again after the time given.",
        500 => "The node failed to answer; its log says why.",
        503 => "Not now: a part of the cluster does not answer, or the outcome is unknown. Try again.",
        _ => status.canonical_reason().unwrap_or("An answer."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(operation: Value, method: &Method, access: Access) -> Vec<String> {
        let mut operation = operation.as_object().unwrap().clone();
        complete(&mut operation, method, access);
        operation["responses"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn what_a_route_is_like_decides_how_it_refuses() {
        let read = json!({ "responses": { "200": {} } });
        assert_eq!(statuses(read.clone(), &Method::GET, Access::Open), ["200"]);
        let signed_in = ["200", "401", "429", "500", "503"];
        assert_eq!(statuses(read, &Method::GET, Access::Needs(Action::ReadLogs)), signed_in);
        let change = json!({ "requestBody": {}, "responses": { "204": {}, "404": {} } });
        assert_eq!(
            statuses(change, &Method::PUT, Access::Needs(Action::ManageUsers)),
            ["204", "400", "401", "403", "404", "413", "415", "429", "500", "503"]
        );
    }

    #[test]
    fn a_refusal_has_our_form() {
        let mut operation = json!({ "responses": { "429": {} } }).as_object().unwrap().clone();
        complete(&mut operation, &Method::GET, Access::Open);
        let answer = &operation["responses"]["429"];
        assert_eq!(answer["content"]["application/json"]["schema"]["$ref"], ERROR);
        assert!(answer["headers"]["Retry-After"]["description"].is_string());
    }
}
