//! Parameters of Loki's API, described. Handlers take them one by one; names nobody knows are passed over.

#![expect(dead_code, reason = "these say what handlers take; nothing is ever read into them")]

use utoipa::IntoParams;

/// A query in LogQL.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct QueryParameters {
    #[param(example = "sum by (level) (count_over_time({service_name=\"payment\"} |= \"timeout\" [1m]))")]
    query: String,
}

/// Which records, in LogQL.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordsParameters {
    /// A selector with stages; every record, where it is left out.
    #[param(example = "{service_name=\"payment\"} |= \"timeout\"")]
    query: Option<String>,
}

/// When.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MomentParameters {
    /// Nanoseconds or seconds since 1970, or RFC 3339; now, where it is left out.
    time: Option<String>,
}

/// From when until before when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SpanParameters {
    /// Nanoseconds or seconds since 1970, or RFC 3339; an hour before the end, where it is left out.
    #[param(example = "2026-01-31T10:00:00Z")]
    start: Option<String>,
    /// Now, where it is left out.
    #[param(example = "2026-01-31T11:00:00Z")]
    end: Option<String>,
    /// How long before the end, in place of the start.
    #[param(example = "15m")]
    since: Option<String>,
}

/// How much, and in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RangeQueryParameters {
    /// Of a metric: seconds, or a length of time.
    #[param(example = "60000ms")]
    step: Option<String>,
    /// Of records.
    #[param(minimum = 1, maximum = 5_000, default = 100)]
    limit: Option<u32>,
    /// Of records: `backward` (newest first) or `forward`.
    #[param(pattern = "^(backward|forward)?$")]
    direction: Option<String>,
}

/// Seconds, or a length of time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StepParameters {
    #[param(example = "60s")]
    step: Option<String>,
}

/// How many.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LimitParameters {
    #[param(minimum = 1)]
    limit: Option<u32>,
}

/// What a volume is told apart by.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[into_params(names("targetLabels", "aggregateBy"))]
pub(super) struct VolumeParameters(
    /// Labels with commas between them; those of the selector, where it is left out.
    Option<String>,
    /// `series` (each combination of values) or `labels` (each label).
    Option<String>,
);

/// Selectors, as often as is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[into_params(names("match[]"))]
pub(super) struct MatchParameters(
    /// A selector; every stream, where it is left out.
    Option<String>,
);

/// A live tail.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TailParameters {
    query: String,
    /// The first moment of what has been stored already; now, where it is left out.
    start: Option<String>,
    /// Lines of what has been stored already.
    #[param(minimum = 1, maximum = 5_000, default = 100)]
    limit: Option<u32>,
    /// Seconds; records are shown as soon as they are stored.
    #[param(minimum = 0, maximum = 5, default = 0)]
    delay_for: Option<u32>,
}
