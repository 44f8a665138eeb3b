//! The committed seeds and 20,000 mutations of them, the same in every run, against all that must hold
//! of a parsed request. The fuzz target in `node/fuzz` goes on from here without end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

#[path = "../fuzz/check_request.rs"]
mod check_request;
mod mutations;

use mutations::{Corpus, check_mutations};

/// Some twenty seconds of them.
const MUTATIONS: usize = 400_000;

/// Pieces that turn up at the edges of the grammar.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b" ",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b"1e400",
    b"-0",
    b"\\ud83d",
    b"\"service\":\"pay\"",
    b"\"message\":\"m\"",
    b"\"a\":{",
    b"[[[[",
    b"{\"service\":\"s\",\"message\":\"m\"}",
    b"\"log_id\":1",
];

#[test]
fn nothing_is_lost_or_invented_whatever_is_sent() {
    let corpus = Corpus { folder: "seeds", seeds_min: 15, pieces: &PIECES };
    check_mutations(&corpus, MUTATIONS, check_request::check);
}
