//! From the bytes of a request to columnar chunks, one series a partition.
//!
//! `decompress` ► `framing` (which bytes are one record) ► `scan`/`reader` (JSON to a draft) ► `fixed`
//! (what the known fields may hold) ► `split` (columns, chunks, dead letters). Pure: the limits, the time
//! and the sender come as arguments. No record allocates and no JSON tree is built.

mod builders;
mod decompress;
mod fixed;
mod framing;
mod known_keys;
mod number;
mod reader;
mod record;
mod rejection;
mod scan;
mod scan_text;
mod split;

pub use decompress::{DecompressError, decompress};
pub use framing::{BodyFormat, UnsupportedContentType};
pub use rejection::{RecordError, Rejection, RequestError};
pub use split::{ParsedRequest, PartitionChunk, RequestContext, parse_request};
