//! Texts near queries: whatever they are, they are read or refused at a place in them, in bounded depth and time.

use std::time::{Duration, Instant};

use insighthub_model::limits::QUERY_BYTES_MAX;
use insighthub_model::prng::SplitMix64;

use insighthub_node::logql::parse;

/// Queries that are read, of every kind of part.
const SEEDS: [&str; 15] = [
    "{a=\"b\", c!~`d|e`} |= \"x\" or `y` !~ `z+` |> `<_> w`",
    "{} | json a=\"b.c[0]\" | logfmt --strict | unpack | decolorize",
    "{a=\"b\"} | (s >= 500 and m=\"GET\") or d > 1m30s, e < 10KB | f == -1.5",
    "{a=\"b\"} | line_format \"{{.x | ToUpper}} {{__line__}}\" | label_format x=y, z=`{{.w}}`",
    "{a=\"b\"} | drop __error__, x=~\"y\" | keep z | regexp `(?P<v>\\d+)` | pattern `<p> <_>`",
    "sum by (x, y) (rate({a=\"b\"} |= `x` [90s] offset -1h))",
    "topk(3, sum(bytes_rate({a=\"b\"}[1d])) without (x))",
    "quantile_over_time(0.95, {a=\"b\"} | json | unwrap duration(x) | __error__=\"\" [5m]) by (y)",
    "1 + 2 * -3 ^ 2 ^ .5e-3 % 4",
    "rate({a=\"b\"}[1m]) / on (x) rate({}[1m]) unless ignoring (y) vector(1) > bool 0",
    "label_replace(absent_over_time(({a=\"b\"}[1m] | json)), \"x\", \"$1\", \"a\", \"(.*)\")",
    "{a=\"b\"} |= ip(`10.0.0.0/8`) or ip(\"::1\") != ip(`10.0.0.1-10.0.0.9`) | x != ip(\"fe80::/10\") | distinct x, y",
    "sort_desc(rate({}[1m]) / ignoring (x) group_left (y) approx_topk(5, rate({}[1m])))",
    "{} | line_format `{{regexReplaceAll \"(a)b\" .x \"${1}\"}} {{.y | default \"-\" | trunc -3}} {{substr 1 2 .z}}`",
    "# a note\nfirst_over_time({a=\"b\"} | unwrap bytes(x) [1h30m]) # another",
];

const ROUNDS: u64 = 400_000;
/// Of one text; most take microseconds.
const READ_WITHIN: Duration = Duration::from_secs(2);

const PIECES: [&str; 27] = [
    "{",
    "}",
    "(",
    ")",
    "[5m]",
    "|",
    "|=",
    "!~",
    "=",
    "\"",
    "`",
    "\\",
    ",",
    " by ",
    " or ",
    "unwrap ",
    "offset ",
    "-",
    "1e",
    "999999999999999999999",
    "{{",
    "ü",
    "\u{0}",
    "sum",
    " group_left ",
    "ip(",
    "10.0.0.1/",
];

fn check(text: &str) {
    let started = Instant::now();
    match parse(text) {
        Ok(expr) => {
            let printed = expr.to_string();
            // What is printed may be longer than what may be typed.
            if printed.len() <= QUERY_BYTES_MAX {
                let again = parse(&printed).unwrap_or_else(|error| panic!("{text}\n{printed}\n{error}"));
                assert_eq!(again, expr, "{text}\n{printed}");
            }
        }
        Err(error) => {
            assert!(error.position <= text.len(), "{text}: {error:?}");
            assert!(!error.with_place(text).is_empty());
        }
    }
    assert!(started.elapsed() < READ_WITHIN, "{} bytes took {:?}", text.len(), started.elapsed());
}

/// Cuts, doubles, swaps and inserts at places drawn by the dice.
fn mutated(text: &str, dice: &mut SplitMix64) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=dice.below(3) {
        let at = dice.below(chars.len() as u64 + 1) as usize;
        match dice.below(4) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 => {
                let piece = PIECES[dice.below(PIECES.len() as u64) as usize];
                chars.splice(at..at, piece.chars());
            }
            2 => {
                let to = (at + dice.below(12) as usize).min(chars.len());
                let copied: Vec<char> = chars[at..to].to_vec();
                chars.splice(at..at, copied);
            }
            _ => chars.truncate(at),
        }
    }
    chars.into_iter().collect()
}

#[test]
fn no_text_makes_the_parser_fall() {
    let mut dice = SplitMix64::new(0x10_91);
    for round in 0..ROUNDS {
        let seed = SEEDS[(round % SEEDS.len() as u64) as usize];
        assert!(round > 0 || SEEDS.iter().all(|seed| parse(seed).is_ok()), "a seed is not read");
        check(&mutated(seed, &mut dice));
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(4_000), close.repeat(4_000))
    };
    for text in [
        deep("(", "1", ")"),
        deep("sum(", "1", ")"),
        deep("(", "{}", ")"),
        deep("count_over_time((", "{}", ")[5m])"),
        format!("1{}", "^1".repeat(8_000)),
        format!("1{}", "+1".repeat(8_000)),
        format!("{{}} | a=`b`{}", " or a=`b`".repeat(1_500)),
        format!("{{}}{}", " |= `a`".repeat(2_000)),
        format!("{{}} |= `a`{}", " or `a`".repeat(2_000)),
        format!("{{}} | {}a > 1{}", "(".repeat(4_000), ")".repeat(4_000)),
        format!("{{{}}}", "a=`b`,".repeat(2_000)),
        format!("vector(1){}", " + rate({}[1m])".repeat(900)),
        "x".repeat(QUERY_BYTES_MAX + 1),
    ] {
        check(&text);
        let shown: String = text.chars().take(30).collect();
        assert!(parse(&text).is_err(), "{shown}... was taken");
    }
}
