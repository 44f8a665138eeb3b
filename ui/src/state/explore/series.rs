//! From rows of an answer to what is drawn of groups: lines over time, or a list.

use insighthub_model::Timestamp;
use serde_json::Value;

use super::group::{Group, Measure};
use crate::api::explore::QueryAnswer;
use crate::components::chart::series::{self as chart, Unit};
use crate::state::format;

/// Lines that can be told apart by colour.
pub const LINES_MAX: usize = 8;

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One for each field that is grouped by; null: the records without it.
    pub keys: Vec<Value>,
    pub value: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub keys: Vec<Value>,
    /// One for each moment; `None` where there was no record, or no number.
    pub points: Vec<Option<f64>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    pub starts_ms: Vec<i64>,
    pub step_ms: i64,
    /// The largest first, at most [`LINES_MAX`].
    pub series: Vec<Series>,
    /// Groups that are not among them.
    pub left_out: usize,
    /// The sum of those, where a sum means something.
    pub rest: Vec<Option<f64>>,
}

/// Groups in the order of the answer.
pub fn rows(answer: &QueryAnswer, group: &Group) -> Vec<Row> {
    let fields = group.by.len();
    let behind = fields + usize::from(group.drawn.is_over_time());
    answer
        .rows
        .iter()
        .map(|row| Row {
            keys: row.iter().take(fields).cloned().collect(),
            value: value(row.get(behind..).unwrap_or_default(), group.measure),
        })
        .collect()
}

fn value(cells: &[Value], measure: Measure) -> Option<f64> {
    let number = cells.first()?.as_f64();
    if measure == Measure::ErrorShare {
        let records = cells.get(1)?.as_f64().filter(|records| *records > 0.0)?;
        return number.map(|errors| errors / records);
    }
    number
}

/// The rows of an answer over time as lines; moments without a row are gaps, or 0 where records are counted.
pub fn lines(answer: &QueryAnswer, group: &Group, span_ms: (i64, i64), step_ms: i64) -> Lines {
    let step_ms = step_ms.max(1);
    let first = span_ms.0.div_euclid(step_ms) * step_ms;
    let count = usize::try_from((span_ms.1 - first) / step_ms + 1).unwrap_or(0).min(2_000);
    let starts_ms: Vec<i64> = (0..count as i64).map(|place| first + place * step_ms).collect();
    let nothing = group.measure.adds_up().then_some(0.0);
    let mut series: Vec<Series> = Vec::new();
    for (row, cells) in rows(answer, group).into_iter().zip(&answer.rows) {
        let at = cells.get(group.by.len()).and_then(Value::as_str).and_then(|at| Timestamp::parse(at).ok());
        let Some(place) = at.and_then(|at| usize::try_from((at.millis() - first) / step_ms).ok()) else {
            continue;
        };
        // Rows are ordered by group, so a group is the last one or a new one.
        if series.last().is_none_or(|last| last.keys != row.keys) {
            series.push(Series { keys: row.keys, points: vec![nothing; count] });
        }
        if let Some(point) = series.last_mut().and_then(|series| series.points.get_mut(place)) {
            *point = row.value;
        }
    }
    let size = |series: &Series| series.points.iter().flatten().sum::<f64>();
    series.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let left_out = series.len().saturating_sub(LINES_MAX);
    let rest =
        if group.measure.adds_up() { sum(series.get(LINES_MAX..).unwrap_or_default()) } else { Vec::new() };
    series.truncate(LINES_MAX);
    Lines { starts_ms, step_ms, series, left_out, rest }
}

fn sum(series: &[Series]) -> Vec<Option<f64>> {
    let steps = series.first().map_or(0, |series| series.points.len());
    let at =
        |step: usize| series.iter().filter_map(|series| series.points.get(step).copied().flatten()).sum();
    (0..steps).map(|step| Some(at(step))).collect()
}

