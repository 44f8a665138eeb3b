//! `series`: the streams there are, as the labels that tell them apart.

use std::collections::BTreeSet;

use axum::extract::State;
use insighthub_model::query::Expression;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Viewer;
use super::AppState;
use super::asked::{Asked, Span};
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::limits::LISTED_MAX;
use super::parameters;
use crate::http::extract::Json;
use crate::logql::labels::{ALWAYS, Labels, STREAM_FIELDS};
use crate::logql::metric::counted_by;
use crate::logql::parse_log;
use crate::logql::pushdown::push;

/// Streams.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiSeries)]
pub(super) struct SeriesList {
    status: &'static str,
    #[schema(value_type = Vec<Object>)]
    data: Vec<Labels>,
}

/// Streams, as the labels that tell them apart.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/series",
    params(parameters::MatchParameters, parameters::SpanParameters),
    responses((status = 200, body = SeriesList), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn list(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<SeriesList>, LokiError> {
    let mut asking = Asking::begin(node);
    let span = asked.span(asking.now())?;
    let mut filters = Vec::new();
    for text in asked.texts(&["match[]", "match"]) {
        let query = parse_log(text).map_err(|error| LokiError::unread(&error, text))?;
        filters.push(push(&query).filter);
    }
    let found = streams(&mut asking, Expression::any_of(filters), span).await?;
    Ok(Json(SeriesList { status: "success", data: found.into_iter().collect() }))
}

/// The streams of the records that meet a filter.
pub(super) async fn streams(
    asking: &mut Asking,
    filter: Expression,
    span: Span,
) -> Result<BTreeSet<Labels>, LokiError> {
    let names: Vec<String> = ALWAYS.iter().chain(&STREAM_FIELDS).map(|name| (*name).to_owned()).collect();
    let counted = counted_by(&names);
    let table = asking.groups(&conditions(filter, span)?, counted.grouping.clone()).await?;
    let found: BTreeSet<Labels> = counted.counts(&table).into_iter().map(|(labels, _)| labels).collect();
    if found.len() > LISTED_MAX {
        let reason =
            format!("there are {} streams, more than {LISTED_MAX}: narrow the selector", found.len());
        return Err(LokiError::over_budget(reason));
    }
    Ok(found)
}
