//! A random life, lived by two replicas and a plain list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::detection::DetectionSettings;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{FieldValue, Record, Scores, Timestamp};
use insighthub_storage::command::{Append, Chunk, Command, EncodedBatch};
use insighthub_storage::life::{Expiry, Pace, plan_merges};
use insighthub_storage::query::{Conditions, Filter, after_offset};
use proptest::prelude::*;

use crate::plain::{FIRST_MINUTE, MINUTES, PlainList, PlainRecord, SERVICES, WORDS, Wanted};
use crate::replica::Machine;
use crate::steps::Step;

/// The first replica joins no batches, the others do: they must not differ by that.
const NO_JOINS: &[usize] = &[];
const MANY_JOINS: &[usize] = &[8, 24, 72];

/// Simulated time in which the sealer does what it has to do.
const REST: std::time::Duration = std::time::Duration::from_millis(50);

pub(crate) struct History {
    steady: Machine,
    pub(crate) shaky: Machine,
    /// The second replica's disk was told to stop.
    is_breaking: bool,
    /// Its disk is filled, or will be.
    is_filling: bool,
    /// It has a block that lost a bit.
    is_damaged: bool,
    replicas: u64,
    log: Vec<Command>,
    plain: PlainList,
    deletions: u64,
    searched: Option<Wanted>,
}

impl History {
    pub(crate) fn new() -> History {
        History {
            steady: Machine::new(1, NO_JOINS),
            shaky: Machine::new(2, MANY_JOINS),
            is_breaking: false,
            is_filling: false,
            is_damaged: false,
            replicas: 2,
            log: Vec::new(),
            plain: PlainList::default(),
            deletions: 0,
            searched: None,
        }
    }

    async fn apply(&mut self, command: Command) {
        self.log.push(command.clone());
        let index = self.log.len() as u64;
        self.steady.apply(index, &command);
        self.shaky.apply(index, &command);
        self.steady.settle().await;
        if self.is_breaking || self.is_filling || self.is_damaged {
            // Lets its sealer run into what stops it.
            tokio::time::sleep(REST).await;
        } else {
            self.shaky.settle().await;
        }
    }

    async fn restart(&mut self, with_power: bool) {
        self.restart_where_it_is(with_power);
        self.mend().await;
    }

    /// The second replica starts anew on its disk as it is, full or not.
    pub(crate) fn restart_where_it_is(&mut self, with_power: bool) {
        self.is_breaking = false;
        self.shaky.restart(with_power, &self.log);
    }

    /// The disk of the second replica has room, and what waited for it is done.
    pub(crate) async fn make_room(&mut self) {
        self.is_filling = false;
        self.shaky.make_room().await;
        if !self.is_breaking && !self.is_damaged {
            self.shaky.settle().await;
        }
    }

    /// What the scrub does with what is damaged.
    async fn mend(&mut self) {
        self.is_damaged = false;
        self.is_filling = false;
        self.shaky.make_room().await;
        self.shaky.mend_from(&self.steady).await;
        self.shaky.settle().await;
    }

