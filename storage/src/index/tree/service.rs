//! What is known of a service without reading its logs. Key: partition, name.

use insighthub_model::PartitionId;
use serde::{Deserialize, Serialize};

use super::super::IndexError;

/// Sealed records of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSummary {
    pub records: u64,
    /// Nanoseconds since 1970, by the records' own clocks.
    pub first_timestamp: i64,
    pub last_timestamp: i64,
}

impl ServiceSummary {
    pub(in crate::index) fn of_record(timestamp: i64) -> ServiceSummary {
        ServiceSummary { records: 1, first_timestamp: timestamp, last_timestamp: timestamp }
    }

    /// Both together.
    pub fn merged(self, other: ServiceSummary) -> ServiceSummary {
        ServiceSummary {
            records: self.records + other.records,
            first_timestamp: self.first_timestamp.min(other.first_timestamp),
            last_timestamp: self.last_timestamp.max(other.last_timestamp),
        }
    }
}

pub(in crate::index) fn key(partition: PartitionId, service: &str) -> Vec<u8> {
    [&prefix(partition)[..], service.as_bytes()].concat()
}

pub(in crate::index) fn prefix(partition: PartitionId) -> [u8; 2] {
    partition.0.to_be_bytes()
}

pub(in crate::index) fn service_of(key: &[u8]) -> Result<String, IndexError> {
    let name = key.get(2..).unwrap_or(&[]).to_vec();
    String::from_utf8(name).map_err(IndexError::damaged)
}

pub(in crate::index) fn encode(summary: ServiceSummary) -> Result<Vec<u8>, IndexError> {
    super::encode(&summary)
}

pub(in crate::index) fn decode(bytes: &[u8]) -> Result<ServiceSummary, IndexError> {
    super::decode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_service_reads_back(name in "\\PC{0,20}", partition in any::<u16>(), records in any::<u64>(), times in any::<(i64, i64)>()) {
            let summary = ServiceSummary { records, first_timestamp: times.0, last_timestamp: times.1 };
            prop_assert_eq!(decode(&encode(summary).unwrap()).unwrap(), summary);
            prop_assert_eq!(service_of(&key(PartitionId(partition), &name)).unwrap(), name);
        }
    }
}
