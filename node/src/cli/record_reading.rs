//! Reads records from files as a node reads them from requests: the same parser, the same rules.

use insighthub_model::limits::{IngestLimits, REJECTIONS_LISTED_MAX};
use insighthub_model::retention::Retention;
use insighthub_model::routing::HomeRoutes;
use insighthub_model::{RecordBatch, Timestamp};

use crate::ingest::{BodyFormat, RequestContext, parse_request};

/// Given by the parser to records that name no time.
const NO_TIME: Timestamp = Timestamp(0);

/// A batch of the one record a line holds, or why a node would refuse it. Files are old, or made for tests: no record is too
/// old here, and none lies in the future.
pub(super) fn read_record(line: &str) -> Result<RecordBatch, String> {
    let limits = IngestLimits { future_secs_max: u64::MAX, ..IngestLimits::default() };
    let context = RequestContext {
        limits: &limits,
        retention: &Retention::default(),
        partitions: 1,
        routes: &HomeRoutes { partitions: 1 },
        now: NO_TIME,
        origin: "file",
        token_service: None,
        enrich: &[],
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    let parsed =
        parse_request(line.as_bytes(), BodyFormat::Detect, &context).map_err(|error| error.to_string())?;
    if let Some(refused) = parsed.rejections.first() {
        let field = refused.field.as_ref().map_or_else(String::new, |field| format!("{field}: "));
        return Err(format!("{field}{}", refused.reason));
    }
    let records = parsed.chunks.into_iter().next().map(|chunk| chunk.records).unwrap_or_default();
    match records.timestamp.first() {
        None => Err("no record".to_owned()),
        Some(time) if *time == NO_TIME.0 => {
            Err("timestamp: a record without a time cannot be scored".to_owned())
        }
        Some(_) => Ok(records),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_a_node_reads_it() {
        let read = read_record(
            r#"{"timestamp":"2031-01-05T00:00:01.5Z","service":"auth","level":"WARN","message":"m","latency_ms":12}"#,
        );
        let batch = read.unwrap();
        assert_eq!((batch.len(), batch.service_of(0), batch.message.get(0)), (1, "auth", "m"));
        assert_eq!(Timestamp(batch.timestamp[0]).to_string(), "2031-01-05T00:00:01.500Z");
    }

    #[test]
    fn a_line_that_a_node_would_refuse_is_refused_with_its_reason() {
        assert!(
            read_record("{\"message\":1").unwrap_err().contains("broken"),
            "{:?}",
            read_record("{\"message\":1")
        );
        let old = read_record(r#"{"timestamp":"not a time","service":"a","message":"m"}"#).unwrap_err();
        assert!(old.starts_with("timestamp: "), "{old}");
        let none = read_record(r#"{"service":"a","message":"m"}"#).unwrap_err();
        assert!(none.contains("without a time"), "{none}");
    }
}
