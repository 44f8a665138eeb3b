//! The seam between a protocol and the store: a body of whatever protocol is a series of records, each read into a draft.
//!
//! What follows is the same for all: limits, fixed fields, chunks, dead letters.

use super::key::Key;
use super::record::Draft;
use super::rejection::Read;

/// The records of a body, one after the other.
pub(super) trait Records<'a> {
    /// Reads the next record into the draft, which is empty; `None` after the last.
    fn next(&mut self, draft: &mut Draft<'a>) -> Option<Piece<'a>>;
}

/// One record as it was found.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Where it begins in the body.
    pub offset: usize,
    /// Its own bytes.
    pub raw: &'a [u8],
    /// Bytes that it has in common with records around it: a resource, the labels of a stream.
    pub shared_bytes: usize,
    /// What it is known by beside its request.
    pub key: Key,
    /// Whether it could be read. What could not is kept as it came.
    pub read: Read<()>,
}
