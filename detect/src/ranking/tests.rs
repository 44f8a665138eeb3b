//! Verdicts made up: what is learned from them, and that it is the same everywhere.

use insighthub_model::Timestamp;

use super::*;
use crate::explanation::{ChangedTemplate, ChannelShare, Explanation};
use crate::window::{Channel, Evidence};

/// Episodes of a shop: real ones are errors or latency, mostly strong and long; false alarms are deploys (new messages by
/// day, short) and surges of traffic. One in ten is the other way round.
fn episode(prng: &mut SplitMix64) -> (EpisodeFeatures, bool) {
    let is_real = prng.uniform() < 0.4;
    let looks_real = is_real != (prng.uniform() < 0.1);
    let (channels, strength, minutes) = if looks_real {
        ([Channel::Errors, Channel::Latency], 12.0, 40.0)
    } else {
        ([Channel::NewMessages, Channel::TrafficSurge], 6.0, 12.0)
    };
    let channel = channels[prng.index(2)];
    let surprise = strength * (0.5 + prng.uniform());
    let evidence = Evidence { surprise, observed: 20.0, expected: 2.0 };
    let opened = (prng.index(30) * 24 + if looks_real { prng.index(24) } else { 9 + prng.index(9) }) as i64;
    let opened = Timestamp(opened * 3_600_000_000_000);
    let template = ChangedTemplate {
        example: 0,
        id: 1,
        text: "a message".to_owned(),
        records: 20,
        expected: 1.0,
        first_seen_nanos: if channel == Channel::NewMessages { opened.0 } else { 0 },
    };
    let explanation = Explanation {
        channels: vec![ChannelShare { channel, evidence, share: 0.5 + 0.4 * prng.uniform() }],
        templates: vec![template],
        records: Vec::new(),
        forest: Vec::new(),
        rate_band: (50.0, 150.0 * prng.uniform() + 50.0),
        latency_due_ms: 40.0,
    };
    let duration_secs = minutes * 60.0 * (0.3 + prng.uniform());
    (EpisodeFeatures::of(&explanation, &Course { opened, duration_secs, peak: surprise / 3.0 }), is_real)
}

fn episodes(seed: u64, count: usize) -> Vec<(EpisodeFeatures, bool)> {
    let mut prng = SplitMix64::new(seed);
    (0..count).map(|_| episode(&mut prng)).collect()
}

/// The share of pairs of a real one and a false alarm that are in order, ties half (the area under the curve).
fn in_order(ranker: &Ranker, later: &[(EpisodeFeatures, bool)]) -> f64 {
    let shares: Vec<(f64, bool)> =
        later.iter().map(|(episode, is_real)| (ranker.share_real(episode), *is_real)).collect();
    let (mut right, mut pairs) = (0.0, 0.0);
    for (real, _) in shares.iter().filter(|(_, is_real)| *is_real) {
        for (wrong, _) in shares.iter().filter(|(_, is_real)| !*is_real) {
            pairs += 1.0;
            right += if real > wrong { 1.0 } else { f64::from(u8::from(real == wrong)) / 2.0 };
        }
    }
    right / pairs
}

#[test]
fn later_real_episodes_rank_above_false_alarms() {
    let later = episodes(2, 200);
    for (verdicts, least) in [(16, 0.75), (60, 0.85)] {
        let ranker = Ranker::fit(&episodes(1, verdicts), 7).unwrap();
        let order = in_order(&ranker, &later);
        println!("after {verdicts} verdicts {order:.3} of the pairs are in order");
        assert!(order > least, "after {verdicts} verdicts: {order}");
    }
}

#[test]
fn few_or_equal_verdicts_teach_nothing() {
    let all = episodes(1, 40);
    assert!(Ranker::fit(&[], 1).is_none());
    assert!(Ranker::fit(&all[..VERDICTS_MIN - 1], 1).is_none());
    let real: Vec<_> = all.iter().filter(|(_, is_real)| *is_real).copied().collect();
    assert!(real.len() > VERDICTS_MIN && Ranker::fit(&real, 1).is_none());
}

#[test]
fn the_same_verdicts_in_any_order_give_the_same_shares() {
    // Half of the rows are the same rows with other answers: where the library would guess.
    let mut verdicts = episodes(3, 24);
    let twins: Vec<_> = verdicts.iter().map(|(episode, is_real)| (*episode, !is_real)).collect();
    verdicts.extend(twins);
    let later = episodes(4, 20);
    let shares = |verdicts: &[(EpisodeFeatures, bool)]| {
        let ranker = Ranker::fit(verdicts, 7).unwrap();
        later.iter().map(|(episode, _)| ranker.share_real(episode).to_bits()).collect::<Vec<_>>()
    };
    let first = shares(&verdicts);
    for turn in 1..6 {
        verdicts.rotate_left(turn);
        assert_eq!(shares(&verdicts), first);
    }
}

#[test]
fn no_two_rows_are_alike_in_any_column() {
    let mut verdicts = episodes(5, VERDICTS_MAX / 2);
    verdicts.extend(verdicts.clone());
    for column in spread(&verdicts, 1).columns() {
        let mut values = column.to_vec();
        values.sort_by(f64::total_cmp);
        assert!(values.windows(2).all(|pair| pair[1] - pair[0] > APART / 2.0));
        assert!(VERDICTS_MAX as f64 * APART < STEP / 2.0);
    }
}
