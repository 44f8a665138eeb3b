//! Parameters in addresses, described. Handlers take them one by one, as names that mean nothing to a route may be conditions
//! on fields.

#![expect(dead_code, reason = "these say what handlers take; nothing is ever read into them")]

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{ObjectBuilder, Required, Type};

/// Any other name is the field of that name.
pub(crate) struct FieldConditions;

impl IntoParams for FieldConditions {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        // In an address everything is a text, also what looks like a number.
        let values = AdditionalProperties::FreeForm(true);
        let names = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(values));
        let conditions = ParameterBuilder::new()
            .name("field_conditions")
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some("Any other name is a condition on the field of that name: `region=eu`."))
            .style(Some(ParameterStyle::Form))
            .explode(Some(true))
            .schema(Some(names));
        vec![conditions.build()]
    }
}

/// First and last moment.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeParameters {
    /// First moment: RFC 3339, or seconds to nanoseconds since 1970.
    #[param(example = "2026-01-31T10:00:00Z")]
    from: Option<String>,
    /// Last moment.
    #[param(example = "2026-01-31T11:00:00Z")]
    to: Option<String>,
}

/// The conditions that every search of records takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParameters {
    /// Only this service.
    service: Option<String>,
    /// Only this level.
    #[param(example = "error")]
    level: Option<String>,
    /// A filter in the query language, without stages; none: every record.
    #[param(example = "timeout AND status:>=500")]
    q: Option<String>,
}

/// An export; `q` may have stages here.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParameters {
    /// `csv`, `json` (one array), `ndjson` (one object a line) or `parquet`; empty: `csv`, as where it is left out.
    #[param(pattern = "^(csv|json|ndjson|parquet)?$")]
    format: Option<String>,
    /// Names of the columns, with commas between them, at most 64; none: all.
    #[param(example = "timestamp,service,message")]
    fields: Option<String>,
}

/// A page, newest first.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchPageParameters {
    /// Records at most.
    #[param(minimum = 1, maximum = 10_000, default = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Where a live tail goes on.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TailParameters {
    /// The cursor of the last frame that came.
    cursor: Option<String>,
}

/// What every question of the explorer takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExplorerParameters {
    /// The filter; also called `q` in an address.
    query: Option<String>,
    /// The answer takes no longer.
    #[param(minimum = 1, maximum = 300_000, default = 30_000)]
    timeout_ms: Option<u32>,
}

/// Buckets of time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BarsParameters {
    /// At most so many buckets.
    #[param(minimum = 1, maximum = 1_000, default = 100)]
    bars: Option<u32>,
    /// The length instead: `30s`, `5m`, `1h`; at least 1 ms, and at most 1,000 buckets.
    #[param(example = "5m")]
    bucket: Option<String>,
}

/// Which fields, and how much of each.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FieldsParameters {
    /// Names with commas between them; all if not given.
    #[param(example = "region,status")]
    fields: Option<String>,
    /// Values of each.
    #[param(minimum = 1, maximum = 100, default = 10)]
    values: Option<u32>,
}

/// How many patterns.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PatternsParameters {
    #[param(minimum = 1, maximum = 1_000, default = 50)]
    limit: Option<u32>,
}

/// Counts of patterns over time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PatternBarsParameters {
    /// Counts the first 100 patterns over time as well, in at most so many buckets (at least 2).
    #[param(minimum = 1, maximum = 100)]
    bars: Option<u32>,
}

/// The range that another is held against.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgainstParameters {
    /// First moment; as long and right before the range if not given.
    against_from: Option<String>,
    /// Last moment.
    against_to: Option<String>,
}

/// A selection of the records; all that is given of it must be met.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SelectionParameters {
    /// A filter.
    #[param(example = "level:error")]
    selection: Option<String>,
    /// First moment.
    selection_from: Option<String>,
    /// Last moment.
    selection_to: Option<String>,
    /// A cell of the heatmap: from one edge
    latency_from_ms: Option<f64>,
    /// up to the next, which is not part of it.
    latency_to_ms: Option<f64>,
    /// Findings at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// One service.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ServiceParameters {
    /// Only this service.
    service: Option<String>,
}

/// The service that is meant.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfServiceParameters {
    /// The service.
    #[param(min_length = 1)]
    service: String,
}

/// Which anomalies.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnomaliesParameters {
    /// `true`: only those that are not over; `false`: only those that are.
    open: Option<bool>,
    /// What somebody has said: `real` or `false_alarm`; `none`: nobody has; empty: whatever it is, as where it is left out.
    #[param(pattern = "^(real|false_alarm|none)?$")]
    verdict: Option<String>,
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of a service's minutes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MinutesPageParameters {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How many kinds of messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ServicePatternsParameters {
    #[param(minimum = 1, maximum = 2_000, default = 100)]
    limit: Option<u32>,
}

/// How many detectors.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DetectorsParameters {
    #[param(minimum = 1, maximum = 10_000, default = 100)]
    limit: Option<u32>,
}

/// Which incidents of alerts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentsParameters {
    /// `firing` or `resolved`; empty: both, as where it is left out.
    #[param(pattern = "^(firing|resolved)?$")]
    state: Option<String>,
    /// Of this rule.
    rule: Option<String>,
    /// Of this service.
    service: Option<String>,
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
}

/// Which messages to channels.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveriesParameters {
    /// To this channel.
    channel: Option<String>,
    /// Of this incident.
    incident: Option<u64>,
    /// `waiting`, `delivered` or `given_up`; empty: all, as where it is left out.
    #[param(pattern = "^(waiting|delivered|given_up)?$")]
    state: Option<String>,
    #[param(minimum = 1, maximum = 1_000, default = 100)]
    limit: Option<u32>,
}

/// Which dead letters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersParameters {
    service: Option<String>,
    /// Words of the reason.
    reason: Option<String>,
    #[param(minimum = 1, maximum = 1_000, default = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How many reasons.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SummaryParameters {
    #[param(minimum = 1, maximum = 2_000, default = 200)]
    limit: Option<u32>,
}

/// Which entries of the trail.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParameters {
    /// The number of the first entry; the newest page if not given.
    from: Option<u64>,
    user: Option<String>,
    /// As `token.create`.
    action: Option<String>,
    #[param(minimum = 1, maximum = 10_000, default = 1_000)]
    limit: Option<u32>,
}

/// Which of a producer's batches the body is; both or neither. Sent again it is not stored again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct ProducerHeaders {
    #[param(rename = "X-InsightHub-Producer", min_length = 1, max_length = 128)]
    producer: Option<String>,
    /// 1 for the first batch.
    #[param(rename = "X-InsightHub-Sequence")]
    sequence: Option<u64>,
}
