//! Requests of real clients of OpenTelemetry and 20,000 mutations of them, the same in every run, against all that must hold of
//! a parsed request. The fuzz target in `node/fuzz` goes on from here without end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

#[path = "../fuzz/check_request.rs"]
mod check_request;
mod mutations;

use mutations::{Corpus, check_mutations};

/// Some twenty seconds of them.
const MUTATIONS: usize = 400_000;

/// Pieces that turn up at the edges of both encodings.
const PIECES: [&[u8]; 26] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"null",
    b"1e400",
    b"\\ud83d",
    b"\xff",
    b"\"resource\":{},",
    b"\"scopeLogs\":[],",
    b"\"logRecords\":[{}],",
    b"{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}},",
    b"{\"kvlistValue\":{\"values\":[]}}",
    b"{\"arrayValue\":{\"values\":[{}]}}",
    b"\"body\":null,",
    b"\"traceId\":\"\",",
    b"\x0a\x00",
    b"\x12\x00",
    b"\x12\x02\x12\x00",
    b"\x2a\x05\x0a\x03abc",
    b"\x32\x07\x0a\x01a\x12\x02\x18\x01",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x39\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x0b",
];

#[test]
fn nothing_is_lost_or_invented_whatever_is_sent() {
    let corpus = Corpus { folder: "seeds-otlp", seeds_min: 8, pieces: &PIECES };
    check_mutations(&corpus, MUTATIONS, check_request::check_otlp);
}
