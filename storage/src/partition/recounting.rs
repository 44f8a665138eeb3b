//! Minute aggregates counted from records: while blocks still hold what must not be seen, the index counts too much.

use std::collections::BTreeMap;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{Level, Timestamp};

use super::replica::Inner;
use crate::column_source::{ColumnError, ColumnSource};
use crate::life::Veil;

impl Inner {
    /// The index and the heads count records that are hidden otherwise than by their minute.
    pub(super) fn must_recount(&self, veil: &Veil) -> bool {
        let floor = veil.horizon.floor();
        let mut heads =
            self.frozen.iter().map(|head| &head.batches).chain([&self.state.head.batches]).flatten();
        !veil.erasures.is_empty()
            || self.blocks.iter().any(|block| block.meta.offset_range.0 < floor)
            || heads.any(|batch| batch.base_offset < floor)
    }
}

/// The aggregates of the visible records of a source.
pub(super) fn count_visible(
    source: &dyn ColumnSource,
    veil: &Veil,
    mut add: impl FnMut(MinuteKey, MinuteAggregate),
) -> Result<(), ColumnError> {
    let mut hidden = veil.hidden_rows(source)?.into_iter().map(|row| row as usize).peekable();
    let (services, levels) = (source.service()?, source.level()?);
    let (timestamps, latencies) = (source.timestamp()?, source.latency_ms()?);
    let anomalies = source.anomalies()?;
    let mut anomalies = anomalies.iter().map(|(row, _)| *row as usize).peekable();
    let mut counted: BTreeMap<(u16, i64, u8), MinuteAggregate> = BTreeMap::new();
    for (row, ((service, timestamp), (level, latency_ms))) in
        services.iter().zip(timestamps.iter()).zip(levels.iter().zip(latencies.iter())).enumerate()
    {
        let is_anomaly = anomalies.next_if_eq(&row).is_some();
        if hidden.next_if_eq(&row).is_some() {
            continue;
        }
        let key = (*service, Timestamp(*timestamp).minute(), *level);
        let latency_ms = Some(*latency_ms).filter(|latency_ms| !latency_ms.is_nan());
        counted.entry(key).or_default().add(is_anomaly, latency_ms);
    }
    for ((service, minute, level), aggregate) in counted {
        let service = source.services().get(usize::from(service)).cloned().unwrap_or_default();
        add(MinuteKey { service, minute, level: Level::from_number(level).unwrap_or_default() }, aggregate);
    }
    Ok(())
}
