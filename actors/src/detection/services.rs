//! The detectors of a partition as one value: a fold over its records and ticks.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use insighthub_detect::record::MinedRecords;
use insighthub_detect::scorer::RowScores;
use insighthub_detect::service::{Alert, ServiceDetector, TickScores};
use insighthub_detect::template::Masks;
use insighthub_model::detection::{DetectionSettings, Detector};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{PartitionId, RecordBatch, Timestamp};
use insighthub_storage::life::Deletion;
use insighthub_storage::note::{Note, NoteFilter};
use insighthub_storage::{StoredBatch, codec};

use super::notes::{NoteKind, note};

const VERSION: u8 = 3;
/// Services remembered; beyond that the one that was silent for longest is forgotten.
const SERVICES_MAX: usize = 8_192;
/// A service that was silent for so long is forgotten: what was ordinary is so no more.
const FORGOTTEN_NANOS: i64 = 14 * 86_400 * NANOS_PER_SEC;

/// By service; ordered, so that its bytes are equal on all replicas.
#[derive(Debug, Default)]
pub(super) struct Detectors {
    by_service: BTreeMap<String, ServiceDetector>,
    settings: DetectionSettings,
    masks: Arc<Masks>,
    scores: RowScores,
    said: TickScores,
}

/// What detectors found out.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) notes: Vec<Note>,
    /// Service and alert.
    pub(super) alerts: Vec<(String, Alert)>,
}

impl Detectors {
    /// Continues from what was stored; what this program cannot read is left behind with a warning.
    pub(super) fn restored(stored: &Bytes) -> Detectors {
        if stored.is_empty() {
            return Detectors::default();
        }
        let (settings, states): (_, BTreeMap<String, ServiceDetector>) = match codec::decode(VERSION, stored)
        {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "detectors start learning again");
                return Detectors::default();
            }
        };
        let mut detectors = Detectors::default();
        detectors.set(&settings);
        let restored = states.into_iter().filter_map(|(service, state)| match state.restored() {
            Ok(detector) => Some((service, detectors.told(detector))),
            Err(error) => {
                tracing::warn!(service, %error, "a detector starts learning again");
                None
            }
        });
        detectors.by_service = restored.collect();
        detectors
    }

    /// What to store.
    pub(super) fn stored(&self) -> Bytes {
        match codec::encode(VERSION, &(&self.settings, &self.by_service)) {
            Ok(bytes) => bytes.into(),
            Err(error) => {
                tracing::error!(%error, "the detectors' state cannot be kept");
                Bytes::new()
            }
        }
    }

    /// Heeds other settings from here on.
    pub(super) fn set(&mut self, settings: &DetectionSettings) {
        self.masks = match Masks::new(&settings.masks) {
            Ok(masks) => Arc::new(masks),
            // The same program took them when they were set.
            Err(error) => {
                tracing::error!(%error, "detectors do without the masks that were set");
                Arc::default()
            }
        };
        self.settings = settings.clone();
        for detector in self.by_service.values_mut() {
            detector.set_masks(&self.masks);
            detector.set_alerts_per_day(settings.alerts_per_day);
        }
    }

    /// A detector that heeds the settings.
    fn told(&self, mut detector: ServiceDetector) -> ServiceDetector {
        detector.set_masks(&self.masks);
        detector.set_alerts_per_day(self.settings.alerts_per_day);
        detector
    }

    /// Learns some rows of a batch.
    pub(super) fn fold(&mut self, batch: &StoredBatch, rows: Range<u32>, findings: &mut Findings) {
        for (service, rows) in rows_by_service(&batch.records, rows) {
            if !self.by_service.contains_key(service) {
                self.make_room(findings);
                self.by_service.insert(service.to_owned(), self.told(ServiceDetector::hiding_words(service)));
            }
            let Some(detector) = self.by_service.get_mut(service) else { continue };
            let records = &batch.records;
            let (base, arrived) = (batch.base_offset, &batch.created_at);
            let hashes = &batch.scores.message_hashes;
            detector.fold_known(records, &rows, base, arrived, hashes, &mut self.scores);
            self.scores.scores.clear();
            self.scores.anomalies.clear();
            detector.drain(&mut self.said);
            note_all(service, &mut self.said, findings);
        }
    }

    /// Closes what lies behind the leader's clock.
    pub(super) fn tick(&mut self, now: Timestamp, findings: &mut Findings) {
        for (service, detector) in &mut self.by_service {
            detector.tick(now, &mut self.said);
            note_all(service, &mut self.said, findings);
        }
        let forgotten = now.0.saturating_sub(FORGOTTEN_NANOS);
        let idle = self.by_service.extract_if(.., |_, detector| detector.is_idle_since(forgotten));
        for (service, detector) in idle {
            findings.notes.extend(detector.end().and_then(|episode| note(&service, &episode)));
        }
    }

    /// Drops the detectors of services of which a deletion means everything up to now.
    pub(super) fn forget(&mut self, deletion: &Deletion) {
        let means_all = deletion.means_all();
        let arrived = |detector: &ServiceDetector| Timestamp(detector.arrived_nanos());
        self.by_service.retain(|service, detector| !means_all(service, arrived(detector)));
    }

    pub(super) fn record_scorer(&self, service: &str) -> MinedRecords {
        match self.by_service.get(service) {
            Some(detector) => detector.record_scorer(),
            None => self.told(ServiceDetector::hiding_words(service)).record_scorer(),
        }
    }

    /// What is under way of the kind and the services that a filter is about: open episodes, minutes that are not over, the
    /// detectors themselves.
    pub(super) fn under_way(&self, partition: PartitionId, filter: &NoteFilter) -> Vec<Note> {
        let wants = |kind: NoteKind, service: &str| filter.is_about(kind as u8, service);
        let of_service = |(service, detector): (&String, &ServiceDetector)| {
            if wants(NoteKind::Episode, service) {
                let (open, until) = detector.open_episode().zip(detector.open_until())?;
                // An incident of the past, while the past is loaded, is none of today.
                return note(service, open).map(|note| Note { to: until.0, ..note });
            }
            if wants(NoteKind::Window, service) {
                return detector.minute_so_far().and_then(|minute| note(service, minute));
            }
            wants(NoteKind::Detector, service)
                .then(|| note(service, &described(partition, service, detector)))
                .flatten()
        };
        self.by_service.iter().filter_map(of_service).collect()
    }

    pub(super) fn services(&self) -> usize {
        self.by_service.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.by_service.values().map(ServiceDetector::memory_bytes).sum()
    }

    fn make_room(&mut self, findings: &mut Findings) {
        if self.by_service.len() < SERVICES_MAX {
            return;
        }
        let idle = self.by_service.iter().min_by_key(|(_, detector)| detector.arrived_nanos());
        let Some(service) = idle.map(|(service, _)| service.clone()) else { return };
        if let Some(detector) = self.by_service.remove(&service) {
            findings.notes.extend(detector.end().and_then(|episode| note(&service, &episode)));
        }
    }
}

