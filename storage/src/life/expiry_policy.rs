//! What a leader no longer wants kept: by the age of records, and by the room a node has.

use std::collections::BTreeMap;

use insighthub_model::retention::Retention;
use insighthub_model::{Offset, PartitionId, Timestamp};

use super::{Expiry, Horizon};

/// The horizon follows the clock in steps of this share of the shortest retention that moved, but at least a minute and at
/// most an hour: each step is an entry of the log.
const STEPS: i64 = 48;
const STEP_MINUTES_MAX: i64 = 60;
const MINUTES_PER_DAY: i64 = 1_440;

/// What to propose so that nothing older than the retention is kept; `None` while the horizon is near enough, or where
/// nothing stored is older. `oldest` says of each service stored here its first timestamp.
pub fn expiry_of(
    retention: &Retention,
    horizon: &Horizon,
    now: Timestamp,
    oldest: &BTreeMap<String, i64>,
) -> Option<Expiry> {
    let minute = |days: Option<u32>| days.map(|_| Retention::kept_from(days, now).minute());
    let is_due = |(service, oldest): (&String, &i64)| {
        let days = retention.days_of(service);
        let Some(wanted) = minute(days) else { return false };
        let step = (i64::from(days.unwrap_or(1)) * MINUTES_PER_DAY / STEPS).clamp(1, STEP_MINUTES_MAX);
        // What is stored and visible is older than it may be, by at least a step.
        let visible_from = Timestamp(*oldest).minute().max(horizon.minute_of(service));
        visible_from.saturating_add(step) <= wanted
    };
    oldest.iter().any(is_due).then(|| Expiry {
        default_minute: minute(retention.default_days),
        services: retention.services.iter().map(|(service, days)| (service.clone(), minute(*days))).collect(),
        floor: 0,
    })
}

/// A block on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeBlock {
    pub partition: PartitionId,
    pub bytes: u64,
    /// Its last timestamp.
    pub newest: i64,
    /// The offset after its last.
    pub end_offset: Offset,
}

/// The floors that take `excess` bytes of the oldest data away. Blocks of a partition in order, oldest first; the last one
/// of each stays, whatever its size.
pub fn floors_for(excess: u64, blocks: &[NodeBlock]) -> BTreeMap<PartitionId, Offset> {
    let mut waiting: BTreeMap<PartitionId, Vec<NodeBlock>> = BTreeMap::new();
    for block in blocks.iter().rev() {
        waiting.entry(block.partition).or_default().push(*block);
    }
    let (mut floors, mut freed) = (BTreeMap::new(), 0);
    while freed < excess {
        let droppable = waiting.iter().filter(|(_, blocks)| blocks.len() > 1);
        let next =
            droppable.filter_map(|(partition, blocks)| Some((blocks.last()?.newest, *partition))).min();
        let Some((_, partition)) = next else { break };
        let Some(block) = waiting.get_mut(&partition).and_then(Vec::pop) else { break };
        freed += block.bytes;
        let floor: &mut Offset = floors.entry(partition).or_default();
        *floor = block.end_offset.max(*floor);
    }
    floors
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);

    fn keep(default_days: Option<u32>, services: &[(&str, Option<u32>)]) -> Retention {
        let services = services.iter().map(|(name, days)| ((*name).to_owned(), *days)).collect();
        Retention { default_days, services }
    }

    fn days_ago(days: f64) -> i64 {
        NOW.0 - (days * 86_400e9) as i64
    }

    fn stored(service: &str, days: f64) -> BTreeMap<String, i64> {
        BTreeMap::from([(service.to_owned(), days_ago(days))])
    }

    #[test]
    fn nothing_is_proposed_while_nothing_is_too_old() {
        let horizon = Horizon::default();
        assert_eq!(expiry_of(&keep(None, &[]), &horizon, NOW, &stored("a", 4_000.0)), None);
        assert_eq!(expiry_of(&keep(Some(7), &[]), &horizon, NOW, &stored("a", 6.9)), None);
        assert_eq!(expiry_of(&keep(Some(7), &[("a", None)]), &horizon, NOW, &stored("a", 8.0)), None);
        let expiry = expiry_of(&keep(None, &[("a", Some(7))]), &horizon, NOW, &stored("a", 8.0)).unwrap();
        assert_eq!(expiry.services["a"], Some(Timestamp(days_ago(7.0)).minute()));
    }

    #[test]
    fn the_horizon_follows_in_steps() {
        let retention = keep(Some(7), &[]);
        let mut horizon = Horizon::default();
        horizon.raise(&expiry_of(&retention, &horizon, NOW, &stored("a", 9.0)).unwrap(), 0);
        let minutes_later = |minutes: i64| Timestamp(NOW.0 + minutes * 60_000_000_000);
        assert_eq!(expiry_of(&retention, &horizon, minutes_later(59), &stored("a", 9.0)), None);
        assert!(expiry_of(&retention, &horizon, minutes_later(60), &stored("a", 9.0)).is_some());
    }

    #[test]
    fn the_oldest_data_of_any_partition_goes_first_and_each_keeps_its_last_block() {
        let block = |partition, number: u64, newest| NodeBlock {
            partition: PartitionId(partition),
            bytes: 100,
            newest,
            end_offset: number * 10,
        };
        let blocks = [block(0, 1, 50), block(0, 2, 90), block(1, 1, 40), block(1, 2, 60), block(1, 3, 70)];
        let floors = |excess| {
            floors_for(excess, &blocks).into_iter().map(|(p, floor)| (p.0, floor)).collect::<Vec<_>>()
        };
        assert_eq!(floors(0), []);
        assert_eq!(floors(1), [(1, 10)]);
        assert_eq!(floors(101), [(0, 10), (1, 10)]);
        assert_eq!(floors(10_000), [(0, 10), (1, 20)]);
    }
}
