//! The parameters of a question, wherever they stand: in the address of a GET, in the JSON object of a POST.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use insighthub_model::Timestamp;
use insighthub_storage::query::Conditions;
use serde_json::{Map, Value};

use super::super::reading::Parameters;
use super::{ApiError, AppState};
use crate::http::extract::{Json, Query};

/// Parameters that every question of a filter takes; in an address any other name is the field of that name.
const OF_FILTER: [&str; 5] = ["query", "from", "to", "service", "level"];

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) parameters: Parameters,
    /// They came as an object, where a name nobody knows is a mistake.
    is_object: bool,
}

impl FromRequest<AppState> for Asked {
    type Rejection = ApiError;

    async fn from_request(request: Request, node: &AppState) -> Result<Self, ApiError> {
        if request.method() != Method::POST {
            let (mut parts, _) = request.into_parts();
            let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(&mut parts, node).await?;
            return Ok(Asked { parameters: Parameters::new(pairs), is_object: false });
        }
        let Json(body) = Json::<Map<String, Value>>::from_request(request, node).await?;
        let mut pairs = Vec::new();
        for (name, value) in body {
            let texts = texts(&value).ok_or_else(|| {
                let message = format!("{name} must be a text, a number, true, false or a list of these");
                ApiError::bad_parameter(&name, message)
            })?;
            pairs.extend(texts.into_iter().map(|text| (name.clone(), text)));
        }
        Ok(Asked { parameters: Parameters::new(pairs), is_object: true })
    }
}

impl Asked {
    /// What is left once the route has taken its own: the filter with its range.
    pub(super) fn into_conditions(mut self, now: Timestamp) -> Result<Conditions, ApiError> {
        if let Some(unknown) =
            self.parameters.names().find(|name| self.is_object && !OF_FILTER.contains(name))
        {
            let message = format!(
                "{unknown} is no parameter of this question; conditions on fields go into the query: {unknown}:value"
            );
            return Err(ApiError::bad_parameter(unknown, message));
        }
        // The search of records calls it q.
        let name = if self.parameters.names().any(|name| name == "query") { "query" } else { "q" };
        let text = self.parameters.take(name)?;
        self.parameters.into_conditions_with(name, text, now)
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => {
            values.iter().filter(|value| !value.is_null()).map(text).collect::<Option<Vec<_>>>()
        }
        Value::Null => Some(Vec::new()),
        one => Some(vec![text(one)?]),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
