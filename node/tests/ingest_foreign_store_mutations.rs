//! Pushes to Loki, bulk requests to Elasticsearch and 20,000 mutations of them, the same in every run, against all that must hold
//! of a parsed request. The fuzz target in `node/fuzz` goes on from here without end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

#[path = "../fuzz/check_request.rs"]
mod check_request;
mod mutations;

use mutations::{Numbers, mutate, seeds};

const MUTATIONS: usize = 20_000;

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
    let seeds = seeds("seeds-foreign_store");
    assert!(seeds.len() >= 8, "the seeds are missing");
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    for seed in &seeds {
        check_request::check_foreign_store(seed);
    }
    for _ in 0..MUTATIONS {
        let mut input = seeds[numbers.below(seeds.len())].clone();
        for _ in 0..1 + numbers.below(4) {
            let other = numbers.below(seeds.len());
            mutate(&mut input, &seeds[other], &PIECES, &mut numbers);
        }
        check_request::check_foreign_store(&input);
    }
}
