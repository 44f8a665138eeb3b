//! One table of all that a folder of development data lets measure, with the floor and the goal of each measure.

use std::path::Path;

use crate::logs::{LogsError, Parse};
use crate::nab::PROFILES;
use crate::{benchmarks, incidents, metrics, sessions};
use insighthub_detect::series::THRESHOLD;

/// One measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub measure: &'static str,
    pub value: String,
    pub floor: &'static str,
    pub goal: &'static str,
}

/// Measures one subfolder.
type Measure<'a> = &'a dyn Fn(&Path) -> Result<Vec<Row>, LogsError>;

/// Measures every subfolder that is there, records read by `parse`: `nab`, `synthetic`, `mscloud`, `loghub`, `asd`, `hdfs`.
pub fn measure(folder: &Path, parse: Parse<'_>) -> Result<Vec<Row>, LogsError> {
    let mut rows = Vec::new();
    let parts: [(&str, Measure<'_>); 6] = [
        ("nab", &numenta),
        ("synthetic", &|folder| synthetic(folder, parse)),
        ("mscloud", &cloud),
        ("loghub", &templates),
        ("asd", &servers),
        ("hdfs", &blocks),
    ];
    for (name, part) in parts {
        let folder = folder.join(name);
        if folder.is_dir() {
            rows.extend(part(&folder)?);
        }
    }
    Ok(rows)
}

/// The table as text.
pub fn text(rows: &[Row]) -> String {
    let mut text = format!("{:<58} {:>14} {:>9} {:>9}\n", "measure", "value", "floor", "goal");
    for row in rows {
        text += &format!("{:<58} {:>14} {:>9} {:>9}\n", row.measure, row.value, row.floor, row.goal);
    }
    text
}

fn row(measure: &'static str, value: String, floor: &'static str, goal: &'static str) -> Row {
    Row { measure, value, floor, goal }
}

fn numenta(folder: &Path) -> Result<Vec<Row>, LogsError> {
    let mut scorer = benchmarks::numenta(folder)?;
    let [standard, few_false, few_missed] = PROFILES;
    let score = |score: f64| format!("{score:.1}");
    Ok(vec![
        row("NAB standard, best threshold", score(scorer.optimised(standard).score), "64", "72"),
        row(
            "NAB standard, threshold fixed beforehand",
            score(scorer.at(standard, THRESHOLD).score),
            "60",
            "66",
        ),
        row("NAB low false positives, best threshold", score(scorer.optimised(few_false).score), "", ""),
        row("NAB low false negatives, best threshold", score(scorer.optimised(few_missed).score), "", ""),
    ])
}

fn synthetic(folder: &Path, parse: Parse<'_>) -> Result<Vec<Row>, LogsError> {
    let outcome = incidents::evaluate(folder, parse)?;
    let share = |part: usize, whole: usize| format!("{:.2}", part as f64 / whole.max(1) as f64);
    let delay = outcome.sudden.median_delay().map_or_else(|| "none".to_owned(), |secs| format!("{secs} s"));
    let false_alarms = outcome.all.alerts_false as f64 / outcome.service_days.max(1e-9);
    let flagged = 100.0 * outcome.flagged as f64 / outcome.records.max(1) as f64;
    Ok(vec![
        row("injected incidents, event F1", format!("{:.2}", outcome.all.f1()), ".85", ".92"),
        row("injected incidents, false alarms per service-day", format!("{false_alarms:.2}"), ".5", ".2"),
        row("median delay of spikes, errors, drops", delay, "240 s", "90 s"),
        row("odd records found by their flag", share(outcome.odd_flagged, outcome.odd), ".5", ".66"),
        row(
            "odd records among the 0.1 % highest scores",
            share(outcome.odd_in_budget, outcome.odd),
            ".5",
            ".66",
        ),
        row("records flagged", format!("{flagged:.3} %"), "", "0.1 %"),
    ])
}

fn cloud(folder: &Path) -> Result<Vec<Row>, LogsError> {
    let (tally, rows) = benchmarks::labelled_series(folder)?;
    let false_alarms = 1_000.0 * tally.alerts_false as f64 / rows.max(1) as f64;
    Ok(vec![
        row("Microsoft cloud series, event F1", format!("{:.2}", tally.f1()), ".38", ".42"),
        row("Microsoft cloud series, false alarms per 1,000 rows", format!("{false_alarms:.2}"), "1", ".35"),
    ])
}

fn templates(folder: &Path) -> Result<Vec<Row>, LogsError> {
    let accuracies = benchmarks::groupings(folder)?;
    let mean =
        accuracies.iter().map(|(_, accuracy)| accuracy.share()).sum::<f64>() / accuracies.len().max(1) as f64;
    Ok(vec![row("template grouping accuracy, mean of files", format!("{mean:.3}"), ".79", ".84")])
}

fn servers(folder: &Path) -> Result<Vec<Row>, LogsError> {
    let (mut events, mut named) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(server) = name.strip_suffix("_metrics.txt") {
            let outcome = metrics::evaluate(folder, server)?;
            events += outcome.events;
            named += outcome.named;
        }
    }
    let share = named as f64 / f64::from(events.max(1) as u32);
    Ok(vec![row("root metric named first", format!("{share:.3}"), ".85", ".92")])
}

fn blocks(folder: &Path) -> Result<Vec<Row>, LogsError> {
    let outcome = sessions::evaluate(&folder.join("sessions.ndjson.gz"))?;
    Ok(vec![row("HDFS sessions F1, learned from normal ones", format!("{:.2}", outcome.f1()), ".60", ".69")])
}
