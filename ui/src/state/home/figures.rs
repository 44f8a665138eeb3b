//! The services with their figures, those in trouble first.

use std::collections::{BTreeMap, BTreeSet};

use super::judgement::{Judgement, Signs, Usual, judge};
use crate::api::aggregates::{Aggregates, Row};
use crate::api::anomalies::{Anomaly, Incident};
use crate::api::logs::Service as Sender;
use crate::state::analytics::grid::{Grid, OfGrid};
use crate::state::analytics::series::{Values, by_service, measured, per_minute};

/// A condition is that of so many last minutes: one alone has few records, and what was ten minutes ago is not now.
const RECENT_MINUTES: usize = 5;

/// Figures of all services, asked at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Each service over the range.
    pub totals: OfGrid<Aggregates>,
    /// Each service over the range, step by step.
    pub course: OfGrid<Aggregates>,
    /// Each service, minute by minute of the last hour.
    pub recent: OfGrid<Aggregates>,
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    pub name: String,
    pub records: u64,
    pub records_per_sec: f64,
    pub errors: u64,
    /// `None` without records.
    pub error_share: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub anomalies: u64,
    /// Records a minute of the last hour.
    pub traffic: Values,
    pub judgement: Judgement,
    /// Began to log in a minute that is not over: nothing of it is counted yet.
    pub is_fresh: bool,
}

/// All of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    pub records_per_sec: f64,
    pub errors_per_sec: f64,
    pub error_share: f64,
    pub anomalies: u64,
}

/// Everything that is known of services beside their figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// Each service over the day before, for what is usual.
    pub usual: Option<&'a OfGrid<Aggregates>>,
    pub episodes: &'a [Anomaly],
    pub incidents: &'a [Incident],
    /// Whoever has sent something, when last.
    pub senders: &'a [Sender],
}

/// The services, the worst first; those that send nothing now but did the day before belong to them.
pub fn services(figures: &Figures, around: Around<'_>) -> Vec<Service> {
    let usual = around.usual.map(usual_of).unwrap_or_default();
    let recent = Recent::of(&figures.recent);
    let totals = &figures.totals;
    let mut found: BTreeMap<String, Service> = BTreeMap::new();
    for row in totals.value.rows() {
        let name = row.text("service").unwrap_or_default().to_owned();
        let (records, errors) = (row.count("n"), row.count("errors"));
        let service = Service {
            records,
            records_per_sec: records as f64 / totals.grid.known_secs(),
            errors,
            error_share: (records > 0).then(|| errors as f64 / records as f64),
            p50_ms: row.number("p50"),
            p95_ms: row.number("p95"),
            p99_ms: row.number("p99"),
            anomalies: row.count("anomalies"),
            name: name.clone(),
            ..Service::default()
        };
        found.insert(name, service);
    }
    let names: BTreeSet<&String> = usual.keys().chain(recent.records.keys()).collect();
    for name in names {
        found.entry(name.clone()).or_insert_with(|| Service { name: name.clone(), ..Service::default() });
    }
    for sender in
        around.senders.iter().filter(|sender| sender.last_seen.millis() >= figures.recent.grid.known_ms)
    {
        let fresh = || Service { name: sender.service.clone(), is_fresh: true, ..Service::default() };
        found.entry(sender.service.clone()).or_insert_with(fresh);
    }
    let mut services: Vec<Service> = found.into_values().collect();
    for service in &mut services {
        let signs = recent.signs(&service.name, usual.get(&service.name).copied(), around);
        service.judgement = judge(&signs);
        if service.is_fresh {
            service.judgement.reasons.push("figures come with its first whole minute".to_owned());
        }
        service.traffic = recent.records.get(&service.name).cloned().unwrap_or_default();
    }
    services.sort_by(|a, b| {
        let (mine, other) = (&a.judgement, &b.judgement);
        let worst_first = other.condition.cmp(&mine.condition).then(other.weight.total_cmp(&mine.weight));
        worst_first.then_with(|| a.name.cmp(&b.name))
    });
    services
}

pub fn totals(services: &[Service], grid: Grid) -> Totals {
    let sum = |of: fn(&Service) -> u64| services.iter().map(of).sum::<u64>();
    let (records, errors) = (sum(|service| service.records), sum(|service| service.errors));
    Totals {
        records_per_sec: records as f64 / grid.known_secs(),
        errors_per_sec: errors as f64 / grid.known_secs(),
        error_share: if records > 0 { errors as f64 / records as f64 } else { 0.0 },
        anomalies: sum(|service| service.anomalies),
    }
}

fn usual_of(day: &OfGrid<Aggregates>) -> BTreeMap<String, Usual> {
    let row = |row: Row<'_>| {
        let records = row.count("n");
        let usual = Usual {
            records_per_minute: records as f64 * 60.0 / day.grid.known_secs(),
            error_share: row.count("errors") as f64 / records.max(1) as f64,
            p95_ms: row.number("p95"),
        };
        (row.text("service").unwrap_or_default().to_owned(), usual)
    };
    day.value.rows().map(row).collect()
}

/// The last hour by service and minute.
struct Recent {
    records: BTreeMap<String, Values>,
    errors: BTreeMap<String, Values>,
    p95: BTreeMap<String, Values>,
}

impl Recent {
    fn of(hour: &OfGrid<Aggregates>) -> Recent {
        let (table, grid) = (&hour.value, hour.grid);
        Recent {
            records: by_service(table, grid, Some(0.0), per_minute(grid, "n")),
            errors: by_service(table, grid, Some(0.0), per_minute(grid, "errors")),
            p95: by_service(table, grid, None, measured("p95")),
        }
    }

