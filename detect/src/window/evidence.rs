//! Nine kinds of evidence that a service's last minutes are not ordinary, each as -log10 p with what was observed and
//! what was expected.

pub use insighthub_model::detection::{CHANNELS, Channel, Evidence};

use super::bucket::{Ring, Sums};
use super::kinds::KindCounts;
use super::normal::{Due, Normal};
use crate::math::{exp, log10, normal_surprise, poisson_surprise_high, poisson_surprise_low};

/// How far mean latencies wander without cause, as a logarithm: over a minute or three, and over 45 minutes.
const LATENCY_WANDER: f64 = 0.12;
const DRIFT_WANDER: f64 = 0.055;
/// Records that make a mean, of a minute and of three: of three records one that timed out is all the mean.
const TIMED_MIN_OF_ONE: f64 = 6.0;
const TIMED_MIN: f64 = 3.0;
/// Expected counts of rare things are at least this and this much too small.
const COUNT_FLOOR: f64 = 0.05;
const COUNT_DOUBT: f64 = 1.3;
/// Weighted records of new templates that five minutes bring anyway.
const NEW_PRIOR: f64 = 0.02;
/// Templates with fewer records in the window are no shift.
const SHIFT_RECORDS_MIN: u32 = 4;

/// The channels but the forest's.
pub(super) fn evidence(ring: &Ring, normal: &Normal, due: &Due) -> [Evidence; CHANNELS] {
    let [one, two, three, five, ten, fifteen, forty_five] = ring.sums([1, 2, 3, 5, 10, 15, 45]);
    let of_one =
        if one.timed < TIMED_MIN_OF_ONE { Evidence::default() } else { latency(&one, due, LATENCY_WANDER) };
    let latency = best([of_one, latency(&three, due, LATENCY_WANDER)]);
    let errors = |sums: &Sums| count_high(sums.errors, due.error_share * sums.records);
    let drop = |sums: &Sums, minutes: f64| {
        let expected = due.rate_least * minutes;
        let surprise = poisson_surprise_low(sums.records, expected * (1.0 - due.rate_doubt));
        Evidence { surprise, observed: sums.records, expected }
    };
    let surge = |sums: &Sums, minutes: f64| {
        let expected = due.rate_most * minutes;
        let surprise = poisson_surprise_high(sums.records, expected * (1.0 + 1.5 * due.rate_doubt) + 1.0);
        Evidence { surprise, observed: sums.records, expected }
    };
    let mut shifts = [Evidence::default(); 2];
    let shift_sums = [five.records, fifteen.records];
    ring.kinds([5, 15], |at, counts| {
        if let (Some(out), Some(records)) = (shifts.get_mut(at), shift_sums.get(at)) {
            *out = shift(normal, *records, counts);
        }
    });
    [
        latency,
        self::latency(&forty_five, due, DRIFT_WANDER),
        best([errors(&two), errors(&five)]),
        best([drop(&three, 3.0), drop(&five, 5.0), drop(&ten, 10.0)]),
        best([surge(&five, 5.0), surge(&fifteen, 15.0)]),
        Evidence {
            surprise: poisson_surprise_high(five.young, NEW_PRIOR),
            observed: five.young,
            expected: NEW_PRIOR,
        },
        best(shifts),
        count_high(five.slow, due.slow_share * five.timed),
        Evidence::default(),
    ]
}

fn best<const N: usize>(all: [Evidence; N]) -> Evidence {
    all.into_iter()
        .fold(Evidence::default(), |best, next| if next.surprise > best.surprise { next } else { best })
}

fn latency(sums: &Sums, due: &Due, wander: f64) -> Evidence {
    if sums.timed < TIMED_MIN {
        return Evidence::default();
    }
    let mean = sums.log_latency / sums.timed;
    let error = libm::sqrt(due.latency_variance / sums.timed + wander * wander);
    let surprise = normal_surprise((mean - due.log_latency) / error);
    Evidence { surprise, observed: exp(mean), expected: exp(due.log_latency) }
}

fn count_high(observed: f64, expected: f64) -> Evidence {
    let surprise = poisson_surprise_high(observed, expected * COUNT_DOUBT + COUNT_FLOOR);
    Evidence { surprise, observed, expected }
}

/// The template whose share grew most, corrected for how many were looked at.
fn shift(normal: &Normal, records: f64, counts: &KindCounts) -> Evidence {
    let looked_at = log10(counts.different().max(1) as f64);
    let of = |(template, count): (u16, u32)| {
        let mut evidence = count_high(f64::from(count), normal.kind_share(template) * records);
        evidence.surprise = (evidence.surprise - looked_at).max(0.0);
        evidence
    };
    let grown = counts.iter().filter(|(_, count)| *count >= SHIFT_RECORDS_MIN).map(of);
    grown.fold(Evidence::default(), |best, next| if next.surprise > best.surprise { next } else { best })
}