    pub(crate) async fn take(&mut self, step: &Step) {
        let (was_breaking, was_damaged) = (self.is_breaking, self.is_damaged);
        match step {
            Step::Append(records) => self.append(records).await,
            Step::Rest => tokio::time::sleep(REST).await,
            Step::Letter(service, minute, word) => self.letter(*service, *minute, *word).await,
            Step::Seal => self.apply(Command::Seal).await,
            Step::Tick(minute) => {
                self.plain.tick(*minute);
                self.apply(Command::Tick(Timestamp::from_minute(FIRST_MINUTE + minute))).await;
            }
            Step::Tell(revision) => {
                self.plain.tell(*revision);
                let settings = DetectionSettings { revision: *revision, ..DetectionSettings::default() };
                self.apply(Command::SetDetection(settings)).await;
            }
            Step::Merge { at, length } => {
                let shapes = self.steady.replica.block_shapes(&BTreeSet::new());
                let run: Vec<_> = shapes.iter().skip(*at).take(*length).map(|shape| shape.id).collect();
                self.apply(Command::Merge(vec![run])).await;
            }
            Step::Tidy => {
                let shapes = self.steady.replica.block_shapes(&BTreeSet::new());
                self.apply(Command::Merge(plan_merges(&shapes, Pace::AtRest))).await;
            }
            Step::Expire { default, service, floor } => {
                let minute = |minute: Option<i64>| minute.map(|minute| FIRST_MINUTE + minute);
                let services = service.iter().map(|(name, of)| (SERVICES[*name].to_owned(), minute(*of)));
                let expiry = Expiry {
                    default_minute: minute(*default),
                    services: services.collect(),
                    floor: (self.plain.next_offset as f64 * floor) as u64,
                };
                self.plain.expire(&expiry);
                self.apply(Command::Expire(expiry)).await;
            }
            Step::Delete(wanted) => {
                self.deletions += 1;
                self.plain.delete(wanted);
                self.apply(Command::Delete(wanted.deletion(self.deletions))).await;
            }
            Step::EndDeletions => self.end_deletions().await,
            Step::Restart { with_power } => self.restart(*with_power).await,
            Step::Break { operations } => {
                self.shaky.arm(*operations);
                self.is_breaking = true;
            }
            Step::Fill { writes } => {
                self.shaky.fill(*writes);
                self.is_filling = true;
            }
            Step::MakeRoom => self.make_room().await,
            Step::Damage { at } => self.is_damaged |= self.shaky.damage(*at),
            Step::Replace => {
                self.replicas += 1;
                (self.is_breaking, self.is_filling, self.is_damaged) = (false, false, false);
                self.shaky = self.steady.copy(self.replicas, MANY_JOINS, &self.log);
                self.shaky.settle().await;
            }
            Step::Search(wanted) => self.searched = Some(wanted.clone()),
        }
        // A disk that was just told to stop cannot be mended before it has.
        if was_breaking || (was_damaged && self.is_breaking) {
            self.restart(true).await;
        } else if was_damaged {
            self.mend().await;
        }
    }

    async fn append(&mut self, records: &[PlainRecord]) {
        let mut builder = BatchBuilder::default();
        let mut scores = Scores::default();
        for (row, record) in (0u32..).zip(records) {
            let mut open = builder.record();
            for (name, value) in record.fields() {
                open.field(name, &value).unwrap();
            }
            open.finish(FixedFields {
                service: record.service(),
                timestamp: record.timestamp(),
                level: record.level,
                message: &record.message(),
                latency_ms: record.latency_ms,
                raw_bytes: 64,
            });
            scores.anomaly_score.push(f32::NAN);
            scores.anomalies.extend(record.is_anomaly.then(|| (row, "odd".to_owned())));
        }
        let sequence = self.log.len() as u64;
        let moment = Timestamp::from_minute(FIRST_MINUTE + MINUTES);
        records.iter().for_each(|record| self.plain.append(record, MINUTES));
        let chunk = Chunk {
            identity: BatchIdentity::whole("p", sequence),
            records: EncodedBatch::new(builder.take()),
            scores: Arc::new(scores),
            dead_letters: Vec::new(),
        };
        self.apply(Command::Append(Append { created_at: moment, chunks: vec![chunk] })).await;
    }

    async fn letter(&mut self, service: usize, minute: i64, word: usize) {
        let raw = format!("{{\"service\":\"{}\",\"note\":\"{} here\"}}", SERVICES[service], WORDS[word]);
        let received_at = Timestamp::from_minute(FIRST_MINUTE + minute);
        let letter = DeadLetter {
            received_at,
            origin: "http".into(),
            service: Some(SERVICES[service].into()),
            field: None,
            reason: "message is required".into(),
            position: 0,
            raw_bytes_total: raw.len() as u64,
            raw: raw.into_bytes(),
        };
        self.plain.letter(service, minute, vec![word], None);
        let chunk = Chunk {
            identity: BatchIdentity::whole("letters", self.log.len() as u64),
            records: EncodedBatch::new(BatchBuilder::default().take()),
            scores: Arc::new(Scores::default()),
            dead_letters: vec![letter],
        };
        self.apply(Command::Append(Append { created_at: received_at, chunks: vec![chunk] })).await;
    }

    async fn end_deletions(&mut self) {
        let mut clean: BTreeMap<u64, BTreeSet<_>> = BTreeMap::new();
        while let Some(erasure) = self.steady.replica.erasures().first().cloned() {
            let clean = clean.entry(erasure.id).or_default();
            let found = self.steady.replica.find_deleted(&erasure, clean, 100).unwrap();
            let (offset, letter) = self.steady.replica.unsealed_from();
            let command = if !found.is_empty() {
                let runs = found.into_iter().map(|id| vec![id]).collect();
                Command::Merge(runs)
            } else if erasure.is_below(offset, letter) {
                Command::EndDeletion(erasure.id)
            } else {
                Command::Seal
            };
            self.apply(command).await;
        }
    }

