//! `GET /api/query/export`: every record, or the whole table, as a file that a browser saves by itself.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insighthub_model::Timestamp;
use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_model::query::pipeline::Projection;
use insighthub_model::query::{Stage, Text};
use insighthub_storage::query::Conditions;
use insighthub_storage::query::pipeline::{Gathering, Plan};
use tokio::time::Instant;

use super::export::Window;
use super::written::Written;
use super::{Format, check, export, is_projection};
use crate::http::caller::Viewer;
use crate::http::document::{parameters, shapes};
use crate::http::extract::Query;
use crate::http::reading::Parameters;
use crate::http::{ApiError, AppState, Counters};

/// A table is worked out whole before its first byte is sent.
const TABLE_DEADLINE: Duration = Duration::from_secs(120);

/// Every record that is meant, or the whole table, as a file.
///
/// Complete, or broken off where the client sees it: a part is never the whole. In `q` stages may stand.
#[utoipa::path(
    get, path = "/api/query/export",
    params(
        parameters::FilterParameters, parameters::RangeParameters, parameters::ExportParameters,
        parameters::FieldConditions
    ),
    responses(
        (status = 200, content(
            (String = "text/csv"),
            (shapes::ExportedRows = "application/json"),
            (String = "application/x-ndjson"),
            (String = "application/vnd.apache.parquet"),
        )),
        (status = 422),
    ),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
pub(super) async fn get_export(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let now = node.clock.now();
    let mut parameters = Parameters::new(pairs);
    let format = format(parameters.take("format")?.as_deref())?;
    let fields = parameters.take_list("fields")?;
    let mut conditions = parameters.into_staged_conditions(now)?;
    if !fields.is_empty() {
        let keep = fields.into_iter().map(Text::Exact).collect();
        conditions.query.stages.push(Stage::Fields(Projection { keep, drop: Vec::new() }));
    }
    check(&conditions.query)?;
    let disposition = disposition(&conditions, now, format)?;
    Counters::add(&node.counters.queries, 1);
    let plan = Plan::new(&conditions.query, u32::MAX);
    let mut response = if is_streamable(&plan, format) {
        export::stream(node, conditions, format).await?
    } else {
        table(&node, &conditions, &plan, format).await?
    };
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

fn format(text: Option<&str>) -> Result<Format, ApiError> {
    match text {
        None | Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        Some("ndjson") => Ok(Format::Ndjson),
        Some("parquet") => Ok(Format::Parquet),
        Some(other) => {
            let message = format!("format is {other:?}: it must be csv, json, ndjson or parquet");
            Err(ApiError::bad_parameter("format", message))
        }
    }
}

/// Whether records go out as they are found, however many they are.
fn is_streamable(plan: &Plan, format: Format) -> bool {
    let passes =
        |stage: &Stage| matches!(stage, Stage::Limit(_) | Stage::Offset(_)) || is_projection(stage, format);
    matches!(plan.gathering, Gathering::Newest(_)) && plan.stages.iter().all(passes)
}

async fn table(
    node: &AppState,
    conditions: &Conditions,
    plan: &Plan,
    format: Format,
) -> Result<Response, ApiError> {
    let deadline = Instant::now() + TABLE_DEADLINE;
    let answer = node.cluster.query(conditions, PAGE_RECORDS_MAX as u32, deadline).await?;
    if !answer.coverage.is_complete() {
        return Err(ApiError::unavailable("some partitions do not answer: an export would not be whole"));
    }
    if is_cut(plan, answer.counts.matched_records) {
        let message = format!(
            "a stage of this query looks at the first {PAGE_RECORDS_MAX} records and there are more: put `limit` with \
             that number or a smaller one in front of it, narrow the filter, or leave the stage out (in CSV \
             and Parquet, `fields` must name each column)"
        );
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "over_budget", message);
        return Err(ApiError { field: Some("q".to_owned()), ..error });
    }
    let file = tokio::task::spawn_blocking(move || Written::whole(format, &answer.rows)).await;
    let file = file.map_err(|error| ApiError::internal(&error))??;
    Ok(([(header::CONTENT_TYPE, format.content_type())], file).into_response())
}