impl Lines {
    /// For the chart of lines, or of bars. A stack stands for all records, so what is too small for a colour of its own is in it
    /// as one.
    pub fn chart(&self, group: &Group) -> chart::Lines {
        let unit = match group.measure {
            Measure::ErrorShare => Unit::Share,
            Measure::Average | Measure::P50 | Measure::P95 | Measure::P99 if group.field.ends_with("_ms") => {
                Unit::Milliseconds
            }
            _ => Unit::Count,
        };
        let line = |(tone, series): (usize, &Series)| chart::Series {
            name: label(&series.keys),
            values: series.points.clone(),
            tone,
            is_faint: false,
        };
        let is_stacked = group.is_stacked();
        let rest = (is_stacked && self.left_out > 0).then(|| chart::Series {
            name: format::plural(self.left_out as u64, "smaller group"),
            values: self.rest.clone(),
            is_faint: true,
            ..chart::Series::default()
        });
        chart::Lines {
            start_ms: self.starts_ms.first().copied().unwrap_or_default(),
            step_ms: self.step_ms,
            steps: self.starts_ms.len(),
            unit,
            series: self.series.iter().enumerate().map(line).chain(rest).collect(),
            is_stacked,
            ..chart::Lines::default()
        }
    }
}

/// Names of a group, as a reader takes them.
pub fn label(keys: &[Value]) -> String {
    if keys.is_empty() {
        return "all records".to_owned();
    }
    let names: Vec<String> =
        keys.iter().map(|key| if key.is_null() { "(none)".to_owned() } else { text(key) }).collect();
    names.join(" · ")
}

/// A value as text, without the quotes of JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A measured number with its unit, as far as the field's name tells it.
pub fn shown(value: Option<f64>, measure: Measure, field: &str) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match measure {
        Measure::ErrorShare => format::percent(value),
        Measure::Count | Measure::Distinct => format::count(value.max(0.0) as u64),
        _ if field.ends_with("_ms") => format::duration_ms(value),
        _ if value.fract() == 0.0 && (0.0..9e15).contains(&value) => format::count(value as u64),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::explore::group::Drawn;

    fn answer(rows: &str) -> QueryAnswer {
        serde_json::from_str(&format!(r#"{{"columns":["service","time","value"],"rows":{rows}}}"#)).unwrap()
    }

    #[test]
    fn rows_become_lines_and_the_largest_is_first() {
        let answer = answer(
            r#"[["a","1970-01-01T00:01:00.000Z",2],["b","1970-01-01T00:00:00.000Z",5],["b","1970-01-01T00:02:00.000Z",7]]"#,
        );
        let lines = lines(&answer, &Group::default(), (30_000, 150_000), 60_000);
        assert_eq!(lines.starts_ms, [0, 60_000, 120_000]);
        assert_eq!(lines.series.iter().map(|series| label(&series.keys)).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(lines.series.first().unwrap().points, [Some(5.0), Some(0.0), Some(7.0)]);
        let chart = lines.chart(&Group::default());
        assert_eq!((chart.start_ms, chart.steps, chart.series.len()), (0, 3, 2));
    }

    #[test]
    fn more_groups_than_colours_are_counted() {
        let rows: Vec<String> =
            (0..11).map(|group| format!(r#"["g{group:02}","1970-01-01T00:00:00.000Z",{group}]"#)).collect();
        let lines = lines(&answer(&format!("[{}]", rows.join(","))), &Group::default(), (0, 1), 60_000);
        assert_eq!((lines.series.len(), lines.left_out), (LINES_MAX, 3));
        assert_eq!(lines.rest.first(), Some(&Some(3.0)), "0, 1 and 2");
        let chart = lines.chart(&Group { drawn: Drawn::Bars, ..Group::default() });
        let rest = chart.series.last().unwrap();
        assert_eq!((chart.is_stacked, rest.name.as_str(), rest.is_faint), (true, "3 smaller groups", true));
        assert_eq!(chart.top(&[]), 100.0, "all 55 fit under it");
        assert_eq!(lines.chart(&Group::default()).series.len(), LINES_MAX);
    }

    #[test]
    fn a_share_is_divided_and_a_gap_stays_a_gap() {
        let group = Group { measure: Measure::ErrorShare, drawn: Drawn::Top, ..Group::default() };
        let answer = answer(r#"[["a",5,20],["b",0,0],[null,1,1]]"#);
        let values: Vec<Option<f64>> = rows(&answer, &group).iter().map(|row| row.value).collect();
        assert_eq!(values, [Some(0.25), None, Some(1.0)]);
        assert_eq!(shown(values.first().copied().flatten(), group.measure, ""), "25 %");
        assert_eq!(label(&[Value::Null]), "(none)");
    }

    #[test]
    fn numbers_carry_their_unit() {
        assert_eq!(shown(Some(1_320.0), Measure::P95, "latency_ms"), "1.32 s");
        assert_eq!(shown(Some(1_000.0), Measure::Sum, "bytes"), "1,000");
        assert_eq!(shown(None, Measure::Average, "x"), "–");
    }
}
