//! Questions about many records at once.

use crate::api::error::ApiError;
use crate::api::explore::{Different, Fields, Histogram, PatternDifference, Patterns};
use crate::network::fetch;
use crate::state::explore::Selection;
use crate::state::explore::question::Question;
use crate::state::range::{Span, rfc3339};

/// `bar`: length of a bar, as the query language writes it.
pub async fn histogram(question: &Question, bar: String) -> Result<Histogram, ApiError> {
    let mut pairs = question.parameters();
    pairs.push(("bucket", bar));
    fetch::get("/api/query/histogram", &pairs).await
}

/// All fields, and so many values of each.
pub async fn fields(question: &Question, values: u32) -> Result<Fields, ApiError> {
    let mut pairs = question.parameters();
    pairs.push(("values", values.to_string()));
    fetch::get("/api/query/fields", &pairs).await
}

/// The most frequent, each counted in at most so many stretches of the range.
pub async fn patterns(question: &Question, limit: u32, bars: u32) -> Result<Patterns, ApiError> {
    let mut pairs = question.parameters();
    pairs.push(("bars", bars.to_string()));
    pairs.push(("limit", limit.to_string()));
    fetch::get("/api/query/patterns", &pairs).await
}

pub async fn difference(
    question: &Question,
    against: Span,
    limit: u32,
) -> Result<PatternDifference, ApiError> {
    let mut pairs = question.parameters();
    pairs.push(("against_from", against.from()));
    pairs.push(("against_to", against.to()));
    pairs.push(("limit", limit.to_string()));
    fetch::get("/api/query/patterns/difference", &pairs).await
}

/// What the records of a selection have in common.
pub async fn different(question: &Question, selection: &Selection) -> Result<Different, ApiError> {
    let mut pairs = question.parameters();
    if let Some((from_ms, to_ms)) = selection.time_ms {
        pairs.push(("selection_from", rfc3339(from_ms)));
        pairs.push(("selection_to", rfc3339(to_ms)));
    }
    if let Some((from, to)) = selection.latency_ms {
        pairs.push(("latency_from_ms", from.to_string()));
        pairs.extend(to.map(|to| ("latency_to_ms", to.to_string())));
    }
    pairs.push(("limit", "40".to_owned()));
    fetch::get("/api/query/different", &pairs).await
}