    /// Batches in the heads of the two replicas.
    pub(crate) fn batches(&self) -> [usize; 2] {
        [&self.steady, &self.shaky].map(|machine| machine.replica.status().head_batches)
    }

    /// Both replicas answer what the list answers.
    pub(crate) fn check(&self, when: &str) -> Result<(), TestCaseError> {
        self.check_machine(&self.steady, &format!("the first replica {when}"))?;
        if self.is_breaking || self.is_damaged {
            return Ok(());
        }
        self.check_machine(&self.shaky, &format!("the second replica {when}"))
    }

    fn check_machine(&self, machine: &Machine, who: &str) -> Result<(), TestCaseError> {
        let told = machine.replica.detection_settings().revision;
        prop_assert_eq!(told, self.plain.told, "settings of {}", who);
        let found = records(machine, &Conditions::default());
        let found: Vec<_> = found.iter().map(shown).collect();
        let expected = self.plain.records.iter().map(|(offset, record)| expected(*offset, record));
        prop_assert_eq!(found, expected.collect::<Vec<_>>(), "records of {}", who);
        let minutes = machine.replica.minutes(None, i64::MIN, i64::MAX).unwrap();
        prop_assert_eq!(minutes, self.plain.minutes(), "minutes of {}", who);
        let letters = machine.replica.dead_letters(u64::MAX, usize::MAX).unwrap();
        let letters: Vec<u64> = letters.into_iter().map(|(number, _)| number).collect();
        prop_assert_eq!(&letters, &self.plain.open_letters(), "dead letters of {}", who);
        // Hidden ones are counted until their block is merged.
        let waiting = machine.replica.dead_letters_waiting().unwrap_or(u64::MAX) as usize;
        let bounds = letters.len()..=self.plain.letters.len();
        prop_assert!(bounds.contains(&waiting), "{} dead letters of {} wait, not {:?}", waiting, who, bounds);
        prop_assert_eq!(machine.notes(), self.plain.notes(), "notes of {}", who);
        if let Some(wanted) = &self.searched {
            let found: Vec<u64> =
                records(machine, &wanted.conditions()).iter().map(|record| record.log_id.offset).collect();
            let matching = self.plain.records.iter().filter(|(_, record)| wanted.accepts(record));
            prop_assert_eq!(
                found,
                matching.map(|(offset, _)| *offset).collect::<Vec<_>>(),
                "search of {}",
                who
            );
        }
        Ok(())
    }

    /// The replicas, and a fresh copy, are equal to the byte; nothing is left over on their disks.
    pub(crate) async fn finish(mut self) -> Result<(), TestCaseError> {
        if self.is_breaking {
            self.restart(true).await;
        }
        self.mend().await;
        self.end_deletions().await;
        self.check("at the end")?;
        let copy = self.steady.copy(99, MANY_JOINS, &self.log);
        copy.settle().await;
        self.check_machine(&copy, "a copy at the end")?;
        for machine in [&self.shaky, &copy] {
            prop_assert_eq!(machine.files(), self.steady.files());
            prop_assert_eq!(machine.orphans(), Vec::<String>::new());
            for id in 1..=self.deletions {
                prop_assert_eq!(machine.replica.deletion(id), self.steady.replica.deletion(id));
            }
        }
        Ok(())
    }
}

fn records(machine: &Machine, conditions: &Conditions) -> Vec<Record> {
    let view = machine.replica.view();
    let sources: Vec<_> = view.sources().collect();
    after_offset(&sources, &Filter::new(conditions).unwrap(), 0, usize::MAX).unwrap()
}

type Shown = (u64, String, Timestamp, String, Option<f64>, bool);

fn shown(record: &Record) -> Shown {
    // Blocks have fields by name, batches as they came.
    let fields: BTreeMap<&str, &FieldValue> =
        record.fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let message = format!("{} {} {fields:?}", record.level, record.message);
    let service = record.service.clone();
    (record.log_id.offset, service, record.timestamp, message, record.latency_ms, record.is_anomaly)
}

fn expected(offset: u64, record: &PlainRecord) -> Shown {
    let message = format!("{} {} {:?}", record.level, record.message(), record.fields());
    let service = record.service().to_owned();
    (offset, service, record.timestamp(), message, record.latency_ms, record.is_anomaly)
}
