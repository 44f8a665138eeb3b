//! Minute aggregates. Key: partition, service, minute, level, so that one service's minutes follow one
//! another and services are found by leaping from one to the next.

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{Level, PartitionId};

use super::super::IndexError;

/// Follows a zero byte that belongs to a service's name.
const ESCAPED: u8 = 0xff;
/// Follows the zero byte that ends a service's name; lower than `ESCAPED`, so that names sort before
/// longer ones.
const END: u8 = 0;
const MINUTE_BYTES: usize = 8;

pub(in crate::index) fn key(partition: PartitionId, key: &MinuteKey) -> Vec<u8> {
    place(partition, &key.service, key.minute, key.level as u8)
}

/// The lowest key of a service from a minute on.
pub(in crate::index) fn first_of(partition: PartitionId, service: &str, minute: i64) -> Vec<u8> {
    place(partition, service, minute, 0)
}

/// The highest key of a service up to and with a minute.
pub(in crate::index) fn last_of(partition: PartitionId, service: &str, minute: i64) -> Vec<u8> {
    place(partition, service, minute, u8::MAX)
}

/// Above all keys of a service and below all of the next.
pub(in crate::index) fn after_service(partition: PartitionId, service: &str) -> Vec<u8> {
    let mut bytes = service_prefix(partition, service);
    if let Some(end) = bytes.last_mut() {
        *end = END + 1;
    }
    bytes
}

pub(in crate::index) fn decode_key(bytes: &[u8]) -> Result<(PartitionId, MinuteKey), IndexError> {
    let damaged = || IndexError::damaged("the key of a minute aggregate cannot be read");
    let partition = super::partition_of(bytes)?;
    let mut rest = bytes.get(2..).unwrap_or(&[]);
    let mut name = Vec::new();
    loop {
        match rest {
            [0, END, minute_and_level @ ..] => {
                rest = minute_and_level;
                break;
            }
            [0, ESCAPED, after @ ..] => {
                name.push(0);
                rest = after;
            }
            [0, ..] | [] => return Err(damaged()),
            [byte, after @ ..] => {
                name.push(*byte);
                rest = after;
            }
        }
    }
    let (minute, level) = rest.split_first_chunk::<MINUTE_BYTES>().ok_or_else(damaged)?;
    let [level] = level else { return Err(damaged()) };
    let key = MinuteKey {
        service: String::from_utf8(name).map_err(IndexError::damaged)?,
        minute: i64::from_be_bytes(*minute) ^ i64::MIN,
        level: Level::from_number(*level).ok_or_else(damaged)?,
    };
    Ok((partition, key))
}

pub(in crate::index) fn encode(aggregate: &MinuteAggregate) -> Result<Vec<u8>, IndexError> {
    super::encode(aggregate)
}

pub(in crate::index) fn decode(bytes: &[u8]) -> Result<MinuteAggregate, IndexError> {
    super::decode(bytes)
}

fn service_prefix(partition: PartitionId, service: &str) -> Vec<u8> {
    let mut bytes = partition.0.to_be_bytes().to_vec();
    for byte in service.bytes() {
        bytes.push(byte);
        if byte == 0 {
            bytes.push(ESCAPED);
        }
    }
    bytes.extend([0, END]);
    bytes
}

fn place(partition: PartitionId, service: &str, minute: i64, level: u8) -> Vec<u8> {
    let mut bytes = service_prefix(partition, service);
    // The flipped sign makes bytes sort like numbers.
    bytes.extend((minute ^ i64::MIN).to_be_bytes());
    bytes.push(level);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::aggregate::BUCKETS_MAX;
    use proptest::prelude::*;

    fn keys() -> impl Strategy<Value = (PartitionId, MinuteKey)> {
        let level = prop::sample::select(&Level::ALL[..]);
        let name = "[a-c\0]{0,4}|\\PC{0,8}";
        (0u16..3, name, prop_oneof![any::<i64>(), -2i64..3], level).prop_map(
            |(partition, service, minute, level)| {
                (PartitionId(partition), MinuteKey { service, minute, level })
            },
        )
    }

    proptest! {
        #[test]
        fn a_key_reads_back((partition, minute) in keys()) {
            prop_assert_eq!(decode_key(&key(partition, &minute)).unwrap(), (partition, minute));
        }

        #[test]
        fn keys_sort_like_what_they_say(a in keys(), b in keys()) {
            prop_assert_eq!(key(a.0, &a.1).cmp(&key(b.0, &b.1)), a.cmp(&b));
            if a.1.service < b.1.service {
                let after = after_service(a.0, &a.1.service);
                prop_assert!(key(a.0, &a.1) < after && after < key(a.0, &b.1));
            }
        }

        #[test]
        fn a_value_reads_back(latencies in prop::collection::vec(prop::option::of(0.0f64..1e5), 0..50)) {
            let mut aggregate = MinuteAggregate::default();
            latencies.iter().for_each(|latency| aggregate.add(latency.is_none(), *latency));
            prop_assert_eq!(decode(&encode(&aggregate).unwrap()).unwrap(), aggregate);
        }
    }

    #[test]
    fn the_largest_value_stays_below_what_sled_can_take() {
        let mut aggregate = MinuteAggregate::default();
        for bucket in 0..BUCKETS_MAX * 4 {
            aggregate.add(true, Some(1.015f64.powi(bucket as i32 - 600)));
        }
        for _ in 0..30 {
            aggregate.merge(&aggregate.clone());
        }
        assert_eq!(aggregate.latency.buckets().count(), BUCKETS_MAX);
        let bytes = encode(&aggregate).unwrap();
        assert!(bytes.len() <= 8192, "{} bytes", bytes.len());
    }
}
