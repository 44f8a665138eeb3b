//! What the rules that a cluster begins with make of the demo's traffic: a normal day, with its deploys and its night's run, tells
//! nobody; what goes wrong is told. Looked at every two seconds, as a node looks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use insighthub_actors::alerting::rehearsal::{Figures, Past, Rehearsal};
use insighthub_model::alerts::{Condition, Incident as Raised, Rule, first_rules};
use insighthub_model::detection::{Episode, EpisodeId};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{Level, PartitionId, Timestamp};

use super::detection_tests::{
    DAY_SECS, Episodes, NORMAL_DAYS, Story, at, incidents, of_normal_days, with_incidents,
};
use super::incident::{Incident, Incidents, Kind};
use super::record::DemoRecord;
use super::traffic::Traffic;

const LOOK_SECS: usize = 2;

/// What rules ask of a service's records.
#[derive(Default)]
struct OfService {
    times: Vec<Timestamp>,
    latencies: Vec<(Timestamp, f64)>,
    slow: Vec<Timestamp>,
    errors: Vec<Timestamp>,
    /// Errors by minute, of minutes that have records.
    minutes: BTreeMap<i64, f64>,
}

/// The traffic as rules ask about it.
#[derive(Default)]
pub(super) struct Seen {
    services: BTreeMap<&'static str, OfService>,
    episodes: Vec<(EpisodeId, Episode)>,
}

impl Seen {
    pub(super) fn take(&mut self, record: &DemoRecord) {
        let of = self.services.entry(record.service).or_default();
        of.times.push(record.timestamp);
        if let Some(latency_ms) = record.latency_ms {
            of.latencies.push((record.timestamp, latency_ms));
            if latency_ms > *THRESHOLD_MS {
                of.slow.push(record.timestamp);
            }
        }
        let is_error = record.level >= Level::Error;
        *of.minutes.entry(record.timestamp.minute()).or_default() += f64::from(u8::from(is_error));
        if is_error {
            of.errors.push(record.timestamp);
        }
    }

    pub(super) fn take_episodes(&mut self, episodes: &Episodes) {
        let named = |(service, found): (&String, &Vec<Episode>)| -> Vec<(EpisodeId, Episode)> {
            let id = |episode: &Episode| EpisodeId {
                opened_at: episode.opened_at,
                partition: PartitionId(0),
                service: service.clone(),
            };
            found.iter().map(|episode| (id(episode), episode.clone())).collect()
        };
        self.episodes = episodes.0.iter().flat_map(named).collect();
    }
}

/// Of the rule about latency.
static THRESHOLD_MS: LazyLock<f64> = LazyLock::new(|| {
    let of_latency = |(_, rule): &(String, Rule)| match &rule.condition {
        Condition::Latency(of) => Some(of.threshold_ms),
        _ => None,
    };
    first_rules().iter().find_map(of_latency).unwrap()
});

fn within(times: &[Timestamp], from: Timestamp, to: Timestamp) -> usize {
    times.partition_point(|at| *at < to) - times.partition_point(|at| *at < from)
}

fn group(service: &str) -> Vec<(String, String)> {
    vec![("service".to_owned(), service.to_owned())]
}

impl Past for Seen {
    fn figures(&self, rule: &Rule, from: Timestamp, to: Timestamp) -> Vec<Figures> {
        let figures = |(service, of): (&&str, &OfService)| match &rule.condition {
            Condition::ErrorRate(rate) => {
                let errors = within(&of.errors, from, to) as f64;
                // What is below the floor is well, whatever is normal.
                let is_well = errors * 60.0 <= rate.errors_per_min_floor * f64::from(rule.window_secs);
                (!is_well).then(|| (group(service), vec![within(&of.times, from, to) as f64, errors]))
            }
            Condition::Latency(_) => {
                let count = within(&of.times, from, to);
                // Fewer than one in twenty are slow: so is the 95th of a hundred.
                if within(&of.slow, from, to) * 20 < count {
                    return None;
                }
                let first = of.latencies.partition_point(|(at, _)| *at < from);
                let last = of.latencies.partition_point(|(at, _)| *at < to);
                let mut latencies: Vec<f64> =
                    of.latencies[first..last].iter().map(|(_, latency_ms)| *latency_ms).collect();
                latencies.sort_unstable_by(f64::total_cmp);
                let p95 = latencies.get(latencies.len() * 95 / 100).copied().unwrap_or(f64::NAN);
                Some((group(service), vec![p95, count as f64]))
            }
            _ => None,
        };
        self.services.iter().filter_map(figures).collect()
    }

