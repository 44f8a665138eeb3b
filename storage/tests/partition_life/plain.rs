//! What must be answered: a list of records, looked through one by one.

use std::collections::BTreeMap;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{FieldValue, Level, Timestamp};
use insighthub_storage::life::{Deletion, Expiry};
use insighthub_storage::query::Conditions;
use proptest::prelude::*;

pub(crate) const SERVICES: [&str; 3] = ["api", "db", "web"];
pub(crate) const WORDS: [&str; 5] = ["alpha", "beta", "gamma", "delta", "omega"];
/// The first minute of all records.
pub(crate) const FIRST_MINUTE: i64 = 29_400_000;
pub(crate) const MINUTES: i64 = 40;
/// Mostly different among the records of a batch, and met now and then.
const IDS: i64 = 150;

#[derive(Clone, Debug)]
pub(crate) struct PlainRecord {
    pub(crate) service: usize,
    pub(crate) minute: i64,
    pub(crate) nanos: i64,
    pub(crate) level: Level,
    pub(crate) words: (usize, usize),
    pub(crate) latency_ms: Option<f64>,
    pub(crate) is_anomaly: bool,
}

impl PlainRecord {
    pub(crate) fn service(&self) -> &'static str {
        SERVICES[self.service]
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp(Timestamp::from_minute(FIRST_MINUTE + self.minute).0 + self.nanos)
    }

    pub(crate) fn message(&self) -> String {
        format!("{} then {} took {} ms", WORDS[self.words.0], WORDS[self.words.1], self.nanos % 977)
    }

    fn id(&self) -> i64 {
        self.nanos % IDS
    }

    /// Fields of every record, and one that some have.
    pub(crate) fn fields(&self) -> BTreeMap<&'static str, FieldValue> {
        let id = FieldValue::Text(format!("Id-{}", self.id()));
        let mut fields = BTreeMap::from([("nanos", FieldValue::Int(self.nanos)), ("id", id)]);
        if self.nanos % 3 == 0 {
            fields.insert("word", FieldValue::Text(WORDS[self.words.1].to_owned()));
        }
        fields
    }
}

pub(crate) fn record() -> impl Strategy<Value = PlainRecord> {
    let level = prop::sample::select(&Level::ALL[..]);
    let fixed = (0usize..3, 0i64..MINUTES, 0i64..60_000_000_000, level);
    let rest = ((0usize..5, 0usize..5), prop::option::of(0.0f64..900.0), prop::bool::weighted(0.1));
    (fixed, rest).prop_map(|((service, minute, nanos, level), (words, latency_ms, is_anomaly))| PlainRecord {
        service,
        minute,
        nanos,
        level,
        words,
        latency_ms,
        is_anomaly,
    })
}

/// What a deletion or a search asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) word: Option<usize>,
    pub(crate) service: Option<usize>,
    pub(crate) latency_above: Option<f64>,
    pub(crate) id: Option<i64>,
    /// First minute and the one after the last.
    pub(crate) minutes: Option<(i64, i64)>,
}

pub(crate) fn wanted() -> impl Strategy<Value = Wanted> {
    let minutes = (0i64..MINUTES, 1i64..MINUTES).prop_map(|(from, length)| (from, from + length));
    let latency = prop::option::weighted(0.3, 0.0f64..900.0);
    let word = prop::option::weighted(0.7, 0usize..5);
    let rest = (word, prop::option::of(0usize..3), latency, prop::option::of(minutes)).prop_map(
        |(word, service, latency_above, minutes)| Wanted { word, service, latency_above, id: None, minutes },
    );
    let one = (0..IDS).prop_map(|id| Wanted {
        word: None,
        service: None,
        latency_above: None,
        id: Some(id),
        minutes: None,
    });
    prop_oneof![3 => rest, 1 => one]
}

impl Wanted {
    pub(crate) fn conditions(&self) -> Conditions {
        let mut text = Vec::new();
        text.extend(self.word.map(|word| WORDS[word].to_owned()));
        text.extend(self.service.map(|service| format!("service:{}", SERVICES[service])));
        text.extend(self.latency_above.map(|latency| format!("latency_ms:>{latency}")));
        text.extend(self.id.map(|id| format!("id:iD-{id}")));
        let text = if text.is_empty() { "*".to_owned() } else { text.join(" ") };
        let filter = insighthub_model::query::parse_filter(&text).unwrap();
        let start = |minute| Timestamp::from_minute(FIRST_MINUTE + minute);
        Conditions {
            query: insighthub_model::query::Query::of(filter),
            from: self.minutes.map(|(from, _)| start(from)),
            to: self.minutes.map(|(_, to)| start(to)),
            ..Conditions::default()
        }
    }

    pub(crate) fn deletion(&self, id: u64) -> Deletion {
        Deletion { id, conditions: self.conditions() }
    }

    fn is_in_time(&self, minute: i64) -> bool {
        self.minutes.is_none_or(|(from, to)| (from..to).contains(&minute))
    }

    pub(crate) fn accepts(&self, record: &PlainRecord) -> bool {
        self.word.is_none_or(|word| record.words.0 == word || record.words.1 == word)
            && self.service.is_none_or(|service| record.service == service)
            && self.latency_above.is_none_or(|above| record.latency_ms.is_some_and(|latency| latency > above))
            && self.id.is_none_or(|id| record.id() == id)
            && self.is_in_time(record.minute)
    }

