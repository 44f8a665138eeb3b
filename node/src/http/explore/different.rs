//! `/api/query/different`: what the records of a selection have in common that the others do not.

use std::collections::BTreeSet;

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::api::different::{Different, Side};
use insighthub_model::limits::{FINDINGS_LISTED_MAX, SAMPLE_RECORDS_TARGET};
use insighthub_model::query::{self, Expression, FieldTest, Query, RangeEnd, Test};
use insighthub_storage::query::exploring::{Seen, Sides, Wanted, WantedFields, findings, one_in};
use insighthub_storage::query::{Conditions, Filter};

use super::super::caller::Viewer;
use super::{ApiError, AppState, Asked, Exploration};
use crate::http::document::parameters;
use crate::http::extract::Json;

const FINDINGS_DEFAULT: usize = 20;
/// Different values of one field that are compared on either side: all of nearly every field, and 2 MiB of ids.
const VALUES_MAX: u32 = 16_384;

/// What the records of a selection have in common that the others do not.
#[utoipa::path(
    method(get, post), path = "/api/query/different",
    params(
        parameters::ExplorerParameters, parameters::FilterParameters, parameters::RangeParameters,
        parameters::SelectionParameters, parameters::FieldConditions
    ),
    responses((status = 200, body = Different), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!(true))),
)]
pub(super) async fn answer(
    State(node): State<AppState>,
    _viewer: Viewer,
    mut asked: Asked,
) -> Result<Json<Different>, ApiError> {
    let mut exploration = Exploration::begin(node, &mut asked)?;
    let rows = asked.parameters.take_number("limit", FINDINGS_DEFAULT, FINDINGS_LISTED_MAX)?;
    let selection = selection(&mut asked, exploration.now())?;
    let conditions = asked.into_conditions(exploration.now())?;
    let hidden = fields_of(&selection);
    let (selected, others) =
        (narrowed(&conditions, selection.clone()), narrowed(&conditions, selection.negated()));
    let count = Wanted::default;
    let (inside, outside) =
        tokio::try_join!(exploration.ask(&selected, count()), exploration.ask(&others, count()))?;
    let records = [exploration.take(inside), exploration.take(outside)].map(|seen| seen.records);
    let one_in = records.map(|records| one_in(records, SAMPLE_RECORDS_TARGET));
    let (inside, outside) = tokio::try_join!(
        exploration.ask(&selected, everything(one_in[0])),
        exploration.ask(&others, everything(one_in[1]))
    )?;
    let (inside, outside) = (exploration.take(inside), exploration.take(outside));
    let sides = Sides { selection: &inside, rest: &outside };
    let (findings, left_out) = findings(sides, &hidden, rows);
    let side = |records: u64, seen: &Seen, one_in: u32| Side { records, looked_at: seen.records, one_in };
    Ok(Json(Different {
        selection: side(records[0], &inside, one_in[0]),
        rest: side(records[1], &outside, one_in[1]),
        findings,
        left_out,
        coverage: exploration.coverage(),
        stats: exploration.stats(records[0] + records[1]),
    }))
}

fn everything(one_in: u32) -> Wanted {
    let fields = Some(WantedFields { names: Vec::new(), values_max: VALUES_MAX });
    Wanted { one_in, fields, patterns: true, ..Wanted::default() }
}

fn narrowed(conditions: &Conditions, expression: Expression) -> Conditions {
    let query = Query::of(Expression::all_of([conditions.query.filter.clone(), expression]));
    Conditions { query, ..conditions.clone() }
}

/// The selection: a filter, a range of time, a range of latencies, or several of these, all of which a record meets.
fn selection(asked: &mut Asked, now: Timestamp) -> Result<Expression, ApiError> {
    let parameters = &mut asked.parameters;
    let text = parameters.take("selection")?.unwrap_or_default();
    let filter = query::parse_filter(&text).map_err(|error| {
        let message = format!("the selection cannot be read:\n{}", error.with_caret(&text));
        ApiError::bad_parameter("selection", message)
    })?;
    let moment = |moment: Option<Timestamp>| {
        moment.map_or(RangeEnd::Open, |moment| RangeEnd::Included(moment.to_string()))
    };
    let (from, to) = (parameters.take_time("selection_from")?, parameters.take_time("selection_to")?);
    let (lowest, highest) =
        (parameters.take_float("latency_from_ms")?, parameters.take_float("latency_to_ms")?);
    let number = |number: f64| number.to_string();
    let mut parts = vec![filter.resolved_at(now)];
    if from.is_some() || to.is_some() {
        parts.push(Expression::field("timestamp", Test::Between(moment(from), moment(to))));
    }
    if lowest.is_some() || highest.is_some() {
        let from = lowest.map_or(RangeEnd::Open, |lowest| RangeEnd::Included(number(lowest)));
        let to = highest.map_or(RangeEnd::Open, |highest| RangeEnd::Excluded(number(highest)));
        parts.push(Expression::field("latency_ms", Test::Between(from, to)));
    }
    let selection = Expression::all_of(parts);
    if selection == Expression::All {
        let message = "a selection is missing: give selection (a filter), selection_from and selection_to, or \
                       latency_from_ms and latency_to_ms";
        return Err(ApiError::bad_parameter("selection", message));
    }
    Filter::of_expression(&selection)
        .map_err(|error| ApiError::bad_parameter("selection", error.to_string()))?;
    Ok(selection)
}

/// The fields a condition is about: that they differ says nothing.
fn fields_of(expression: &Expression) -> BTreeSet<String> {
    match expression {
        Expression::All | Expression::Message(_) => BTreeSet::new(),
        Expression::Field(FieldTest { name, .. }) => BTreeSet::from([name.clone()]),
        Expression::Not(inner) => fields_of(inner),
        Expression::And(parts) | Expression::Or(parts) => parts.iter().flat_map(fields_of).collect(),
    }
}
