//! Conditions of rules: what about the records is wrong.

use serde::{Deserialize, Serialize};

use super::names::{Problem, check_line, check_range};
use crate::query::pipeline::Stats;
use crate::query::{self, Expression, Stage};

const DAY: u32 = 86_400;
const NUMBER_MAX: f64 = 1e15;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    ErrorRate(ErrorRate),
    Latency(Latency),
    Anomaly(AnomalyCount),
    Query(QueryValue),
    Ratio(Ratio),
    NoData(NoData),
    NewPattern(NewPattern),
}

/// Errors a minute far above the group's own normal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ErrorRate {
    /// Times the normal.
    pub factor: f64,
    /// Errors a minute below which nothing is a spike.
    pub errors_per_min_floor: f64,
    /// The normal is learned from so many minutes before the window,
    pub history_mins: u32,
    /// and not known before there are so many.
    pub history_mins_min: u32,
}

/// A statistic of latencies above a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// `avg`, `p50`, `p95`, `p99` or any other quantile.
    pub statistic: String,
    #[serde(default = "latency_field")]
    pub field: String,
    pub threshold_ms: f64,
    /// Fewer records say nothing.
    #[serde(default = "twenty")]
    pub records_min: u64,
}

fn latency_field() -> String {
    "latency_ms".to_owned()
}

fn twenty() -> u64 {
    20
}

/// More episodes of anomalies than are tolerated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AnomalyCount {
    /// Quieter episodes are passed over; 1 is the detector's own threshold.
    pub score_min: f64,
    /// So many at a time are tolerated.
    pub episodes_max: u32,
}

/// One figure of the records, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct QueryValue {
    /// An aggregate of the query language: `count()`, `avg(bytes)`, `count() if (level:error)`.
    #[serde(default = "count")]
    pub value: String,
    #[serde(rename = "is")]
    pub relation: Relation,
    pub threshold: f64,
}

fn count() -> String {
    "count()".to_owned()
}

/// The share that meets one filter of those that meet another, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    pub of: String,
    /// Empty means all.
    #[serde(default)]
    pub to: String,
    #[serde(rename = "is")]
    pub relation: Relation,
    pub threshold: f64,
    /// Fewer records that meet `to` say nothing.
    #[serde(default = "twenty")]
    pub records_min: u64,
}

/// A group that wrote before writes nothing in the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NoData {
    /// Groups count as known if they wrote in so many seconds before the window.
    pub lookback_secs: u32,
}

/// A kind of message that did not come before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NewPattern {
    /// It did not come for so many seconds before the window.
    pub lookback_secs: u32,
    /// Fewer records are passed over.
    pub records_min: u64,
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Relation {
    #[serde(rename = ">")]
    Above,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = "<=")]
    AtMost,
}

impl Relation {
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Relation::Above => value > threshold,
            Relation::AtLeast => value >= threshold,
            Relation::Below => value < threshold,
            Relation::AtMost => value <= threshold,
        }
    }

    pub fn sign(self) -> &'static str {
        match self {
            Relation::Above => ">",
            Relation::AtLeast => ">=",
            Relation::Below => "<",
            Relation::AtMost => "<=",
        }
    }
}

impl Default for ErrorRate {
    /// Three times the normal, and no fewer than five errors a minute: one error where there are none is no spike.
    fn default() -> Self {
        ErrorRate { factor: 3.0, errors_per_min_floor: 5.0, history_mins: 180, history_mins_min: 10 }
    }
}

impl Default for AnomalyCount {
    fn default() -> Self {
        AnomalyCount { score_min: 1.0, episodes_max: 0 }
    }
}

impl Default for NoData {
    fn default() -> Self {
        NoData { lookback_secs: 86_400 }
    }
}

impl Default for NewPattern {
    fn default() -> Self {
        NewPattern { lookback_secs: 86_400, records_min: 1 }
    }
}

impl Condition {
    pub(super) fn check(&self) -> Result<(), Problem> {
        let number = |field: &str, value: f64| check_range(field, value, (-NUMBER_MAX, NUMBER_MAX));
        match self {
            Condition::ErrorRate(of) => {
                check_range("factor", of.factor, (1.0, 1e6))?;
                check_range("errors_per_min_floor", of.errors_per_min_floor, (0.0, NUMBER_MAX))?;
                check_range("history_mins", of.history_mins, (5, 1_440))?;
                check_range("history_mins_min", of.history_mins_min, (1, of.history_mins))
            }
            Condition::Latency(of) => {
                check_range("threshold_ms", of.threshold_ms, (0.0, NUMBER_MAX))?;
                check_line("field", &of.field, 256)?;
                let is_of_order = of.statistic == "avg" || of.statistic.starts_with('p');
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
                if !is_of_order || !of.statistic.bytes().all(is_plain) {
                    return Err(Problem::new(
                        "statistic",
                        "must be avg or a quantile such as p50, p95 or p99.9",
                    ));
                }
                of.aggregate().map(drop)
            }
            Condition::Anomaly(of) => {
                check_range("score_min", of.score_min, (0.0, 1e6))?;
                check_range("episodes_max", of.episodes_max, (0, 1_000))
            }
            Condition::Query(of) => {
                number("threshold", of.threshold)?;
                of.aggregate().map(drop)
            }
            Condition::Ratio(of) => {
                number("threshold", of.threshold)?;
                check_filter("of", &of.of)?;
                check_filter("to", &of.to).map(drop)
            }
            Condition::NoData(of) => check_range("lookback_secs", of.lookback_secs, (60, 30 * DAY)),
            Condition::NewPattern(of) => {
                check_range("lookback_secs", of.lookback_secs, (60, 30 * DAY))?;
                check_range("records_min", of.records_min, (1, 1_000_000_000))
            }
        }
    }
}

impl Latency {
    /// As a stage that gives one column.
    pub fn aggregate(&self) -> Result<Stats, Problem> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
        if self.field.is_empty() || !self.field.bytes().all(plain) {
            return Err(Problem::new("field", "must be the name of a field that holds numbers"));
        }
        one_aggregate("statistic", &format!("{}({})", self.statistic, self.field))
    }
}

impl QueryValue {
    /// As a stage that gives one column.
    pub fn aggregate(&self) -> Result<Stats, Problem> {
        one_aggregate("value", &self.value)
    }
}

/// A filter in the query language.
pub(super) fn check_filter(field: &str, text: &str) -> Result<Expression, Problem> {
    query::parse_filter(text).map_err(|error| {
        Problem::new(field, format!("the query cannot be read:\n{}", error.with_caret(text)))
    })
}

fn one_aggregate(field: &str, text: &str) -> Result<Stats, Problem> {
    let whole = format!("* | stats {text}");
    let unreadable = |reason: &dyn std::fmt::Display| {
        Problem::new(field, format!("{text:?} is no aggregate such as count() or p95(latency_ms): {reason}"))
    };
    let query = query::parse(&whole).map_err(|error| unreadable(&error))?;
    match query.stages.as_slice() {
        [Stage::Stats(stats)] if stats.aggregates.len() == 1 && stats.groups.is_empty() => Ok(stats.clone()),
        _ => Err(unreadable(&"give one aggregate, without by and without other stages")),
    }
}
