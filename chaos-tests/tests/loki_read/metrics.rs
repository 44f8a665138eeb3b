//! Metric queries against a plain computation over what was sent, at every step.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use serde_json::Value;

use super::ask;
use super::metric_cases::{CASES, Case, EXACT, Labels};
use super::sent::{SECOND, Sent, end, start};

/// By labels, then by the moment in nanoseconds.
type Matrix = BTreeMap<Labels, BTreeMap<i64, f64>>;

pub(crate) async fn check(api: &Api, sent: &[Sent]) -> Result<()> {
    // Neither begins where records lie, nor do all windows hold some.
    let (first, step_secs, steps) = (start() - 30 * SECOND, 60, 53);
    let last = first + (steps - 1) * step_secs * SECOND;
    let mut faults = Vec::new();
    for case in CASES {
        let found = matrix(api, case.query, first, last, step_secs).await?;
        let expected = plain(case, sent, first, step_secs, steps);
        faults.extend(compare(case.query, &found, &expected, case.tolerance).err());
        let is_of_nothing = case.query.contains("\"card\"");
        ensure!(is_of_nothing == expected.is_empty(), "{} means next to nothing", case.query);
    }
    ensure!(faults.is_empty(), "{faults:#?}");
    // Steps that are shorter than, longer than, and no part of the range.
    for step_secs in [20, 45, 300] {
        let case = &CASES[0];
        let steps = 3_000 / step_secs;
        let found =
            matrix(api, case.query, first + 7, first + 7 + (steps - 1) * step_secs * SECOND, step_secs)
                .await?;
        compare(case.query, &found, &plain(case, sent, first + 7, step_secs, steps), EXACT)?;
    }
    instants(api, sent).await?;
    combined(api, sent).await
}

fn plain(case: &Case, sent: &[Sent], first: i64, step_secs: i64, steps: i64) -> Matrix {
    let mut found = Matrix::new();
    for at in (0..steps).map(|step| first + step * step_secs * SECOND) {
        let last = at - case.offset_secs * SECOND;
        let window = last - case.range_secs * SECOND;
        let mut values: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
        for sent in sent.iter().filter(|sent| window < sent.at && sent.at <= last) {
            if let (Some(labels), Some(value)) = ((case.labels)(sent), (case.value)(sent)) {
                values.entry(labels).or_default().push(value);
            }
        }
        for (labels, values) in values {
            found.entry(labels).or_default().insert(at, (case.combine)(&values, case.range_secs as f64));
        }
    }
    found
}

async fn matrix(api: &Api, query: &str, from: i64, to: i64, step_secs: i64) -> Result<Matrix> {
    let (from, to, step) = (from.to_string(), to.to_string(), format!("{}ms", step_secs * 1_000));
    let parameters =
        [("query", query), ("start", &from), ("end", &to), ("step", &step), ("direction", "backward")];
    let answer = ask(api, "query_range", &parameters).await?;
    ensure!(answer["status"] == "success" && answer["data"]["resultType"] == "matrix", "{query}: {answer}");
    ensure!(
        answer["data"]["stats"]["summary"]["execTime"].is_number(),
        "{query}: {}",
        answer["data"]["stats"]
    );
    let mut found = Matrix::new();
    for series in answer["data"]["result"].as_array().context("no result")? {
        let labels: Labels = serde_json::from_value(series["metric"].clone())?;
        let points = series["values"].as_array().context("no values")?;
        let points = points.iter().map(point).collect::<Result<BTreeMap<i64, f64>>>()?;
        ensure!(!points.is_empty() && found.insert(labels, points).is_none(), "{query}: {series}");
    }
    Ok(found)
}

/// Seconds as a number, the value as a text. Moments of these tests are whole milliseconds, but for a few nanoseconds.
fn point(point: &Value) -> Result<(i64, f64)> {
    let secs = point[0].as_f64().context("no moment")?;
    let value = point[1].as_str().context("the value is no text")?.parse()?;
    Ok(((secs * 1e3).round() as i64 * 1_000_000, value))
}

fn compare(query: &str, found: &Matrix, expected: &Matrix, tolerance: f64) -> Result<()> {
    let names = |matrix: &Matrix| matrix.keys().cloned().collect::<Vec<_>>();
    ensure!(
        names(found) == names(expected),
        "{query}: series {:?} instead of {:?}",
        names(found),
        names(expected)
    );
    for (labels, expected) in expected {
        let of_series = found.get(labels).context("no such series")?;
        let moments: Vec<i64> = expected.keys().map(|at| at / 1_000_000 * 1_000_000).collect();
        let are = of_series.keys().copied().collect::<Vec<_>>();
        ensure!(are == moments, "{query} {labels:?}: moments {are:?} instead of {moments:?}");
        for (value, (at, wanted)) in of_series.values().zip(expected) {
            let is_near = (value - wanted).abs() <= tolerance * wanted.abs().max(1e-9);
            ensure!(is_near, "{query} {labels:?} at {at}: {value} instead of {wanted}");
        }
    }
    Ok(())
}

