//! Which partitions hold a service: rendezvous hashing (Thaler and Ravishankar 1996), so that the
//! answer depends on the names alone and is the same on every node.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::PartitionId;

/// Where the records of a service go that come with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this partition, in chunks with whatever else goes there.
    Shared(PartitionId),
    /// To this partition, in chunks of their own: the service is spread and the request has an identity that
    /// a retry repeats.
    Apart(PartitionId),
    /// It must be decided first over how many partitions this producer spreads the service.
    Undecided,
}

/// Knows the routes of one request.
pub trait Routes: std::fmt::Debug {
    fn route(&self, service: &str) -> Route;
}

/// Every service at home, none of them spread.
#[derive(Clone, Copy, Debug)]
pub struct HomeRoutes {
    /// Partitions of the cluster, at least 1.
    pub partitions: u16,
}

impl Routes for HomeRoutes {
    fn route(&self, service: &str) -> Route {
        Route::Shared(partition_of(service, self.partitions))
    }
}

/// The home partition of a service among `partitions` (at least 1).
pub fn partition_of(service: &str, partitions: u16) -> PartitionId {
    PartitionId((0..partitions).max_by_key(|partition| weight(service, *partition)).unwrap_or(0))
}

/// The partitions of a service that is spread over `spread` of them, its home first. Those of a smaller spread
/// stand in front of those that a larger one adds.
pub fn partitions_of(service: &str, partitions: u16, spread: u16) -> Vec<PartitionId> {
    let mut all: Vec<u16> = (0..partitions.max(1)).collect();
    all.sort_by_key(|partition| std::cmp::Reverse((weight(service, *partition), *partition)));
    all.truncate(usize::from(spread.max(1)));
    all.into_iter().map(PartitionId).collect()
}

fn weight(service: &str, partition: u16) -> u64 {
    xxh3_64_with_seed(service.as_bytes(), u64::from(partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_spread_over_all_partitions() {
        let mut counts = [0; 8];
        for service in 0..8_000 {
            counts[usize::from(partition_of(&format!("service-{service}"), 8).0)] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_ninth_partition_moves_services_only_to_itself() {
        for service in 0..1_000 {
            let name = format!("service-{service}");
            let (before, after) = (partition_of(&name, 8), partition_of(&name, 9));
            assert!(after == before || after.0 == 8);
        }
    }

    #[test]
    fn a_spread_that_grows_keeps_its_partitions_and_begins_at_home() {
        for service in 0..200 {
            let name = format!("service-{service}");
            let all = partitions_of(&name, 8, 8);
            assert_eq!(all.first(), Some(&partition_of(&name, 8)));
            let distinct: std::collections::BTreeSet<_> = all.iter().collect();
            assert_eq!(distinct.len(), 8);
            for spread in 1..8 {
                assert_eq!(partitions_of(&name, 8, spread), all[..usize::from(spread)]);
            }
        }
        assert_eq!(partitions_of("a", 2, 9).len(), 2, "there are no more than there are");
    }
}