    fn signs(&self, name: &str, usual: Option<Usual>, around: Around<'_>) -> Signs {
        let last = |of: &BTreeMap<String, Values>| -> Vec<f64> {
            let values = of.get(name).map(Vec::as_slice).unwrap_or_default();
            values.iter().rev().take(RECENT_MINUTES).flatten().copied().collect()
        };
        let traffic = self.records.get(name).map(Vec::as_slice).unwrap_or_default();
        let silent = traffic.iter().rev().take_while(|value| value.unwrap_or_default() == 0.0).count();
        // Nothing at all in the hour: as long as is known.
        let silent_minutes = if traffic.is_empty() { 60 } else { silent };
        let mut episodes: Vec<(f64, String)> = around
            .episodes
            .iter()
            .filter(|anomaly| anomaly.service == name && anomaly.episode.ended_at.is_none())
            .map(|anomaly| (anomaly.episode.peak_score, anomaly.summary.clone()))
            .collect();
        episodes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let fires = |incident: &&Incident| incident.is_firing() && incident.service() == Some(name);
        Signs {
            records: last(&self.records).iter().sum::<f64>().round() as u64,
            errors: last(&self.errors).iter().sum::<f64>().round() as u64,
            p95_ms: median(last(&self.p95)),
            silent_minutes,
            usual,
            episodes,
            alerts: around.incidents.iter().filter(fires).map(|incident| incident.title.clone()).collect(),
        }
    }
}

/// One slow minute of five is no slow service.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::home::judgement::Condition;

    const MINUTE: Grid = Grid { start_ms: 0, step_ms: 60_000, steps: 10, known_ms: 600_000 };
    const DAY: Grid = Grid { start_ms: 0, step_ms: 86_400_000, steps: 1, known_ms: 86_400_000 };

    fn table(grid: Grid, rows: serde_json::Value) -> OfGrid<Aggregates> {
        let columns = ["service", "time", "n", "errors", "p50", "p95", "p99", "anomalies"];
        OfGrid { grid, value: serde_json::from_value(json!({ "columns": columns, "rows": rows })).unwrap() }
    }

    fn minutes(service: &str, records: u64, errors: u64, until: i64) -> Vec<serde_json::Value> {
        let time = |minute: i64| insighthub_model::Timestamp::from_millis(minute * 60_000).to_string();
        (0..until).map(|minute| json!([service, time(minute), records, errors, 5.0, 10.0, 20.0, 0])).collect()
    }

    fn figures() -> Figures {
        let mut rows = minutes("auth", 40, 0, 10);
        rows.extend(minutes("billing", 40, 8, 10));
        rows.extend(minutes("search", 40, 0, 5));
        Figures {
            totals: table(
                MINUTE,
                json!([
                    ["auth", null, 400, 0, 5.0, 10.0, 20.0, 0],
                    ["billing", null, 400, 80, 5.0, 10.0, 20.0, 3],
                    ["search", null, 200, 0, null, null, null, 0]
                ]),
            ),
            course: OfGrid::default(),
            recent: table(MINUTE, json!(rows)),
        }
    }

    fn usual() -> OfGrid<Aggregates> {
        table(
            DAY,
            json!([
                ["auth", null, 57_600, 57, 5.0, 10.0, 20.0, 0],
                ["billing", null, 57_600, 57, 5.0, 10.0, 20.0, 0],
                ["gone", null, 57_600, 57, 5.0, 10.0, 20.0, 0],
                ["search", null, 57_600, 57, 5.0, 10.0, 20.0, 0]
            ]),
        )
    }

    #[test]
    fn the_worst_come_first_and_the_silent_are_not_forgotten() {
        let usual = usual();
        let services = services(&figures(), Around { usual: Some(&usual), ..Around::default() });
        let seen: Vec<(&str, Condition)> =
            services.iter().map(|service| (service.name.as_str(), service.judgement.condition)).collect();
        assert_eq!(
            seen,
            [
                ("gone", Condition::Silent),
                ("search", Condition::Silent),
                ("billing", Condition::Trouble),
                ("auth", Condition::Quiet)
            ]
        );
    }

    #[test]
    fn figures_are_of_the_range_and_totals_of_all() {
        let services = services(&figures(), Around::default());
        let billing = services.iter().find(|service| service.name == "billing").unwrap();
        assert_eq!((billing.error_share, billing.anomalies, billing.traffic.len()), (Some(0.2), 3, 10));
        assert!((billing.records_per_sec - 400.0 / 600.0).abs() < 1e-9);
        let totals = totals(&services, MINUTE);
        assert!((totals.records_per_sec - 1_000.0 / 600.0).abs() < 1e-9);
        assert_eq!((totals.error_share, totals.anomalies), (0.08, 3));
    }

    #[test]
    fn whoever_begins_in_a_minute_that_is_not_over_is_there_without_figures() {
        let at = |minute: i64| insighthub_model::Timestamp::from_millis(minute * 60_000);
        let sender =
            |name: &str, minute| Sender { service: name.to_owned(), total_logs: 3, last_seen: at(minute) };
        // One that is counted, one that begins, one of long ago.
        let senders = [sender("auth", 10), sender("lighthouse", 10), sender("retired", 9)];
        let services = services(&figures(), Around { senders: &senders, ..Around::default() });
        let fresh: Vec<&str> =
            services.iter().filter(|service| service.is_fresh).map(|service| service.name.as_str()).collect();
        assert_eq!(fresh, ["lighthouse"]);
        assert_eq!(services.len(), 4);
    }

    #[test]
    fn one_slow_minute_of_five_is_no_slow_service() {
        assert_eq!(median(vec![10.0, 900.0, 11.0, 12.0, 9.0]), Some(11.0));
        assert_eq!(median(Vec::new()), None);
    }
}