/// The same at one moment.
async fn instants(api: &Api, sent: &[Sent]) -> Result<()> {
    let time = end().to_string();
    let query = "sum by (level) (count_over_time({} [1h]))";
    let answer = ask(api, "query", &[("query", query), ("time", &time), ("direction", "backward")]).await?;
    ensure!(answer["data"]["resultType"] == "vector", "{answer}");
    let mut found = BTreeMap::new();
    for sample in answer["data"]["result"].as_array().context("no result")? {
        let (at, value) = point(&sample["value"])?;
        ensure!(at == end(), "{sample}");
        found.insert(sample["metric"]["level"].as_str().context("no level")?.to_owned(), value as usize);
    }
    for level in ["info", "warn", "error", "debug"] {
        let expected = sent.iter().filter(|sent| sent.level == level).count();
        ensure!(found.remove(level) == Some(expected), "{level}: {answer}");
    }
    ensure!(found.is_empty(), "{answer}");
    let absent =
        ask(api, "query", &[("query", "absent_over_time({service_name=\"none\"}[5m])"), ("time", &time)])
            .await?;
    ensure!(
        absent["data"]["result"][0]["metric"] == serde_json::json!({ "service_name": "none" }),
        "{absent}"
    );
    ensure!(absent["data"]["result"][0]["value"][1] == "1", "{absent}");
    let there =
        ask(api, "query", &[("query", "absent_over_time({service_name=\"auth\"}[1h])"), ("time", &time)])
            .await?;
    ensure!(there["data"]["result"] == serde_json::json!([]), "{there}");
    Ok(())
}

/// What is made of series: shares, the largest, joins.
async fn combined(api: &Api, sent: &[Sent]) -> Result<()> {
    let time = end().to_string();
    let of = |is_meant: &dyn Fn(&&Sent) -> bool| sent.iter().filter(is_meant).count() as f64;
    let errors = of(&|sent| sent.level == "error");
    let share = 100.0 * errors / sent.len() as f64;
    let in_eu = of(&|sent| sent.region == "eu");
    let errors_of_regions: Vec<f64> = ["ap", "eu", "sa", "us"]
        .map(|region| {
            of(&|sent| sent.region == region && sent.level == "error") / of(&|sent| sent.region == region)
        })
        .into();
    let infos = of(&|sent| sent.level == "info");
    let others = (sent.len() as f64 - infos) / 3.0;
    for (query, expected) in [
        ("100 * sum(rate({level=\"error\"}[1h])) / sum(rate({}[1h]))".to_owned(), vec![share]),
        (format!("sum(count_over_time({{level=\"error\"}}[1h])) > {}", errors - 1.0), vec![errors]),
        (format!("sum(count_over_time({{level=\"error\"}}[1h])) > {errors}"), vec![]),
        (format!("sum(count_over_time({{level=\"error\"}}[1h])) >= bool {errors}"), vec![1.0]),
        ("sum by (region) (count_over_time({region=\"eu\"}[1h])) * on (region) sum by (region) (count_over_time({}[1h]))".to_owned(), vec![
            in_eu * in_eu,
        ]),
        ("sum by (region) (count_over_time({}[1h])) unless sum by (region) (count_over_time({region!=\"eu\"}[1h]))".to_owned(), vec![in_eu]),
        ("count(sum by (region) (count_over_time({}[1h])))".to_owned(), vec![4.0]),
        ("topk(1, sum by (host) (count_over_time({host=~\"web-[0-2]\"} | number < 1000 or number > 1490 [1h])))".to_owned(), vec![
            (0..3)
                .map(|host| {
                    of(&|sent| sent.number % 6 == host && (sent.number < 1_000 || sent.number > 1_490))
                })
                .fold(0.0, f64::max),
        ]),
        (
            "sum by (level, region) (count_over_time({level=\"error\"}[1h])) / on (region) group_left sum by (region) (count_over_time({}[1h]))"
                .to_owned(),
            errors_of_regions,
        ),
        ("sort(sum by (level) (count_over_time({}[1h])))".to_owned(), vec![others, others, others, infos]),
        ("sort_desc(sum by (level) (count_over_time({}[1h])))".to_owned(), vec![infos, others, others, others]),
        ("approx_topk(1, sum by (level) (count_over_time({}[1h])))".to_owned(), vec![infos]),
        ("vector(7) or sum(count_over_time({service_name=\"none\"}[1h]))".to_owned(), vec![7.0]),
        ("sum(label_replace(sum by (host) (count_over_time({}[1h])), \"x\", \"$1\", \"host\", \"web-(.)\")) by (x) > 1 and on () vector(1)".to_owned(), {
            (0..6).map(|host| of(&|sent| sent.number % 6 == host)).collect()
        }),
    ] {
        let answer = ask(api, "query", &[("query", &query), ("time", &time)]).await?;
        let result = answer["data"]["result"].as_array().context("no result")?;
        let values = result.iter().map(|sample| Ok(point(&sample["value"])?.1)).collect::<Result<Vec<f64>>>()?;
        let are_near = values.len() == expected.len()
            && values.iter().zip(&expected).all(|(value, wanted)| (value - wanted).abs() < 1e-6 * wanted.abs().max(1.0));
        ensure!(are_near, "{query}: {values:?} instead of {expected:?}");
    }
    Ok(())
}
