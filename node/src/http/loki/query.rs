//! `query` and `query_range`.

use axum::extract::State;

use super::super::caller::Viewer;
use super::AppState;
use super::answer::QueryAnswer;
use super::asked::Asked;
use super::asking::Asking;
use super::error::LokiError;
use super::limits::{LINES_DEFAULT, LINES_MAX};
use super::lines::{Lines, Way, streams};
use super::metric::work_out;
use super::parameters;
use crate::http::extract::Json;
use crate::logql::ast::Expr;
use crate::logql::labels::Labels;
use crate::logql::metric::{Evaluated, Series, Steps};
use crate::logql::parse;

/// A metric in LogQL at one moment.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/query",
    params(parameters::QueryParameters, parameters::MomentParameters),
    responses((status = 200, body = QueryAnswer), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn instant(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<QueryAnswer>, LokiError> {
    let mut asking = Asking::begin(node);
    let text = asked.query()?;
    let expr = parse(text).map_err(|error| LokiError::unread(&error, text))?;
    let moment = asked.moment("time")?.unwrap_or(asking.now().0);
    let Expr::Metric(metric) = expr else {
        return Err(LokiError::bad_query(
            "records have no one moment: ask query_range for them, or for a metric here",
        ));
    };
    let steps = Steps::at(moment);
    Ok(Json(match work_out(&mut asking, &metric, steps).await? {
        Evaluated::Number(number) => QueryAnswer::of_scalar(number, moment, &asking),
        Evaluated::Series(matrix) => QueryAnswer::of_vector(&matrix, moment, &asking),
    }))
}

/// Records or a metric in LogQL over a range of time.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/query_range",
    params(parameters::QueryParameters, parameters::SpanParameters, parameters::RangeQueryParameters),
    responses((status = 200, body = QueryAnswer), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn range(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<QueryAnswer>, LokiError> {
    let mut asking = Asking::begin(node);
    let text = asked.query()?;
    let expr = parse(text).map_err(|error| LokiError::unread(&error, text))?;
    let span = asked.span(asking.now())?;
    match expr {
        Expr::Log(query) => {
            let way = direction(&asked)?;
            let limit = asked.number("limit", LINES_DEFAULT, LINES_MAX)?;
            let lines = Lines::of(&query, span)?.first(&mut asking, way, limit).await?;
            let streams = streams(lines, asked.categorizes);
            Ok(Json(QueryAnswer::of_streams(&streams, asked.categorizes, &asking)))
        }
        Expr::Metric(metric) => {
            let steps = asked.steps(span)?;
            let matrix = match work_out(&mut asking, &metric, steps).await? {
                Evaluated::Series(matrix) => matrix,
                Evaluated::Number(number) => {
                    vec![Series { labels: Labels::new(), points: vec![Some(number); steps.count] }]
                }
            };
            Ok(Json(QueryAnswer::of_matrix(&matrix, steps, &asking)))
        }
    }
}

fn direction(asked: &Asked) -> Result<Way, LokiError> {
    match asked.text("direction").map(str::to_ascii_lowercase).as_deref() {
        None | Some("backward") => Ok(Way::NewestFirst),
        Some("forward") => Ok(Way::OldestFirst),
        Some(other) => {
            let message = format!("direction is {other:?}: expected backward or forward");
            Err(super::ApiError::bad_parameter("direction", message).into())
        }
    }
}
