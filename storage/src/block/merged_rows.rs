//! Rows of several blocks in the order of one, without those that are left out. The same as if their records had been
//! sealed together.

use std::collections::BTreeMap;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{Level, Timestamp};

use super::sorted::{NOWHERE, SortedRows, gather_fields};
use crate::column_source::ServiceRun;

/// Where a row of the merged block comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    timestamp: i64,
    offset: u64,
    part: usize,
    row: usize,
}

impl SortedRows {
    /// Puts parts together, without the rows at `omitted` offsets, which ascend.
    pub(super) fn merged(parts: &[SortedRows], omitted: &[u64]) -> SortedRows {
        let (services, order) = order(parts, omitted);
        let mut places: Vec<Vec<u32>> = parts.iter().map(|part| vec![NOWHERE; part.len()]).collect();
        let mut rows = SortedRows { services, ..SortedRows::default() };
        for (place, origin) in (0u32..).zip(&order) {
            if let Some(slot) = places.get_mut(origin.part).and_then(|part| part.get_mut(origin.row)) {
                *slot = place;
            }
            if let Some(part) = parts.get(origin.part) {
                rows.push_from(part, origin.row);
            }
        }
        for (part, places) in parts.iter().zip(&places) {
            let placed = part.anomalies.iter().filter_map(|(row, reason)| {
                let place = places.get(*row as usize).filter(|place| **place != NOWHERE)?;
                Some((*place, reason.clone()))
            });
            rows.anomalies.extend(placed);
        }
        rows.anomalies.sort();
        rows.fields = gather_fields(parts.iter().map(|part| part.fields.as_slice()), &places, order.len());
        rows
    }

    fn push_from(&mut self, part: &SortedRows, row: usize) {
        self.timestamp.extend(part.timestamp.get(row));
        self.level.extend(part.level.get(row));
        self.message.push(part.message.get(row));
        self.latency_ms.extend(part.latency_ms.get(row));
        self.offset.extend(part.offset.get(row));
        self.created_at.extend(part.created_at.get(row));
        self.anomaly_score.extend(part.anomaly_score.get(row));
    }

    /// The minute aggregates of these rows.
    pub(super) fn minutes(&self) -> BTreeMap<MinuteKey, MinuteAggregate> {
        let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
        let mut anomalies = self.anomalies.iter().map(|(row, _)| *row as usize).peekable();
        let mut row = 0;
        for run in &self.services {
            // Rows of a run ascend in time, so a minute's aggregates are together.
            let mut of_minute: BTreeMap<(i64, u8), MinuteAggregate> = BTreeMap::new();
            while row < run.end_row as usize {
                let is_anomaly = anomalies.next_if_eq(&row).is_some();
                if let (Some(timestamp), Some(level), Some(latency_ms)) =
                    (self.timestamp.get(row), self.level.get(row), self.latency_ms.get(row))
                {
                    let latency_ms = Some(*latency_ms).filter(|latency_ms| !latency_ms.is_nan());
                    let key = (Timestamp(*timestamp).minute(), *level);
                    of_minute.entry(key).or_default().add(is_anomaly, latency_ms);
                }
                row += 1;
            }
            minutes.extend(of_minute.into_iter().map(|((minute, level), aggregate)| {
                let level = Level::from_number(level).unwrap_or_default();
                (MinuteKey { service: run.service.clone(), minute, level }, aggregate)
            }));
        }
        minutes
    }
}

/// The services with their rows, and where each row comes from.
fn order(parts: &[SortedRows], omitted: &[u64]) -> (Vec<ServiceRun>, Vec<Origin>) {
    let mut of_service: BTreeMap<&str, Vec<Origin>> = BTreeMap::new();
    for (number, part) in parts.iter().enumerate() {
        let mut start = 0;
        for run in &part.services {
            let end = run.end_row as usize;
            let rows = (start..end).filter_map(|row| {
                let (timestamp, offset) = (*part.timestamp.get(row)?, *part.offset.get(row)?);
                let is_kept = omitted.binary_search(&offset).is_err();
                is_kept.then_some(Origin { timestamp, offset, part: number, row })
            });
            of_service.entry(&run.service).or_default().extend(rows);
            start = end;
        }
    }
    let mut services = Vec::with_capacity(of_service.len());
    let mut order: Vec<Origin> = Vec::new();
    for (service, mut rows) in of_service {
        rows.sort_unstable();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { continue };
        let (first_timestamp, last_timestamp) = (first.timestamp, last.timestamp);
        order.extend(&rows);
        let end_row = order.len() as u32;
        services.push(ServiceRun { service: service.to_owned(), end_row, first_timestamp, last_timestamp });
    }
    (services, order)
}
