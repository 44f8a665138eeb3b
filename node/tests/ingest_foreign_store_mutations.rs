//! Pushes to Loki, bulk requests to Elasticsearch and 20,000 mutations of them, the same in every run, against all that must hold
//! of a parsed request. The fuzz target in `node/fuzz` goes on from here without end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

#[path = "../fuzz/check_request.rs"]
mod check_request;
mod mutations;

use mutations::{Corpus, check_mutations};

/// Some twenty seconds of them.
const MUTATIONS: usize = 400_000;

/// Pieces that turn up at the edges of these protocols.
const PIECES: [&[u8]; 20] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\n",
    b"null",
    b"\\\"",
    b"\xff",
    b"\"stream\":{},",
    b"\"values\":[],",
    b"[\"1\",\"{\\\"a\\\":1}\"],",
    b"{\"index\":{}}\n",
    b"{\"delete\":{}}\n",
    b"\"service\":{\"name\":\"s\"},",
    b"\x0a\x00",
    b"\x12\x00",
    b"\x0a\x02{}",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
];

#[test]
fn nothing_is_lost_or_invented_whatever_is_sent() {
    let corpus = Corpus { folder: "seeds-foreign_store", seeds_min: 10, pieces: &PIECES };
    check_mutations(&corpus, MUTATIONS, check_request::check_foreign_store);
}
