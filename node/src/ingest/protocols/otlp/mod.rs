//! Logs of OpenTelemetry (OTLP): an `ExportLogsServiceRequest` in Protocol Buffers or in JSON.
//!
//! `protobuf` and `json` (with `json_record`) find the records and read their parts; `mapping` is what becomes of the parts, the
//! same for both, over the values that `values` takes apart; `shared` keeps what the records of a resource or scope have in
//! common. How the words of OpenTelemetry map to ours is told in `docs/otlp.md`. Knows nothing of HTTP or gRPC.

mod json;
mod json_record;
mod json_values;
mod mapping;
mod protobuf;
mod shared;
mod values;

use crate::ingest::rejection::RequestError;
use crate::ingest::split::{ParsedRequest, RequestContext, parse_records};

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpEncoding {
    Protobuf,
    Json,
}

/// Reads a request. One without records is good: clients look with it whether somebody is there.
pub(super) fn parse<'a>(
    body: &'a [u8],
    encoding: OtlpEncoding,
    context: &'a RequestContext<'a>,
) -> Result<ParsedRequest, RequestError> {
    match encoding {
        OtlpEncoding::Protobuf => {
            let mut records = protobuf::ProtobufRecords::new(body, context.limits);
            let parsed = parse_records(body, &mut records, context)?;
            records.broken().map_or(Ok(parsed), |reason| Err(RequestError::Broken(reason)))
        }
        OtlpEncoding::Json => {
            let text = std::str::from_utf8(body).map_err(|error| {
                RequestError::Broken(format!("it is not UTF-8 at byte {}", error.valid_up_to() + 1))
            })?;
            let mut records = json::JsonRecords::new(text, context.limits);
            let parsed = parse_records(body, &mut records, context)?;
            records.broken().map_or(Ok(parsed), |reason| Err(RequestError::Broken(reason)))
        }
    }
}