    /// A letter has no latency.
    pub(crate) fn accepts_letter(&self, letter: &PlainLetter) -> bool {
        self.word.is_none_or(|word| letter.words.contains(&word))
            && self.service.is_none_or(|service| letter.service == service)
            && self.latency_above.is_none()
            && self.id.is_none_or(|id| letter.id == Some(id))
            && self.is_in_time(letter.minute)
    }
}

/// A dead letter.
#[derive(Clone, Debug)]
pub(crate) struct PlainLetter {
    pub(crate) number: u64,
    pub(crate) service: usize,
    /// Of its coming.
    pub(crate) minute: i64,
    pub(crate) words: Vec<usize>,
    /// Of the record it is, where it is one that came too late.
    pub(crate) id: Option<i64>,
    pub(crate) is_gone: bool,
}

/// All that is stored.
#[derive(Debug, Default)]
pub(crate) struct PlainList {
    /// By offset; with what took them away.
    pub(crate) records: BTreeMap<u64, PlainRecord>,
    pub(crate) letters: Vec<PlainLetter>,
    pub(crate) next_offset: u64,
    pub(crate) next_letter: u64,
    expiries: Vec<Expiry>,
    /// Minute and next offset; `None` for deletions, and for what they took.
    ticks: Vec<Option<(i64, u64)>>,
    /// The newest settings.
    pub(crate) told: u64,
}

impl PlainList {
    fn first_minute(&self, service: &str) -> i64 {
        let minutes = self.expiries.iter();
        let minutes =
            minutes.filter_map(|expiry| *expiry.services.get(service).unwrap_or(&expiry.default_minute));
        minutes.max().unwrap_or(i64::MIN)
    }

    /// A record that is too old becomes a dead letter that came at `minute`.
    pub(crate) fn append(&mut self, record: &PlainRecord, minute: i64) {
        if FIRST_MINUTE + record.minute < self.first_minute(record.service()) {
            let words = vec![record.words.0, record.words.1];
            return self.letter(record.service, minute, words, Some(record.id()));
        }
        self.records.insert(self.next_offset, record.clone());
        self.next_offset += 1;
    }

    pub(crate) fn letter(&mut self, service: usize, minute: i64, words: Vec<usize>, id: Option<i64>) {
        let number = self.next_letter;
        self.next_letter += 1;
        let is_gone = FIRST_MINUTE + minute < self.first_minute(SERVICES[service]);
        self.letters.push(PlainLetter { number, service, minute, words, id, is_gone });
    }

    pub(crate) fn expire(&mut self, expiry: &Expiry) {
        self.expiries.push(expiry.clone());
        let floor = expiry.floor;
        let first: Vec<i64> = SERVICES.iter().map(|service| self.first_minute(service)).collect();
        self.records.retain(|offset, record| {
            *offset >= floor && FIRST_MINUTE + record.minute >= first[record.service]
        });
        for letter in &mut self.letters {
            letter.is_gone |= FIRST_MINUTE + letter.minute < first[letter.service];
        }
    }

    /// How many records and letters go.
    pub(crate) fn delete(&mut self, wanted: &Wanted) {
        self.records.retain(|_, record| !wanted.accepts(record));
        for letter in &mut self.letters {
            letter.is_gone |= wanted.accepts_letter(letter);
        }
        // What is meant of a service as a whole takes along what was noted of it.
        let means_all = wanted.deletion(0).means_all();
        for (number, tick) in self.ticks.iter_mut().enumerate() {
            let minute = tick.filter(|(minute, _)| {
                let at = Timestamp::from_minute(FIRST_MINUTE + minute);
                !means_all(SERVICES[number % SERVICES.len()], at)
            });
            *tick = minute;
        }
        self.ticks.push(None);
    }

    pub(crate) fn minutes(&self) -> BTreeMap<MinuteKey, MinuteAggregate> {
        let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
        for record in self.records.values() {
            let key = MinuteKey {
                service: record.service().into(),
                minute: FIRST_MINUTE + record.minute,
                level: record.level,
            };
            minutes.entry(key).or_default().add(record.is_anomaly, record.latency_ms);
        }
        minutes
    }

    /// The clock says this minute.
    pub(crate) fn tick(&mut self, minute: i64) {
        self.ticks.push(Some((minute, self.next_offset)));
    }

    /// A tick that is noted nowhere, where it is news.
    pub(crate) fn tell(&mut self, revision: u64) {
        if revision > self.told {
            self.told = revision;
            self.ticks.push(None);
        }
    }

    /// Number and offset of the ticks that are young enough for the service they are noted for.
    pub(crate) fn notes(&self) -> BTreeMap<u64, u64> {
        let first: Vec<i64> = SERVICES.iter().map(|service| self.first_minute(service)).collect();
        let ticks = (0u64..).zip(&self.ticks);
        ticks
            .filter_map(|(number, tick)| Some((number, (*tick)?)))
            .filter(|(number, (minute, _))| FIRST_MINUTE + minute >= first[*number as usize % SERVICES.len()])
            .map(|(number, (_, offset))| (number, offset))
            .collect()
    }

    pub(crate) fn open_letters(&self) -> Vec<u64> {
        self.letters.iter().rev().filter(|letter| !letter.is_gone).map(|letter| letter.number).collect()
    }
}
