//! Injected incidents: a folder with `logs.ndjson.gz` and `incidents.csv`, and what the service detectors make of it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use insighthub_detect::scorer::RowScores;
use insighthub_detect::service::TickScores;
use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use crate::events::{Event, Tally};
use crate::logs::{LogsError, Parse, Runner, Sink, Slice};
use crate::series_csv::lines;

/// An alert this long after an incident's end still speaks of it.
const GRACE_SECS: i64 = 600;
/// Days that are for learning only.
const WARM_UP_SECS: i64 = 2 * 86_400;
/// Kinds whose delay is measured: sudden ones.
const SUDDEN: [&str; 3] = ["latency_spike", "error_spike", "traffic_drop"];
/// Windows are closed this long after their end.
const LATENESS_SECS: i64 = 30;
/// A record is odd if it is this many times as slow as the median of its service, outside of incidents.
const ODD_TIMES_MEDIAN: f64 = 7.0;
/// Share of records that may be flagged.
const FLAG_SHARE: f64 = 0.001;

/// A line of `incidents.csv`; times are seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    pub service: String,
    pub kind: String,
    pub event: Event,
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub all: Tally,
    pub by_kind: BTreeMap<String, Tally>,
    pub service_days: f64,
    /// Delays of sudden kinds, seconds.
    pub sudden: Tally,
    /// Records after the warm-up, those flagged, and the slow ones outside of incidents, and those flagged.
    pub records: usize,
    pub flagged: usize,
    pub odd: usize,
    pub odd_flagged: usize,
    /// Odd records among the highest scores, as many as the budget allows.
    pub odd_in_budget: usize,
    /// False alerts: service, seconds, summary.
    pub false_alerts: Vec<(String, i64, String)>,
    /// Incidents that were missed.
    pub missed: Vec<Incident>,
}

#[derive(Debug, Default)]
struct Kept {
    alerts: BTreeMap<String, Vec<(i64, String)>>,
    records: BTreeMap<String, Vec<Scored>>,
}

#[derive(Debug, Clone, Copy)]
struct Scored {
    secs: i64,
    latency_ms: f64,
    score: f32,
    is_flagged: bool,
}

impl Sink for Kept {
    fn records(&mut self, slice: &Slice<'_>, scores: &RowScores) -> io::Result<()> {
        let kept = self.records.entry(slice.service.to_owned()).or_default();
        for (row, score) in slice.rows.iter().zip(&scores.scores) {
            let at = *row as usize;
            kept.push(Scored {
                secs: slice.batch.timestamp.get(at).copied().unwrap_or(0).div_euclid(NANOS_PER_SEC),
                latency_ms: slice.batch.latency_ms.get(at).copied().unwrap_or(f64::NAN),
                score: score.unwrap_or(0.0),
                is_flagged: scores.anomalies.binary_search_by_key(row, |(row, _)| *row).is_ok(),
            });
        }
        Ok(())
    }

    fn tick(&mut self, service: &str, scores: &TickScores) -> io::Result<()> {
        if !scores.alerts.is_empty() {
            let alerts = self.alerts.entry(service.to_owned()).or_default();
            let with_time = scores.alerts.iter().map(|alert| {
                (alert.at_nanos.div_euclid(NANOS_PER_SEC) + LATENESS_SECS, alert.explanation.summary())
            });
            alerts.extend(with_time);
        }
        Ok(())
    }
}

/// Reads `incidents.csv` or `noise.csv`.
pub fn read(path: &Path) -> Result<Vec<Incident>, LogsError> {
    let text = std::fs::read_to_string(path)?;
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|found| *found == name);
    let (Some(service), Some(kind), Some(start), Some(end)) =
        (column("service"), column("kind"), column("start"), column("end"))
    else {
        return Err(LogsError::Record { line: 1, error: "no service, kind, start and end".to_owned() });
    };
    let secs = |text: Option<&&str>| {
        let moment = Timestamp::parse(text.copied().unwrap_or("")).ok();
        moment.map(|moment| moment.0.div_euclid(NANOS_PER_SEC))
    };
    let mut incidents = Vec::new();
    for (line, row) in (2..).zip(rows) {
        let (Some(start), Some(end)) = (secs(row.get(start)), secs(row.get(end))) else {
            return Err(LogsError::Record { line, error: "start or end is no timestamp".to_owned() });
        };
        let text = |at: usize| row.get(at).copied().unwrap_or("").to_owned();
        incidents.push(Incident { service: text(service), kind: text(kind), event: Event { start, end } });
    }
    Ok(incidents)
}

