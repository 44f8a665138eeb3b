//! Sees when the leader of a partition is the bottleneck of one service. Pure: no actor, no clock.

use std::collections::HashMap;

/// Looks at the partition that make one judgement.
const LOOKS: u32 = 50;
/// So many of them must find proposals waiting behind proposals.
const LOOKS_SATURATED: u32 = 40;
/// Judgements passed over after one that spread a service: producers follow within some hundred batches.
const REST: u32 = 6;

/// What the partition took in since the last judgement.
#[derive(Debug, Default)]
pub(super) struct Heat {
    looks: u32,
    saturated: u32,
    resting: u32,
    records: HashMap<String, u64>,
    records_total: u64,
}

impl Heat {
    pub(super) fn count(&mut self, service: &str, records: usize) {
        self.records_total += records as u64;
        match self.records.get_mut(service) {
            Some(count) => *count += records as u64,
            None => drop(self.records.insert(service.to_owned(), records as u64)),
        }
    }

    /// Takes a look; after [`LOOKS`] of them names the service that should be spread wider, if most of what a
    /// saturated partition took in was its.
    pub(super) fn look(&mut self, is_saturated: bool) -> Option<String> {
        self.looks += 1;
        self.saturated += u32::from(is_saturated);
        if self.looks < LOOKS {
            return None;
        }
        let past = std::mem::take(self);
        self.resting = past.resting.saturating_sub(1);
        if past.resting > 0 || past.saturated < LOOKS_SATURATED {
            return None;
        }
        let (service, records) = past.records.into_iter().max_by_key(|(_, records)| *records)?;
        (records * 2 > past.records_total).then(|| {
            self.resting = REST;
            service
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(heat: &mut Heat, saturated: u32, hot: usize, others: usize) -> Option<String> {
        heat.count("hot", hot);
        heat.count("a", others / 2);
        heat.count("b", others - others / 2);
        (0..LOOKS).fold(None, |named, look| named.or(heat.look(look < saturated)))
    }

    #[test]
    fn only_a_saturated_partition_names_a_service_and_only_one_that_is_most_of_it() {
        assert_eq!(judge(&mut Heat::default(), LOOKS, 600, 400), Some("hot".to_owned()));
        assert_eq!(judge(&mut Heat::default(), LOOKS_SATURATED - 1, 600, 400), None);
        assert_eq!(judge(&mut Heat::default(), LOOKS, 400, 600), None);
        assert_eq!(judge(&mut Heat::default(), LOOKS, 0, 0), None);
    }

    #[test]
    fn what_was_taken_in_before_does_not_count_again() {
        let mut heat = Heat::default();
        assert_eq!(judge(&mut heat, 0, 1_000, 0), None);
        assert_eq!(judge(&mut heat, LOOKS, 10, 100), None);
    }

    #[test]
    fn after_a_service_was_named_its_producers_have_time_to_follow() {
        let mut heat = Heat::default();
        assert!(judge(&mut heat, LOOKS, 10, 0).is_some());
        for _ in 0..REST {
            assert_eq!(judge(&mut heat, LOOKS, 10, 0), None);
        }
        assert!(judge(&mut heat, LOOKS, 10, 0).is_some());
    }
}
