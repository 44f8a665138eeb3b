//! The committed seeds and 20,000 mutations of them, the same in every run, against all that must hold
//! of a parsed request. The fuzz target in `node/fuzz` goes on from here without end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails here")]

#[path = "../fuzz/check_request.rs"]
mod check_request;

const MUTATIONS: usize = 20_000;

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

/// Marsaglia's xorshift64: the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds");
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn mutate(input: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    let at = numbers.below(input.len());
    let end = (at + numbers.below(12)).min(input.len());
    match numbers.below(7) {
        0 if !input.is_empty() => input[at] ^= 1 << numbers.below(8),
        1 => drop(input.drain(at..end)),
        2 => {
            let copied = input[at..end].to_vec();
            input.splice(at..at, copied);
        }
        3 | 4 => drop(input.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
        5 => drop(input.splice(at..end, PIECES[numbers.below(PIECES.len())].iter().copied())),
        _ => {
            let from = numbers.below(other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

#[test]
fn nothing_is_lost_or_invented_whatever_is_sent() {
    let seeds = seeds();
    assert!(seeds.len() >= 14, "the seeds are missing");
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    for seed in &seeds {
        check_request::check(seed);
    }
    for _ in 0..MUTATIONS {
        let mut input = seeds[numbers.below(seeds.len())].clone();
        for _ in 0..1 + numbers.below(4) {
            let other = numbers.below(seeds.len());
            mutate(&mut input, &seeds[other], &mut numbers);
        }
        check_request::check(&input);
    }
}
