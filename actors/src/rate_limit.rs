//! How many records a service may send: a token bucket each (Turner 1986), on a clock that is an argument.

use std::collections::HashMap;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

/// Buckets kept; a full bucket carries no information, so those are dropped first.
const BUCKETS_MAX: usize = 20_000;

/// Records of one service that want to pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand<'a> {
    pub(crate) service: &'a str,
    pub(crate) records: usize,
    /// Over how many partitions the service is spread: this one passes its share of the limit.
    pub(crate) spread: u16,
}

/// One bucket per service.
#[derive(Debug)]
pub(crate) struct RateLimit {
    /// Records per second; 0 means no limit.
    records_per_sec: u64,
    burst_records: u64,
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    records: f64,
    filled_at: Timestamp,
}

impl RateLimit {
    pub(crate) fn new(records_per_sec: u64, burst_records: u64) -> RateLimit {
        let burst_records = if burst_records == 0 { records_per_sec } else { burst_records };
        RateLimit { records_per_sec, burst_records, buckets: HashMap::new() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.records_per_sec > 0
    }

    /// Takes the records of all services, or of none: then the first service that sends too much and
    /// the seconds until it may send again.
    pub(crate) fn take(&mut self, demands: &[Demand<'_>], now: Timestamp) -> Result<(), (String, u64)> {
        if !self.is_on() {
            return Ok(());
        }
        for demand in demands {
            let share = 1.0 / f64::from(demand.spread.max(1));
            let (rate, burst) = (self.records_per_sec as f64 * share, self.burst_records as f64 * share);
            let available = self.fill(demand.service, rate, burst, now);
            // More than the burst at once could never pass; it passes when the bucket is full.
            let wanted = (demand.records as f64).min(burst);
            if available < wanted {
                let secs = ((wanted - available) / rate).ceil() as u64;
                return Err((demand.service.to_owned(), secs.max(1)));
            }
        }
        for demand in demands {
            if let Some(bucket) = self.buckets.get_mut(demand.service) {
                bucket.records -= demand.records as f64;
            }
        }
        Ok(())
    }

    fn fill(&mut self, service: &str, rate: f64, burst: f64, now: Timestamp) -> f64 {
        if !self.buckets.contains_key(service) {
            if self.buckets.len() >= BUCKETS_MAX {
                self.buckets.retain(|_, bucket| bucket.records < burst);
            }
            self.buckets.insert(service.to_owned(), Bucket { records: burst, filled_at: now });
        }
        let Some(bucket) = self.buckets.get_mut(service) else { return burst };
        let passed = now.0.saturating_sub(bucket.filled_at.0).max(0) as f64 / NANOS_PER_SEC as f64;
        bucket.records = (bucket.records + passed * rate).min(burst);
        bucket.filled_at = now;
        bucket.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp(secs * NANOS_PER_SEC)
    }

    fn all(service: &str, records: usize) -> Demand<'_> {
        Demand { service, records, spread: 1 }
    }

    #[test]
    fn a_spread_service_passes_its_share_at_each_of_its_partitions() {
        let mut limit = RateLimit::new(100, 100);
        let part = |records| Demand { service: "a", records, spread: 4 };
        assert_eq!(limit.take(&[part(25)], at(0)), Ok(()));
        assert_eq!(limit.take(&[part(5)], at(0)), Err(("a".into(), 1)));
        assert_eq!(limit.take(&[part(25)], at(1)), Ok(()));
    }

    #[test]
    fn a_service_that_sends_too_much_is_told_when_to_come_again() {
        let mut limit = RateLimit::new(10, 20);
        assert_eq!(limit.take(&[all("a", 20)], at(0)), Ok(()));
        assert_eq!(limit.take(&[all("a", 15)], at(0)), Err(("a".into(), 2)));
        assert_eq!(limit.take(&[all("b", 15)], at(0)), Ok(()));
        assert_eq!(limit.take(&[all("a", 15)], at(2)), Ok(()));
    }

    #[test]
    fn a_refused_request_takes_nothing_from_the_others() {
        let mut limit = RateLimit::new(10, 10);
        assert_eq!(limit.take(&[all("a", 10)], at(0)), Ok(()));
        assert!(limit.take(&[all("b", 10), all("a", 1)], at(0)).is_err());
        assert_eq!(limit.take(&[all("b", 10)], at(0)), Ok(()));
    }

    #[test]
    fn a_batch_above_the_burst_passes_a_full_bucket_and_is_paid_back() {
        let mut limit = RateLimit::new(10, 10);
        assert_eq!(limit.take(&[all("a", 30)], at(0)), Ok(()));
        assert_eq!(limit.take(&[all("a", 1)], at(1)), Err(("a".into(), 2)));
    }
}
