//! What a request's body may be, besides our own JSON: one folder or file a protocol, each a reader of drafts.
//!
//! A protocol knows its bytes and how its words map to ours (`docs/clients.md`); nothing of HTTP, partitions or identities.

pub mod elasticsearch;
pub mod journal;
mod level_in_text;
pub mod loki;
mod otlp;
mod payload;
pub(crate) mod protobuf;
pub mod splunk;
pub mod syslog;
#[cfg(test)]
pub(super) mod testing;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

pub use otlp::OtlpEncoding;

use super::framing::BodyFormat;
use super::rejection::RequestError;
use super::split::{ParsedRequest, RequestContext, parse_records, parse_request};

/// How the records lie in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Our own: one JSON object, an array, or one object a line.
    Json(BodyFormat),
    /// Logs of OpenTelemetry.
    Otlp(OtlpEncoding),
    Loki(loki::Encoding),
    /// A bulk request; the index of its path.
    Elasticsearch {
        index: Option<String>,
    },
    /// [`syslog::Messages`].
    Syslog(syslog::SyslogClock),
    /// Entries of a journal.
    Journal,
    Splunk(splunk::SplunkBody),
}

impl Protocol {
    /// Reads the (decompressed) body of a request.
    pub fn parse<'a>(
        &'a self,
        body: &'a [u8],
        context: &'a RequestContext<'a>,
    ) -> Result<ParsedRequest, RequestError> {
        match self {
            Protocol::Json(format) => parse_request(body, *format, context),
            Protocol::Otlp(encoding) => otlp::parse(body, *encoding, context),
            Protocol::Loki(encoding) => loki::parse(*encoding, body, context),
            Protocol::Elasticsearch { index } => elasticsearch::parse(body, index.as_deref(), context),
            Protocol::Journal => {
                parse_records(body, &mut journal::JournalRecords::new(body, context.limits), context)
            }
            Protocol::Splunk(how) => {
                parse_records(body, &mut splunk::SplunkRecords::new(body, how, context.limits), context)
            }
            Protocol::Syslog(clock) => {
                parse_records(body, &mut syslog::SyslogRecords::new(body, clock, context.limits), context)
            }
        }
    }

    /// What tells a body from others: of the same sender, in the same protocol, it is the same request sent again.
    pub fn digest(&self, body: &[u8], token_service: Option<&str>) -> u128 {
        let seed = xxh3_64(format!("{self:?} {token_service:?}").as_bytes());
        xxh3_128_with_seed(body, seed)
    }
}