/// Runs the detectors over a folder's records and compares.
pub fn evaluate(folder: &Path, parse: Parse<'_>) -> Result<Outcome, LogsError> {
    let incidents = read(&folder.join("incidents.csv"))?;
    let mut kept = Kept::default();
    let file =
        lines(&folder.join("logs.ndjson.gz")).map_err(|error| LogsError::Io(io::Error::other(error)))?;
    let mut runner = Runner::new(parse, &[]).map_err(|error| LogsError::Io(io::Error::other(error)))?;
    runner.run(file, &mut kept, |_| {})?;
    Ok(compared(&incidents, &kept))
}

fn compared(incidents: &[Incident], kept: &Kept) -> Outcome {
    let mut outcome = Outcome::default();
    let mut ranked: Vec<(f32, bool)> = Vec::new();
    for (service, records) in &kept.records {
        let (first, last) =
            (records.first().map_or(0, |record| record.secs), records.last().map_or(0, |record| record.secs));
        let from = first + WARM_UP_SECS;
        outcome.service_days += (last - from).max(0) as f64 / 86_400.0;
        let alerts: Vec<&(i64, String)> =
            kept.alerts.get(service).into_iter().flatten().filter(|(at, _)| *at >= from).collect();
        let times: Vec<i64> = alerts.iter().map(|(at, _)| *at).collect();
        let mine: Vec<&Incident> = incidents.iter().filter(|incident| incident.service == *service).collect();
        let events: Vec<Event> = mine.iter().map(|incident| incident.event).collect();
        outcome.all.add(&events, &times, GRACE_SECS);
        for incident in mine {
            // False alarms belong to no kind.
            let event = incident.event;
            let near: Vec<i64> = times
                .iter()
                .copied()
                .filter(|at| (event.start..=event.end + GRACE_SECS).contains(at))
                .collect();
            outcome.by_kind.entry(incident.kind.clone()).or_default().add(&[event], &near, GRACE_SECS);
            if SUDDEN.contains(&incident.kind.as_str()) {
                outcome.sudden.add(&[event], &near, GRACE_SECS);
            }
            if near.is_empty() {
                outcome.missed.push(incident.clone());
            }
        }
        let is_false =
            |at: i64| !events.iter().any(|event| (event.start..=event.end + GRACE_SECS).contains(&at));
        let wrong = alerts.iter().filter(|(at, _)| is_false(*at));
        outcome.false_alerts.extend(wrong.map(|(at, summary)| (service.clone(), *at, summary.clone())));
        count_records(records, from, &events, &mut outcome, &mut ranked);
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let budget = (outcome.records as f64 * FLAG_SHARE) as usize;
    outcome.odd_in_budget = ranked.iter().take(budget).filter(|(_, is_odd)| *is_odd).count();
    outcome
}

fn count_records(
    records: &[Scored],
    from: i64,
    events: &[Event],
    outcome: &mut Outcome,
    ranked: &mut Vec<(f32, bool)>,
) {
    let mut latencies: Vec<f64> = records.iter().map(|record| record.latency_ms).collect();
    latencies.sort_by(f64::total_cmp);
    let median = latencies.get(latencies.len() / 2).copied().unwrap_or(0.0);
    for record in records.iter().filter(|record| record.secs >= from) {
        let in_incident = events.iter().any(|event| (event.start..=event.end).contains(&record.secs));
        let is_odd = !in_incident && record.latency_ms >= ODD_TIMES_MEDIAN * median;
        outcome.records += 1;
        outcome.flagged += usize::from(record.is_flagged);
        outcome.odd += usize::from(is_odd);
        outcome.odd_flagged += usize::from(is_odd && record.is_flagged);
        ranked.push((record.score, is_odd));
    }
}
