//! What a partition no longer keeps because it is too old. Part of its replicated state; it only rises.

use std::collections::BTreeMap;

use insighthub_model::aggregate::MinuteKey;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{Offset, Timestamp};
use serde::{Deserialize, Serialize};

use crate::column_source::{ColumnError, ColumnSource};

/// A leader's wish to keep less.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// First minute that is kept of services not named; `None` for all.
    pub default_minute: Option<i64>,
    pub services: BTreeMap<String, Option<i64>>,
    /// First offset that is kept.
    pub floor: Offset,
}

/// Minutes and offset below which nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    default_minute: i64,
    /// Services that differ.
    services: BTreeMap<String, i64>,
    floor: Offset,
}

impl Default for Horizon {
    fn default() -> Self {
        Horizon { default_minute: i64::MIN, services: BTreeMap::new(), floor: 0 }
    }
}

impl Horizon {
    /// Raises the horizon; nothing that was hidden comes back, also where a service is now to be kept for longer.
    pub fn raise(&mut self, expiry: &Expiry, next_offset: Offset) {
        let default_minute = self.default_minute.max(expiry.default_minute.unwrap_or(i64::MIN));
        let mut services = BTreeMap::new();
        for service in self.services.keys().chain(expiry.services.keys()) {
            let wanted = expiry.services.get(service).copied().unwrap_or(expiry.default_minute);
            let minute = self.minute_of(service).max(wanted.unwrap_or(i64::MIN));
            if minute != default_minute {
                services.insert(service.clone(), minute);
            }
        }
        let floor = self.floor.max(expiry.floor.min(next_offset));
        *self = Horizon { default_minute, services, floor };
    }

    /// The first minute that is kept of a service.
    pub fn minute_of(&self, service: &str) -> i64 {
        self.services.get(service).copied().unwrap_or(self.default_minute)
    }

    /// The first nanosecond that is kept of a service.
    pub fn kept_from(&self, service: &str) -> i64 {
        start_of(self.minute_of(service))
    }

    pub fn floor(&self) -> Offset {
        self.floor
    }

    /// The latest first nanosecond of any service.
    fn latest(&self) -> i64 {
        start_of(self.services.values().copied().fold(self.default_minute, i64::max))
    }

    pub fn hides_minute(&self, key: &MinuteKey) -> bool {
        key.minute < self.minute_of(&key.service)
    }

    pub fn hides_letter(&self, letter: &DeadLetter) -> bool {
        let minute = letter.service.as_deref().map_or(self.default_minute, |service| self.minute_of(service));
        letter.received_at.minute() < minute
    }

    /// False when it hides no row of the source; reads no column.
    pub fn may_hide_in(&self, source: &dyn ColumnSource) -> bool {
        source.rows() > 0 && (source.offset_range().0 < self.floor || source.time_range().0 < self.latest())
    }

    /// Marks the rows it hides.
    pub(super) fn mark(&self, source: &dyn ColumnSource, hidden: &mut [bool]) -> Result<(), ColumnError> {
        if source.offset_range().0 < self.floor {
            for (mark, offset) in hidden.iter_mut().zip(source.offset()?.iter()) {
                *mark |= *offset < self.floor;
            }
        }
        if source.time_range().0 < self.latest() {
            let kept_from: Vec<i64> =
                source.services().iter().map(|service| self.kept_from(service)).collect();
            let (timestamps, services) = (source.timestamp()?, source.service()?);
            for ((mark, timestamp), service) in hidden.iter_mut().zip(timestamps.iter()).zip(services.iter())
            {
                *mark |= kept_from.get(usize::from(*service)).is_some_and(|first| timestamp < first);
            }
        }
        Ok(())
    }

    /// The rows of a batch that are too old to be stored, each with its service's first moment.
    pub(crate) fn too_old(&self, batch: &insighthub_model::RecordBatch) -> Vec<(u32, Timestamp)> {
        let latest = self.latest();
        if latest == i64::MIN || batch.timestamp.iter().all(|timestamp| *timestamp >= latest) {
            return Vec::new();
        }
        let kept_from: Vec<i64> = batch.services.iter().map(|service| self.kept_from(service)).collect();
        let rows = (0u32..).zip(batch.timestamp.iter().zip(&batch.service));
        rows.filter_map(|(row, (timestamp, service))| {
            let first = *kept_from.get(usize::from(*service))?;
            (*timestamp < first).then_some((row, Timestamp(first)))
        })
        .collect()
    }
}

fn start_of(minute: i64) -> i64 {
    Timestamp::from_minute(minute).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiry(default: Option<i64>, services: &[(&str, Option<i64>)]) -> Expiry {
        let services = services.iter().map(|(name, minute)| ((*name).to_owned(), *minute)).collect();
        Expiry { default_minute: default, services, floor: 0 }
    }

    #[test]
    fn a_horizon_never_falls() {
        let mut horizon = Horizon::default();
        horizon.raise(&expiry(Some(100), &[("long", None), ("short", Some(500))]), 0);
        let minutes = |horizon: &Horizon| ["a", "long", "short"].map(|service| horizon.minute_of(service));
        assert_eq!(minutes(&horizon), [100, i64::MIN, 500]);
        horizon.raise(&expiry(Some(90), &[]), 0);
        assert_eq!(minutes(&horizon), [100, 90, 500], "who has no days of its own has the default's");
        horizon.raise(&expiry(Some(600), &[]), 0);
        assert_eq!(minutes(&horizon), [600, 600, 600]);
        assert!(horizon.services.is_empty(), "what does not differ is not kept");
        horizon.raise(&expiry(None, &[("a", None)]), 0);
        assert_eq!(minutes(&horizon), [600, 600, 600]);
    }

    #[test]
    fn a_floor_reaches_no_record_that_is_not_there_yet() {
        let mut horizon = Horizon::default();
        horizon.raise(&Expiry { floor: 50, ..Expiry::default() }, 20);
        assert_eq!(horizon.floor(), 20);
        horizon.raise(&Expiry { floor: 10, ..Expiry::default() }, 90);
        assert_eq!(horizon.floor(), 20);
    }
}