fn described(partition: PartitionId, service: &str, detector: &ServiceDetector) -> Detector {
    let budget = detector.budget();
    Detector {
        service: service.to_owned(),
        partition,
        is_warming_up: detector.is_warming_up(),
        has_incident: detector.open_episode().is_some(),
        templates: detector.miner().templates().len() as u32,
        memory_bytes: detector.memory_bytes() as u64,
        alerts_expected: budget.alerts_expected(),
        alerts_raised: budget.alerts_actual() as u32,
        threshold: budget.floor(),
    }
}

/// Makes notes of what a detector said.
fn note_all(service: &str, said: &mut TickScores, findings: &mut Findings) {
    let notes = &mut findings.notes;
    notes.extend(said.minutes.iter().filter_map(|minute| note(service, minute)));
    notes.extend(said.closed.iter().filter_map(|(_, episode)| note(service, episode)));
    notes.extend(said.pattern_counts.iter().filter_map(|counts| note(service, counts)));
    notes.extend(said.pattern_texts.iter().filter_map(|text| note(service, text)));
    findings.alerts.extend(said.alerts.drain(..).map(|alert| (service.to_owned(), alert)));
    said.clear();
}

/// The rows of each service among some rows of a batch.
pub(crate) fn rows_by_service(batch: &RecordBatch, rows: Range<u32>) -> Vec<(&str, Vec<u32>)> {
    let service_of = |row: u32| batch.service.get(row as usize).map(|service| usize::from(*service));
    let mut counts = vec![0; batch.services.len()];
    for service in rows.clone().filter_map(service_of) {
        if let Some(count) = counts.get_mut(service) {
            *count += 1;
        }
    }
    let mut rows_of: Vec<Vec<u32>> = counts.into_iter().map(Vec::with_capacity).collect();
    for row in rows {
        if let Some(rows) = service_of(row).and_then(|service| rows_of.get_mut(service)) {
            rows.push(row);
        }
    }
    batch.services.iter().map(String::as_str).zip(rows_of).filter(|(_, rows)| !rows.is_empty()).collect()
}
