//! From the bytes of a request to columnar chunks, one series a partition.
//!
//! `decompress` ► `framing` (which bytes are one record) ► `scan`/`reader` (JSON to a draft) ► `fixed`
//! (what the known fields may hold) ► `split` (columns, chunks, dead letters). Other protocols come in at the draft:
//! each is a folder of `protocols` that reads its bytes into drafts (`records`, `attributes`). Pure: the limits, the time
//! and the sender come as arguments. No record allocates and no JSON tree is built.

mod attributes;
mod builders;
mod decompress;
mod fixed;
mod framing;
mod key;
mod known_keys;
mod number;
mod protocols;
mod reader;
mod record;
mod records;
mod rejection;
mod repeated;
mod scan;
mod scan_text;
mod slots;
mod split;

pub use decompress::{DecompressError, decompress};
pub use framing::{BodyFormat, UnsupportedContentType};
pub(crate) use protocols::protobuf;
pub use protocols::{OtlpEncoding, Protocol, elasticsearch, journal, loki, splunk, syslog};
pub use rejection::{RecordError, Rejection, RequestError};
pub use split::{ParsedRequest, PartitionChunk, RequestContext, parse_request};
