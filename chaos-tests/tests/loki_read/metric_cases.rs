//! Metric queries, each with what it means as a plain computation over what was sent.

use std::collections::BTreeMap;

use super::sent::Sent;

pub(crate) type Labels = BTreeMap<String, String>;

/// One query and what it means.
pub(crate) struct Case {
    pub(crate) query: &'static str,
    pub(crate) range_secs: i64,
    pub(crate) offset_secs: i64,
    /// The labels of a record's series; `None`: it is not meant.
    pub(crate) labels: fn(&Sent) -> Option<Labels>,
    /// A record's number; `None`: it has none.
    pub(crate) value: fn(&Sent) -> Option<f64>,
    /// Of the numbers of a window, oldest first, and its length in seconds.
    pub(crate) combine: fn(&[f64], f64) -> f64,
    /// Of a number, as a share of it.
    pub(crate) tolerance: f64,
}

pub(crate) const EXACT: f64 = 1e-9;
/// What our quantiles promise where records are counted and not brought together.
const OF_SKETCH: f64 = 0.011;

fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn by_level(sent: &Sent) -> Option<Labels> {
    Some(labels([("level", sent.level)]))
}

fn by_service(sent: &Sent) -> Option<Labels> {
    Some(labels([("service_name", sent.service)]))
}

fn by_region(sent: &Sent) -> Option<Labels> {
    Some(labels([("region", sent.region)]))
}

fn of_stream(sent: &Sent) -> Option<Labels> {
    Some(labels([
        ("service_name", sent.service),
        ("level", sent.level),
        ("detected_level", sent.level),
        ("region", sent.region),
        ("host", &sent.host),
    ]))
}

fn only<T>(is: bool, of: Option<T>) -> Option<T> {
    of.filter(|_| is)
}

fn one(_: &Sent) -> Option<f64> {
    Some(1.0)
}

fn latency(sent: &Sent) -> Option<f64> {
    sent.latency_ms
}

fn count(values: &[f64], _: f64) -> f64 {
    values.len() as f64
}

fn sum(values: &[f64], _: f64) -> f64 {
    values.iter().sum()
}

fn rate(values: &[f64], secs: f64) -> f64 {
    values.len() as f64 / secs
}

