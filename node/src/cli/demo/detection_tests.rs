//! What the detectors of a node make of the demo's traffic: each kind of incident is one episode that names its channel and
//! its message, and normal days are quiet. By the code of `insighthub score --logs`.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::sync::LazyLock;

use insighthub_detect::scorer::RowScores;
use insighthub_detect::service::TickScores;
use insighthub_evaluation::logs::{Runner, Sink, Slice};
use insighthub_model::Timestamp;
use insighthub_model::detection::{Channel, Episode};
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::alerting_tests::Seen;
use super::incident::{Incident, Incidents, Kind};
use super::record::DemoRecord;
use super::shop::Service;
use super::traffic::Traffic;
use crate::cli::record_reading::read_record;

pub(super) const DAY_SECS: i64 = 86_400;

/// The traffic as a file that is written while it is read, by somebody who looks at each record.
struct TrafficFile<Look> {
    traffic: Traffic,
    end: Timestamp,
    look: Look,
    line: Vec<u8>,
    read: usize,
}

impl<Look: FnMut(&DemoRecord)> Read for TrafficFile<Look> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.read == self.line.len() {
            self.line.clear();
            self.read = 0;
            for record in self.traffic.take_until(self.end, 1) {
                (self.look)(&record);
                serde_json::to_writer(&mut self.line, &record)?;
                self.line.push(b'\n');
            }
        }
        let count = (&self.line[self.read..]).read(out)?;
        self.read += count;
        Ok(count)
    }
}

/// The episodes, by service.
#[derive(Default)]
pub(super) struct Episodes(pub(super) BTreeMap<String, Vec<Episode>>);

impl Sink for Episodes {
    fn records(&mut self, _: &Slice<'_>, _: &RowScores) -> io::Result<()> {
        Ok(())
    }

    fn tick(&mut self, service: &str, scores: &TickScores) -> io::Result<()> {
        let closed = scores.closed.iter().map(|(_, episode)| episode.clone());
        self.0.entry(service.to_owned()).or_default().extend(closed);
        Ok(())
    }
}

pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp(Timestamp::parse("2026-01-05T00:00:00Z").unwrap().0 + secs * NANOS_PER_SEC)
}

/// A stretch of the shop's life, told once for all tests that ask about it.
pub(super) struct Story {
    pub(super) episodes: Episodes,
    pub(super) seen: Seen,
}

impl Story {
    pub(super) fn new(seed: u64, records_per_sec: f64, secs: i64, incidents: &[Incident]) -> Story {
        let traffic = Traffic::new(seed, records_per_sec, at(0), Incidents::named(incidents.to_vec()));
        let mut seen = Seen::default();
        let episodes = episodes_of(traffic, at(secs), |record| seen.take(record));
        seen.take_episodes(&episodes);
        Story { episodes, seen }
    }
}

/// Two days of nothing, then each kind of incident at its hour.
pub(super) fn with_incidents() -> &'static Story {
    static STORY: LazyLock<Story> =
        LazyLock::new(|| Story::new(1, 3.0, 2 * DAY_SECS + 18 * 3_600, &incidents()));
    &STORY
}

pub(super) const NORMAL_DAYS: i64 = 4;

pub(super) fn of_normal_days() -> &'static Story {
    static STORY: LazyLock<Story> = LazyLock::new(|| Story::new(1, 2.0, NORMAL_DAYS * DAY_SECS, &[]));
    &STORY
}

fn episodes_of(traffic: Traffic, end: Timestamp, look: impl FnMut(&DemoRecord)) -> Episodes {
    let file = TrafficFile { traffic, end, look, line: Vec::new(), read: 0 };
    let (mut runner, mut episodes) = (Runner::new(&read_record, &[]).unwrap(), Episodes::default());
    runner.run(BufReader::new(file), &mut episodes, |_| {}).unwrap();
    for (service, detector) in runner.detectors() {
        episodes.0.entry(service.clone()).or_default().extend(detector.open_episode().cloned());
    }
    episodes
}

/// One line for each episode, for a test that fails.
fn told(episodes: &Episodes) -> String {
    let line = |service: &str, episode: &Episode| {
        let Episode { opened_at, peak_score, explanation, .. } = episode;
        let shown = explanation.channels.iter().map(|shown| {
            let (name, evidence) = (shown.channel.name(), shown.evidence);
            format!("{name} {:.1} ({:.1} of {:.1})", evidence.surprise, evidence.observed, evidence.expected)
        });
        let template = explanation.templates.first().map_or("", |template| template.text.as_str());
        format!(
            "\n{service} {opened_at} {peak_score:.2}: {}; {template:.60}",
            shown.collect::<Vec<_>>().join(", ")
        )
    };
    let of = |(service, found): (&String, &Vec<Episode>)| -> String {
        found.iter().map(|episode| line(service, episode)).collect()
    };
    episodes.0.iter().map(of).collect()
}

/// Each kind with the hour of the third day it begins at, its channel, and its message.
const KINDS: [(Kind, i64, Channel, &str); 8] = [
    (Kind::Silence, 4, Channel::TrafficDrop, ""),
    (Kind::NewMessage, 6, Channel::NewMessages, "tax service gave no rates, falling back to table <*>"),
    (Kind::LatencyDrift, 7, Channel::LatencyDrift, ""),
    (Kind::LatencySpike, 10, Channel::Latency, ""),
    (Kind::MessageShift, 12, Channel::MessageShift, "stock of sku <*> read from the replica"),
    (
        Kind::ErrorBurst,
        13,
        Channel::Errors,
        "charge <*> declined: currency EUR does not match account currency USD",
    ),
    (Kind::TrafficDrop, 15, Channel::TrafficDrop, ""),
    (Kind::TrafficSurge, 17, Channel::TrafficSurge, ""),
];

pub(super) fn incidents() -> Vec<Incident> {
    let incident =
        |(kind, hour, ..): &(Kind, i64, Channel, &str)| kind.at(at(2 * DAY_SECS + hour * 3_600 + 600));
    KINDS.iter().map(incident).collect()
}

#[test]
fn each_kind_of_incident_is_one_episode_that_names_its_channel_and_message() {
    let Story { episodes, .. } = with_incidents();
    for ((kind, _, channel, template), Incident { start, end, .. }) in KINDS.into_iter().zip(incidents()) {
        let within = |episode: &&Episode| (start..end).contains(&episode.opened_at);
        let found: Vec<&Episode> = episodes.0[kind.service().name()].iter().filter(within).collect();
        let [one] = found[..] else { panic!("{kind:?}: {} episodes{}", found.len(), told(episodes)) };
        let explanation = &one.explanation;
        assert_eq!(explanation.channels[0].channel, channel, "{kind:?}{}", told(episodes));
        if !template.is_empty() {
            assert_eq!(explanation.templates[0].text, template, "{kind:?}{}", told(episodes));
        }
    }
}

/// False alarms that people put up with, per service and day.
const BUDGET: f64 = 0.2;

#[test]
fn normal_days_with_their_deploys_and_batches_are_quiet() {
    let Story { episodes, .. } = of_normal_days();
    let alarms: usize = episodes.0.values().map(Vec::len).sum();
    // The first day is for learning.
    let service_days = Service::ALL.len() as f64 * (NORMAL_DAYS - 1) as f64;
    assert!(alarms as f64 <= BUDGET * service_days, "{alarms} alarms{}", told(episodes));
}
