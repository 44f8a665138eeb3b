//! Doors for the fuzz targets to what reads bytes of disks and peers. Each reads anything, and asserts what must hold of
//! what was read; nothing here is used by a node.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use insighthub_model::query::Regex;

use crate::block::{BlockCache, BlockReader};
use crate::cluster::message::{self, Request, Response};
use crate::command::{EncodedBatch, Payload};
use crate::fs::SimFs;
use crate::query;
use crate::raft::wire;
use crate::snapshot;
use crate::transport;
use crate::wal::record::RecordHeader;

/// A record of the write-ahead log, as recovery finds it. The checksum is made right for every second input, so that what
/// lies behind it is reached.
pub fn wal_record(input: &[u8]) {
    const SEED: u32 = 7;
    let Some((choice, bytes)) = input.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if choice & 1 == 1
        && let Some((crc, rest)) = bytes.split_first_chunk_mut::<4>()
        && let Some(covered) = rest.get(..crate::wal::record::RECORD_HEADER_BYTES - 4)
    {
        *crc = crc32c::crc32c_append(SEED, covered).to_le_bytes();
    }
    let Ok(header) = RecordHeader::decode(&bytes, SEED) else { return };
    let again = header.encode(SEED);
    assert!(RecordHeader::decode(&again, SEED) == Ok(header), "what was read is written alike");
    assert!(header.stored_bytes() % 8 == 0, "records are aligned");
    let payload = bytes.get(again.len()..).unwrap_or_default();
    let is_whole = header.check_payload(payload).is_ok();
    assert!(
        !is_whole || payload.len() == header.payload_bytes as usize,
        "a payload is as long as its header says"
    );
}

/// A snapshot's file.
pub fn snapshot_file(input: &[u8]) {
    let sealed = [&crc32fast::hash(input).to_le_bytes()[..], input].concat();
    for bytes in [input, &sealed] {
        let Ok(read) = snapshot::decode(bytes) else { continue };
        let written = snapshot::encode(&read);
        assert!(written.is_ok(), "what was read can be written");
    }
}

/// Messages of Raft and requests between nodes, after the handshake.
pub fn peer_message(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else { return };
    match choice % 7 {
        0 => {
            let Ok(append) = wire::decode_append(Bytes::copy_from_slice(bytes)) else { return };
            let written = wire::encode_append(append);
            assert!(
                written.is_ok_and(|written| wire::decode_append(written).is_ok()),
                "an append reads back"
            );
        }
        1 => drop(wire::decode::<wire::SnapshotMessage>(bytes)),
        2 => drop(wire::decode::<wire::VoteAnswer>(bytes)),
        3 => drop(message::decode::<Request>(bytes)),
        4 => drop(message::decode::<Response>(bytes)),
        5 => drop(EncodedBatch::from_bytes(Bytes::copy_from_slice(bytes))),
        _ => drop(Payload::from_bytes(Bytes::copy_from_slice(bytes)).take_command()),
    }
}

/// What comes over a peer's connection: hellos, and frames in pieces.
pub fn peer_bytes(input: &[u8]) {
    transport::read_hello(input);
    transport::read_frames(input);
}

/// An expression of a query, in any text.
pub fn search_for(pattern: &Regex, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    assert!(query::finds_what_it_requires(pattern, &text), "{:?} in {text:?}", pattern.pattern());
}

/// A block file, with all that is read of one.
pub fn block_file(bytes: &[u8]) {
    let fs = SimFs::new(1).as_fs();
    let path = Path::new("fuzzed.block");
    let written = fs.create_dir_all(Path::new("")).and_then(|()| fs.replace(path, bytes));
    if written.is_err() {
        return;
    }
    let Ok(block) = BlockReader::open(fs.as_ref(), path, Arc::new(BlockCache::new(1 << 20))) else { return };
    drop(block.minutes());
    drop(block.dead_letters());
    drop(block.notes());
    drop(block.verify());
}
