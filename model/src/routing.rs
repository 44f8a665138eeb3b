//! Which partition holds a service: rendezvous hashing (Thaler and Ravishankar 1996), so that the
//! answer depends on the two names alone and is the same on every node.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::PartitionId;

/// The home partition of a service among `partitions` (at least 1).
pub fn partition_of(service: &str, partitions: u16) -> PartitionId {
    let weight = |partition: &u16| xxh3_64_with_seed(service.as_bytes(), u64::from(*partition));
    PartitionId((0..partitions).max_by_key(weight).unwrap_or(0))
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
}