fn mean(values: &[f64], _: f64) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64], secs: f64) -> f64 {
    let mean = mean(values, secs);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

fn greatest(values: &[f64], _: f64) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn least(values: &[f64], _: f64) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(values: &[f64], _: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    (low + high) / 2.0
}

/// The value at the rank itself: what a sketch gives within its promise.
fn ninth_tenth(values: &[f64], _: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (0.9 * sorted.len() as f64).ceil() as usize;
    sorted[rank.saturating_sub(1)]
}

const fn case(
    query: &'static str,
    range_secs: i64,
    labels: fn(&Sent) -> Option<Labels>,
    value: fn(&Sent) -> Option<f64>,
    combine: fn(&[f64], f64) -> f64,
) -> Case {
    Case { query, range_secs, offset_secs: 0, labels, value, combine, tolerance: EXACT }
}

/// What Explore asks for its bars of volume.
const OF_VOLUME: &str = "sum by (level) (count_over_time({service_name=~\".+\"} [1m]))";

pub(crate) const CASES: &[Case] = &[
    case(OF_VOLUME, 60, by_level, one, count),
    case(
        "sum by (level) (count_over_time({service_name=~\".+\"} | json | logfmt | drop __error__ [1m]))",
        60,
        by_level,
        one,
        count,
    ),
    case(
        "sum by (level) (count_over_time({service_name=\"checkout\"} |= \"Card\" [5m]))",
        300,
        |sent| only(sent.message.contains("Card"), by_level(sent)),
        one,
        count,
    ),
    case(
        "sum by (level) (count_over_time({service_name=\"checkout\"} |= \"card\" [5m]))",
        300,
        |_| None,
        one,
        count,
    ),
    case(
        "sum by (region) (rate({service_name!=\"auth\", level=~\"error|warn\"} [90s]))",
        90,
        |sent| only(sent.service != "auth" && ["error", "warn"].contains(&sent.level), by_region(sent)),
        one,
        rate,
    ),
    Case {
        offset_secs: 300,
        ..case("sum by (region) (count_over_time({} [1m] offset 5m))", 60, by_region, one, count)
    },
    case(
        "count_over_time({service=\"search\"} | http_status >= 404 [2m])",
        120,
        |sent| only(sent.service == "search" && sent.status >= 404, of_stream(sent)),
        one,
        count,
    ),
    case(
        "sum by (http_status) (count_over_time({} [1m]))",
        60,
        |sent| Some(labels([("http_status", &sent.status.to_string())])),
        one,
        count,
    ),
    case(
        "sum(count_over_time({} | Case=\"Ab\" [1m]))",
        60,
        |sent| only(sent.number.is_multiple_of(2), Some(Labels::new())),
        one,
        count,
    ),
    case(
        "sum by (region) (sum_over_time({service_name=\"checkout\"} | unwrap latency_ms [2m]))",
        120,
        |sent| only(sent.service == "checkout", by_region(sent)),
        latency,
        sum,
    ),
    case(
        "avg_over_time({} | unwrap http_status [2m]) by (service_name)",
        120,
        by_service,
        |sent| Some(sent.status as f64),
        mean,
    ),
    case("min_over_time({} | unwrap latency_ms [3m]) by (region)", 180, by_region, latency, least),
    case("max by (region) (max_over_time({} | unwrap latency_ms [1m]))", 60, by_region, latency, greatest),
    case(
        "first_over_time({} | unwrap ratio [2m]) by (region)",
        120,
        by_region,
        |sent| Some(sent.number as f64 + 0.5),
        |values, _| values[0],
    ),
    case(
        "last_over_time({} | unwrap ratio [2m]) by (region)",
        120,
        by_region,
        |sent| Some(sent.number as f64 + 0.5),
        |values, _| values[values.len() - 1],
    ),
    Case {
        tolerance: OF_SKETCH,
        ..case(
            "quantile_over_time(0.9, {} | unwrap latency_ms [1m]) by (level)",
            60,
            by_level,
            latency,
            ninth_tenth,
        )
    },
    case("quantile_over_time(0.5, {} | unwrap latency_ms [2m]) by (level)", 120, by_level, latency, median),
    case("stddev_over_time({} | unwrap latency_ms [1m]) by (level)", 60, by_level, latency, deviation),
    case(
        "max_over_time({} | unwrap duration(took) [1m]) by (region)",
        60,
        by_region,
        |sent| Some(sent.took_ms as f64 / 1e3),
        greatest,
    ),
    case(
        "sum by (region) (sum_over_time({} | unwrap bytes(size) [1m]))",
        60,
        by_region,
        |sent| Some((sent.number % 3) as f64 * 1e3),
        sum,
    ),
    case(
        "sum by (service_name) (bytes_over_time({} [1m]))",
        60,
        by_service,
        |sent| Some(sent.message.len() as f64),
        sum,
    ),
    case(
        "sum by (service_name) (bytes_rate({} [1m]))",
        60,
        by_service,
        |sent| Some(sent.message.len() as f64),
        |values, secs| values.iter().sum::<f64>() / secs,
    ),
    case(
        "sum by (user) (count_over_time({service_name=\"auth\"} | json | ok=\"false\" [1m]))",
        60,
        |sent| {
            only(
                sent.service == "auth" && sent.number.is_multiple_of(5),
                Some(labels([("user", &sent.user)])),
            )
        },
        one,
        count,
    ),
    case(
        "sum(sum_over_time({service_name=\"search\"} | logfmt | unwrap found [1m]))",
        60,
        |sent| only(sent.service == "search", Some(Labels::new())),
        |sent| Some(sent.number as f64),
        sum,
    ),
    case(
        "sum by (kind) (count_over_time({service_name=\"checkout\"} | pattern `order <_> <kind>` | kind=\"paid\" [1m]))",
        60,
        |sent| {
            only(
                sent.service == "checkout" && sent.message.ends_with("paid"),
                Some(labels([("kind", "paid")])),
            )
        },
        one,
        count,
    ),
];
