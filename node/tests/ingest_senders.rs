//! Seeds of syslog, journals and Splunk's collector, and 5,000 mutations of each, the same in every run, against all that must hold.
//! The fuzz targets in `node/fuzz` go on from here without end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]

#[path = "../fuzz/check_senders.rs"]
mod check_senders;

const MUTATIONS: usize = 60_000;

const PIECES: [&[u8]; 22] = [
    b"<13>",
    b"1 ",
    b"- ",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"=",
    b"\n",
    b"\0",
    b": ",
    b"{\"a\":1}",
    b"Apr 28 12:00:00 ",
    b"12 <",
    b"999999999 <",
    b"\xff",
    b"\xef\xbb\xbf",
    b"@cee:",
    b"MESSAGE\n\x03\0\0\0\0\0\0\0",
    b"{\"event\":",
    b"null",
    b"Feb 29 25:61:61",
];

const SYSLOG: [&[u8]; 6] = [
    b"\0<34>1 2003-10-11T22:14:15.003Z host su - ID47 [id@1 a=\"b\\\"c\" d=\"e\"][bare] 'su root' failed\n",
    b"\x0540 <165>1 - host app 1 - - counted to forty<13>Apr 28 12:00:00 h app[1]: line\0",
    b"\x01<189>29: host: *Apr 28 12:00:00.123 UTC: %SYS-5-CONFIG_I: Configured from console\n",
    b"\x12<14>2026-04-28 12:00:00,5 host app: @cee: {\"msg\":\"x\",\"severity\":\"err\",\"hostname\":\"y\"}\n",
    b"\x40<134>1 1380653443.857790804 MX60 urls src=1.2.3.4\n<13>caf\xe9\n",
    b"\x03<30>Feb 29 12:00:00 MikroTik system,info user logged in",
];

const JOURNAL: [&[u8]; 3] = [
    b"\0__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1342540861416409\n_PID=1\nPID=2\nPRIORITY=4\nMESSAGE=one\n\n_PID=1\nMESSAGE=two\n",
    b"\x01MESSAGE\n\x05\0\0\0\0\0\0\0a\n\nb=\nTAG=a\nTAG=b\n\n\n\nSYSLOG_FACILITY=3\n\n",
    b"\0_HOSTNAME=h\n_SYSTEMD_UNIT=cron.service\nLEVEL=warn\nMESSAGE=\xff\n\n",
];

const SPLUNK: [&[u8]; 5] = [
    b"\0{\"time\":1433188255.500,\"event\":\"one\",\"fields\":{\"a\":\"b\",\"n\":[1]}}{\"event\":{\"msg\":\"two\",\"host\":\"x\"},\"host\":\"y\"}",
    b"\x04[{\"event\":{\"line\":\"three\",\"timestamp\":\"x\"},\"time\":\"1433188256\"},{\"event\":null}]7",
    b"\x0bfirst\r\n{\"msg\":\"second\"}\nlast",
    b"\0{\"event\":{\"message\":{\"msg\":\"four\"},\"level\":{},\"service\":{}},\"fields\":{\"message\":{\"x\":1},\"service\":{}}}",
    b"\x01{\"event\":{\"a\":{\"b\":{\"c\":{\"d\":1}}}},\"index\":7,\"source\":null}",
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

fn mutate(input: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    let at = numbers.below(input.len());
    let end = (at + numbers.below(12)).min(input.len());
    let piece = PIECES[numbers.below(PIECES.len())];
    match numbers.below(6) {
        0 if !input.is_empty() => input[at] ^= 1 << numbers.below(8),
        1 => drop(input.drain(at..end)),
        2 => {
            let copied = input[at..end].to_vec();
            input.splice(at..at, copied);
        }
        3 | 4 => drop(input.splice(at..at, piece.iter().copied())),
        _ => {
            let from = numbers.below(other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

fn check_mutations(seeds: &[&[u8]], check: fn(&[u8])) {
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    seeds.iter().for_each(|seed| check(seed));
    for _ in 0..MUTATIONS {
        let mut input = seeds[numbers.below(seeds.len())].to_vec();
        for _ in 0..1 + numbers.below(4) {
            let other = numbers.below(seeds.len());
            mutate(&mut input, seeds[other], &mut numbers);
        }
        check(&input);
    }
}

#[test]
fn nothing_is_lost_or_invented_of_syslog() {
    check_mutations(&SYSLOG, check_senders::check_syslog);
}

#[test]
fn nothing_is_lost_or_invented_of_journals() {
    check_mutations(&JOURNAL, check_senders::check_journal);
}

#[test]
fn nothing_is_lost_or_invented_of_splunk() {
    check_mutations(&SPLUNK, check_senders::check_splunk);
}