/// Whether records were left out that the query itself does not leave out.
fn is_cut(plan: &Plan, matched_records: u64) -> bool {
    if !matches!(plan.gathering, Gathering::Newest(_) | Gathering::Sorted { .. }) {
        return false;
    }
    let windowing = |stage: &&Stage| matches!(stage, Stage::Limit(_) | Stage::Offset(_) | Stage::Fields(_));
    let window: Vec<Stage> = plan.stages.iter().take_while(windowing).cloned().collect();
    matched_records.min(Window::of(&window).end()) > PAGE_RECORDS_MAX as u64
}

/// `attachment`, under a name that says what the file is of.
fn disposition(conditions: &Conditions, now: Timestamp, format: Format) -> Result<HeaderValue, ApiError> {
    let from = conditions.from.map_or_else(|| "beginning".to_owned(), compact);
    // Conditions end before theirs; a file is named by the last moment that was asked for.
    let to = compact(conditions.to.map_or(now, |to| Timestamp(to.0.saturating_sub(1))));
    let text = format!("attachment; filename=\"insighthub-{from}-{to}.{}\"", format.extension());
    HeaderValue::from_str(&text).map_err(|error| ApiError::internal(&error))
}

/// To the second, without what a file's name may not hold: `20260131T100000Z`.
fn compact(moment: Timestamp) -> String {
    let text = moment.to_string();
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    let kept = seconds.chars().filter(|letter| letter.is_ascii_alphanumeric());
    kept.chain(['Z']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::query;

    fn plan(text: &str) -> Plan {
        Plan::new(&query::parse(text).unwrap(), u32::MAX)
    }

    #[test]
    fn a_file_is_named_by_its_range() {
        let moment = |text: &str| Timestamp::parse(text).unwrap();
        let (from, to) = (moment("2026-01-31T10:00:00.5Z"), moment("2026-01-31T11:00:00Z"));
        let end = Timestamp(to.0 + 1);
        let conditions = Conditions { from: Some(from), to: Some(end), ..Conditions::default() };
        let name = |conditions: &Conditions, format| {
            disposition(conditions, moment("2026-02-01T00:00:00Z"), format).unwrap()
        };
        assert_eq!(
            name(&conditions, Format::Csv),
            "attachment; filename=\"insighthub-20260131T100000Z-20260131T110000Z.csv\""
        );
        assert_eq!(
            name(&Conditions::default(), Format::Ndjson),
            "attachment; filename=\"insighthub-beginning-20260201T000000Z.ndjson\""
        );
    }

    #[test]
    fn what_can_go_out_as_it_is_found_does() {
        for text in
            ["*", "error | where status:>500", "* | offset 5000 | limit 10000", "* | fields service, message"]
        {
            assert!(is_streamable(&plan(text), Format::Csv), "{text}");
            assert!(is_streamable(&plan(text), Format::Parquet), "{text}");
        }
        assert!(is_streamable(&plan("* | fields -message"), Format::Ndjson));
        for text in ["* | fields -message", "* | fields s*", "* | sort latency_ms", "* | stats count()"] {
            assert!(!is_streamable(&plan(text), Format::Csv), "{text}");
        }
    }

    #[test]
    fn a_query_that_would_lose_records_unasked_is_told_apart() {
        let many = PAGE_RECORDS_MAX as u64 + 1;
        for text in
            ["* | sort latency_ms", "* | sort latency_ms | offset 5 | limit 10000", "* | fields -message"]
        {
            assert!(is_cut(&plan(text), many), "{text}");
            assert!(!is_cut(&plan(text), many - 1), "{text}");
        }
        for text in ["* | sort latency_ms | limit 10000", "* | limit 10 | stats count()", "* | stats count()"]
        {
            assert!(!is_cut(&plan(text), many), "{text}");
        }
    }
}
