//! The whole query language: records, tables, and files of them.

use serde_json::json;

use crate::api::error::ApiError;
use crate::api::explore::QueryAnswer;
use crate::network::fetch;
use crate::state::range::Span;
use crate::state::url;

/// Rows or records; of all time, if no span is given.
pub async fn query(text: &str, span: Option<Span>) -> Result<QueryAnswer, ApiError> {
    let mut question = json!({ "query": text });
    if let (Some(span), Some(fields)) = (span, question.as_object_mut()) {
        fields.extend(span.parameters().map(|(name, moment)| (name.to_owned(), moment.into())));
    }
    fetch::ask("/api/query", &question).await
}

/// Where a browser finds all of it as a file.
pub fn export_address(text: &str, span: Span, format: &str, fields: &[String]) -> String {
    let mut pairs = vec![("q", text.to_owned()), ("format", format.to_owned())];
    pairs.extend(span.parameters());
    if !fields.is_empty() {
        pairs.push(("fields", fields.join(",")));
    }
    format!("/api/query/export?{}", url::encode(&pairs))
}