    fn errors_by_minute(&self, _: &Rule, minutes: std::ops::Range<i64>) -> Vec<(i64, Figures)> {
        let of_service = |(service, of): (&&'static str, &OfService)| {
            let service = *service;
            let known: Vec<_> =
                of.minutes.range(minutes.clone()).map(|(at, errors)| (*at, *errors)).collect();
            known.into_iter().map(move |(minute, errors)| (minute, (group(service), vec![errors])))
        };
        self.services.iter().flat_map(of_service).collect()
    }

    fn episodes(&self, from: Timestamp, to: Timestamp) -> Vec<(EpisodeId, Episode)> {
        let is_open = |episode: &Episode| {
            episode.opened_at < to && episode.ended_at.is_none_or(|ended_at| ended_at >= from)
        };
        self.episodes.iter().filter(|(_, episode)| is_open(episode)).cloned().collect()
    }
}

/// Incidents that the first rules raise from one second of the traffic to another.
fn raised(seen: &Seen, secs: std::ops::Range<i64>) -> Vec<Raised> {
    let mut rehearsal = Rehearsal::new(first_rules());
    secs.step_by(LOOK_SECS).for_each(|second| rehearsal.look(seen, at(second)));
    rehearsal.incidents().cloned().collect()
}

fn told(raised: &[Raised]) -> String {
    let line = |incident: &Raised| {
        let Raised { rule, opened_at, evidence, .. } = incident;
        let (observed, threshold) = (evidence.observed, evidence.threshold);
        format!(
            "\n{rule} {:?} {opened_at}: {observed:.1} above {threshold:.1}; {}",
            incident.service(),
            evidence.because
        )
    };
    raised.iter().map(line).collect()
}

#[test]
fn a_normal_day_tells_nobody_whatever_the_traffic() {
    // Too short for the detectors, which know a service after a day.
    for (seed, records_per_sec, secs) in
        [(2, 2.0, DAY_SECS), (3, 10.0, DAY_SECS / 2), (4, 40.0, DAY_SECS / 8)]
    {
        let mut traffic = Traffic::new(seed, records_per_sec, at(0), Incidents::named(Vec::new()));
        let mut seen = Seen::default();
        loop {
            let records = traffic.take_until(at(secs), 1_000);
            if records.is_empty() {
                break;
            }
            records.iter().for_each(|record| seen.take(record));
        }
        let raised = raised(&seen, 0..secs);
        assert!(raised.is_empty(), "seed {seed}, {records_per_sec} records a second{}", told(&raised));
    }
}

#[test]
fn normal_days_with_their_deploys_and_batches_tell_nobody() {
    let raised_on = |story: &Story, days: i64| raised(&story.seen, DAY_SECS..days * DAY_SECS);
    let raised = raised_on(of_normal_days(), NORMAL_DAYS);
    assert!(raised.is_empty(), "{}", told(&raised));
    let (seed, days) = (2, 2);
    let raised = raised_on(&Story::new(seed, 1.0, days * DAY_SECS, &[]), days);
    assert!(raised.is_empty(), "seed {seed}{}", told(&raised));
}

#[test]
fn what_goes_wrong_in_the_shop_is_told() {
    let raised = raised(&with_incidents().seen, 2 * DAY_SECS..2 * DAY_SECS + 18 * 3_600);
    for Incident { kind, start, end } in incidents() {
        let is_of_it = |raised: &&Raised| {
            raised.service() == Some(kind.service().name()) && (start..end).contains(&raised.opened_at)
        };
        let found: Vec<&Raised> = raised.iter().filter(is_of_it).collect();
        // What drifts so slowly that no window is loud is found among the anomalies, and wakes nobody.
        assert_eq!(found.is_empty(), kind == Kind::LatencyDrift, "{kind:?}{}", told(&raised));
        if let Some(first) = found.first() {
            println!("{kind:?}: {} after {} s", first.rule, (first.opened_at.0 - start.0) / NANOS_PER_SEC);
        }
    }
}
