//! From tables of groups and times to the lines of charts. What has no row is nothing where records are counted, and unknown
//! where they are measured.

use std::collections::BTreeMap;

use insighthub_model::detection::ServiceWindow;

use super::grid::Grid;
use crate::api::aggregates::{Aggregates, Row};
use crate::components::chart::series::{Band, Series, TONES};

/// One value for each step of a grid.
pub type Values = Vec<Option<f64>>;

/// A column of a table by service and time. `missing` is the value of a step without a row, up to where something is known.
pub fn by_service(
    table: &Aggregates,
    grid: Grid,
    missing: Option<f64>,
    value: impl Fn(Row<'_>, usize) -> Option<f64>,
) -> BTreeMap<String, Values> {
    let mut found: BTreeMap<String, Values> = BTreeMap::new();
    for row in table.rows() {
        let Some(step) = row.time_ms("time").and_then(|at_ms| grid.step_of(at_ms)) else { continue };
        let service = row.text("service").unwrap_or_default();
        let values = match found.get_mut(service) {
            Some(values) => values,
            None => found.entry(service.to_owned()).or_insert_with(|| vec![missing; grid.steps]),
        };
        if let Some(place) = values.get_mut(step) {
            *place = value(row, step);
        }
    }
    found
}

/// A count as so many a minute.
pub fn per_minute(grid: Grid, column: &'static str) -> impl Fn(Row<'_>, usize) -> Option<f64> {
    move |row, step| Some(row.count(column) as f64 / grid.known_minutes(step))
}

/// One count as a share of another; unknown of nothing.
pub fn share(part: &'static str, whole: &'static str) -> impl Fn(Row<'_>, usize) -> Option<f64> {
    move |row, _| {
        let whole = row.count(whole);
        (whole > 0).then(|| row.count(part) as f64 / whole as f64)
    }
}

pub fn measured(column: &'static str) -> impl Fn(Row<'_>, usize) -> Option<f64> {
    move |row, _| row.number(column)
}

/// A column of a table by time alone.
pub fn of_column(
    table: &Aggregates,
    grid: Grid,
    missing: Option<f64>,
    value: impl Fn(Row<'_>, usize) -> Option<f64>,
) -> Values {
    let mut values = vec![missing; grid.steps];
    for row in table.rows() {
        let step = row.time_ms("time").and_then(|at_ms| grid.step_of(at_ms));
        if let Some((step, place)) = step.and_then(|step| Some((step, values.get_mut(step)?))) {
            *place = value(row, step);
        }
    }
    values
}

/// The services with the most in all, at most so many, each in the colour that its place in `names` gives it in every chart.
pub fn largest(found: BTreeMap<String, Values>, names: &[String], most: usize) -> Vec<Series> {
    let total = |values: &Values| values.iter().flatten().sum::<f64>();
    let mut series: Vec<(f64, Series)> = found
        .into_iter()
        .map(|(name, values)| {
            (total(&values), Series { tone: tone(names, &name), name, values, is_faint: false })
        })
        .collect();
    series.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    series.truncate(most);
    series.into_iter().map(|(_, series)| series).collect()
}

/// The colour of a service: its place among all names, in order. While they are not known, one made of its own letters.
pub fn tone(names: &[String], name: &str) -> usize {
    let of_letters = || name.bytes().map(usize::from).sum();
    names.iter().position(|known| known == name).unwrap_or_else(of_letters) % TONES
}

/// The loudest score of each step; unknown where no minute was judged.
pub fn scores(windows: &[ServiceWindow], grid: Grid) -> Values {
    folded(windows, grid, |window| (!window.is_warming_up).then_some(window.score), f64::max)
}

/// The mean latency that was due, over the minutes of each step.
pub fn latency_due(windows: &[ServiceWindow], grid: Grid) -> Values {
    folded(windows, grid, |window| (window.latency_due_ms > 0.0).then_some(window.latency_due_ms), f64::max)
}

/// Records a minute that were usual.
pub fn usual_rate(windows: &[ServiceWindow], grid: Grid) -> Band {
    let is_known = |window: &&ServiceWindow| window.rate_band.1 > 0.0;
    let known: Vec<ServiceWindow> = windows.iter().filter(is_known).cloned().collect();
    let least = folded(&known, grid, |window| Some(window.rate_band.0), f64::min);
    let most = folded(&known, grid, |window| Some(window.rate_band.1), f64::max);
    let values = least.into_iter().zip(most).map(|(least, most)| least.zip(most)).collect();
    Band { name: "usual".to_owned(), values }
}

fn folded(
    windows: &[ServiceWindow],
    grid: Grid,
    value: impl Fn(&ServiceWindow) -> Option<f64>,
    fold: impl Fn(f64, f64) -> f64,
) -> Values {
    let mut values: Values = vec![None; grid.steps];
    for window in windows {
        // A window that ends with the minute is of the minute before its end.
        let step = grid.step_of(window.end.millis() - 1);
        let (Some(place), Some(value)) = (step.and_then(|step| values.get_mut(step)), value(window)) else {
            continue;
        };
        *place = Some(place.map_or(value, |known| fold(known, value)));
    }
    values
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a wrong sample must fail loudly")]
mod tests {
    use insighthub_model::Timestamp;
    use serde_json::json;

    use super::*;

    const GRID: Grid = Grid { start_ms: 0, step_ms: 120_000, steps: 3, known_ms: 300_000 };

    fn table() -> Aggregates {
        serde_json::from_value(json!({
            "columns": ["service", "time", "n", "errors", "p95"],
            "rows": [
                ["auth", "1970-01-01T00:00:00.000Z", 40, 4, 12.5],
                ["auth", "1970-01-01T00:04:00.000Z", 10, 0, null],
                ["search", "1970-01-01T00:02:00.000Z", 8, 8, 9],
                ["search", "1970-01-01T01:00:00.000Z", 8, 8, 9]
            ]
        }))
        .unwrap()
    }

    #[test]
    fn counts_without_a_row_are_nothing_and_latencies_unknown() {
        let rates = by_service(&table(), GRID, Some(0.0), per_minute(GRID, "n"));
        // Of the last step one minute of two is known.
        assert_eq!(rates["auth"], [Some(20.0), Some(0.0), Some(10.0)]);
        assert_eq!(rates["search"], [Some(0.0), Some(4.0), Some(0.0)]);
        let slow = by_service(&table(), GRID, None, measured("p95"));
        assert_eq!(slow["auth"], [Some(12.5), None, None]);
    }

    #[test]
    fn a_share_of_nothing_is_unknown() {
        let shares = by_service(&table(), GRID, None, share("errors", "n"));
        assert_eq!(shares["auth"], [Some(0.1), None, Some(0.0)]);
    }

    #[test]
    fn the_largest_come_first_in_colours_of_their_own() {
        let names = ["auth".to_owned(), "search".to_owned()];
        let found = by_service(&table(), GRID, Some(0.0), per_minute(GRID, "errors"));
        let series = largest(found.clone(), &names, 5);
        let seen: Vec<(&str, usize)> =
            series.iter().map(|series| (series.name.as_str(), series.tone)).collect();
        assert_eq!(seen, [("search", 1), ("auth", 0)]);
        assert_eq!(largest(found, &names, 1).len(), 1);
    }

    fn window(end_ms: i64, score: f64, rate_band: (f64, f64)) -> ServiceWindow {
        ServiceWindow {
            end: Timestamp::from_millis(end_ms),
            score,
            is_warming_up: false,
            records: 5,
            latency_ms: None,
            rate_band,
            latency_due_ms: 40.0,
            channels: Vec::new(),
        }
    }

    #[test]
    fn a_step_shows_its_loudest_minute_and_gaps_stay() {
        let warming = ServiceWindow { is_warming_up: true, ..window(300_000, 0.0, (0.0, 0.0)) };
        let windows = [window(60_000, 0.4, (8.0, 20.0)), window(120_000, 2.5, (9.0, 22.0)), warming];
        assert_eq!(scores(&windows, GRID), [Some(2.5), None, None]);
        assert_eq!(latency_due(&windows, GRID), [Some(40.0), None, Some(40.0)]);
        assert_eq!(usual_rate(&windows, GRID).values, [Some((8.0, 22.0)), None, None]);
    }

    #[test]
    fn a_column_by_time_alone_is_read_likewise() {
        let mut table = table();
        table.rows.truncate(2);
        assert_eq!(of_column(&table, GRID, None, measured("p95")), [Some(12.5), None, None]);
    }
}
