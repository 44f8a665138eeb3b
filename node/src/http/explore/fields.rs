//! `/api/query/fields`: which fields records have, and their most frequent values.

use axum::extract::State;
use insighthub_model::api::fields::{Field, Fields, ValueCount};
use insighthub_model::limits::{
    FIELD_SAMPLE_RECORDS_TARGET, FIELD_VALUES_COUNTED_MAX, FIELD_VALUES_LISTED_MAX, FIELDS_LISTED_MAX,
};
use insighthub_model::query::system_field::NAMES as SYSTEM_FIELDS;
use insighthub_storage::query::Conditions;
use insighthub_storage::query::exploring::{
    FieldCounts, FieldSeen, ValueCounts, Wanted, WantedFields, one_in,
};

use super::super::caller::Viewer;
use super::{ApiError, AppState, Asked, Exploration};
use crate::http::document::parameters;
use crate::http::extract::Json;

const VALUES_DEFAULT: usize = 10;
/// Of a sample every value is counted, and so many are more than there are records in it.
const SAMPLE_VALUES_MAX: u32 = 2 * FIELD_SAMPLE_RECORDS_TARGET as u32;
/// Values met less often in a sample say nothing of how frequent they are.
const SAMPLE_RECORDS_MIN: u64 = 3;

/// Which fields records have, and their most frequent values.
#[utoipa::path(
    method(get, post), path = "/api/query/fields",
    params(
        parameters::ExplorerParameters, parameters::FilterParameters, parameters::RangeParameters,
        parameters::FieldsParameters, parameters::FieldConditions
    ),
    responses((status = 200, body = Fields), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!(true))),
)]
pub(super) async fn answer(
    State(node): State<AppState>,
    _viewer: Viewer,
    mut asked: Asked,
) -> Result<Json<Fields>, ApiError> {
    let mut exploration = Exploration::begin(node, &mut asked)?;
    let rows = asked.parameters.take_number("values", VALUES_DEFAULT, FIELD_VALUES_LISTED_MAX)?;
    let names = asked.parameters.take_list("fields")?;
    if names.iter().any(|name| name == "created_at") {
        return Err(ApiError::bad_parameter("fields", "created_at has no values to be counted"));
    }
    let conditions = asked.into_conditions(exploration.now())?;
    let fields = WantedFields { names, values_max: FIELD_VALUES_COUNTED_MAX as u32 };
    let seen = exploration.look(&conditions, Wanted { fields: Some(fields), ..Wanted::default() }).await?;
    let (listed, left_out) = listed(&seen.fields);
    let sample = frequent_of_many(&mut exploration, &conditions, &listed, seen.records).await?;
    let field = |(name, field): &(&String, &FieldSeen)| {
        let sampled = sample.fields.get(*name).map(|of_sample| (&of_sample.values, sample.one_in));
        shown(name, field, sampled, seen.records, rows)
    };
    Ok(Json(Fields {
        fields: listed.iter().map(field).collect(),
        fields_left_out: left_out,
        coverage: exploration.coverage(),
        stats: exploration.stats(seen.records),
    }))
}

/// Fields in the order of the answer, and how many are left out of it.
fn listed(counts: &FieldCounts) -> (Vec<(&String, &FieldSeen)>, u64) {
    let system = |name: &str| SYSTEM_FIELDS.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    let mut listed: Vec<(&String, &FieldSeen)> = counts.fields.iter().collect();
    // Stable: fields of the same number of records stay in the order of their names.
    listed.sort_by_key(|(name, field)| (system(name), std::cmp::Reverse(field.records)));
    let left_out = listed.len().saturating_sub(FIELDS_LISTED_MAX) as u64;
    listed.truncate(FIELDS_LISTED_MAX);
    (listed, left_out)
}

/// Values of fields that have too many of them, of a sample of the records.
struct Sample {
    fields: std::collections::BTreeMap<String, FieldSeen>,
    one_in: u64,
}

async fn frequent_of_many(
    exploration: &mut Exploration,
    conditions: &Conditions,
    listed: &[(&String, &FieldSeen)],
    records: u64,
) -> Result<Sample, ApiError> {
    let many = listed.iter().filter(|(_, field)| !field.values.is_exact());
    let names: Vec<String> = many.map(|(name, _)| (*name).clone()).collect();
    if names.is_empty() {
        return Ok(Sample { fields: std::collections::BTreeMap::new(), one_in: 1 });
    }
    let one_in = one_in(records, FIELD_SAMPLE_RECORDS_TARGET);
    let fields = Some(WantedFields { names, values_max: SAMPLE_VALUES_MAX });
    let seen = exploration.look(conditions, Wanted { one_in, fields, ..Wanted::default() }).await?;
    Ok(Sample { fields: seen.fields.fields, one_in: u64::from(one_in) })
}

fn shown(name: &str, field: &FieldSeen, sampled: Option<(&ValueCounts, u64)>, of: u64, rows: usize) -> Field {
    let share = |records: u64, of: u64| if of == 0 { 0.0 } else { records as f64 / of as f64 };
    let (distinct, is_exact) = field.values.distinct();
    let frequent: Vec<(serde_json::Value, u64)> = match sampled {
        None => field.values.most_frequent(rows).into_iter().map(|(value, n)| (value.to_json(), n)).collect(),
        Some((values, one_in)) => {
            let frequent = values.most_frequent(rows).into_iter();
            let often = frequent.filter(|(_, met)| *met >= SAMPLE_RECORDS_MIN || one_in == 1);
            often.map(|(value, met)| (value.to_json(), (met * one_in).min(field.records))).collect()
        }
    };
    let value = |(value, records)| ValueCount { value, records, share: share(records, field.records) };
    Field {
        name: name.to_owned(),
        system: SYSTEM_FIELDS.contains(&name),
        types: field.types(),
        records: field.records,
        share: share(field.records, of),
        distinct,
        distinct_is_estimate: !is_exact,
        values: frequent.into_iter().map(value).collect(),
        values_are_estimates: sampled.is_some_and(|(_, one_in)| one_in > 1),
    }
}
