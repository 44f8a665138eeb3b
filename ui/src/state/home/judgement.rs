//! Is a service in trouble, and why: its last minutes against what is usual for it, and what detection and alerts say.

use crate::state::format;

/// Fewer records say nothing about shares and quantiles.
const RECORDS_MIN: u64 = 20;
/// Fewer errors are no trouble, whatever the share.
const ERRORS_MIN: u64 = 3;
/// So many times the usual share of errors is trouble, or worth a look.
const ERRORS_TROUBLE: f64 = 3.0;
const ERRORS_WATCH: f64 = 1.7;
/// The share must also have grown by so much: three times next to nothing is next to nothing.
const SHARE_TROUBLE: f64 = 0.02;
const SHARE_WATCH: f64 = 0.005;
/// So many times the usual latency is trouble, or worth a look.
const LATENCY_TROUBLE: f64 = 3.0;
const LATENCY_WATCH: f64 = 1.7;
/// A service that usually sends less a minute may well be silent for some.
const RATE_MIN_PER_MINUTE: f64 = 2.0;
/// So many minutes without a record are silence.
pub const SILENT_MINUTES: usize = 3;
/// A service that usually sends nothing and has an error in each record is in trouble as well.
const SHARE_WITHOUT_USUAL: f64 = 0.2;

/// How a service is, from well to worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    #[default]
    Quiet,
    Watch,
    Trouble,
    Silent,
}

impl Condition {
    pub fn word(self) -> &'static str {
        match self {
            Condition::Quiet => "Quiet",
            Condition::Watch => "Watch",
            Condition::Trouble => "In trouble",
            Condition::Silent => "Silent",
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Condition::Quiet => "is-quiet",
            Condition::Watch => "is-watch",
            Condition::Trouble => "is-trouble",
            Condition::Silent => "is-silent",
        }
    }

    pub fn is_trouble(self) -> bool {
        self >= Condition::Trouble
    }
}

/// What is known of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signs {
    /// Of the last minutes.
    pub records: u64,
    pub errors: u64,
    pub p95_ms: Option<f64>,
    /// Minutes without a record, up to now.
    pub silent_minutes: usize,
    /// What is usual: records a minute, share of errors, latency. `None` where nothing is known from before.
    pub usual: Option<Usual>,
    /// Open incidents of detection: score and summary, loudest first.
    pub episodes: Vec<(f64, String)>,
    /// Alerts that fire: what they say.
    pub alerts: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usual {
    pub records_per_minute: f64,
    pub error_share: f64,
    pub p95_ms: Option<f64>,
}

/// A condition, why, and how bad beside others of the same condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub condition: Condition,
    /// The gravest first.
    pub reasons: Vec<String>,
    pub weight: f64,
}

impl Judgement {
    fn add(&mut self, condition: Condition, weight: f64, reason: String) {
        self.condition = self.condition.max(condition);
        self.weight += weight;
        self.reasons.push(reason);
    }
}

pub fn judge(signs: &Signs) -> Judgement {
    let mut judgement = Judgement::default();
    silence(signs, &mut judgement);
    errors(signs, &mut judgement);
    latency(signs, &mut judgement);
    for (score, summary) in &signs.episodes {
        judgement.add(Condition::Trouble, *score, summary.clone());
    }
    for alert in &signs.alerts {
        judgement.add(Condition::Trouble, 1.0, format!("alert: {alert}"));
    }
    judgement
}

fn silence(signs: &Signs, judgement: &mut Judgement) {
    let usual = signs.usual.map_or(0.0, |usual| usual.records_per_minute);
    if signs.silent_minutes >= SILENT_MINUTES && usual >= RATE_MIN_PER_MINUTE {
        let usual = format::short_count(usual.round());
        let reason = format!("no record for {} min, usually {usual} a minute", signs.silent_minutes);
        judgement.add(Condition::Silent, signs.silent_minutes as f64, reason);
    }
}

fn errors(signs: &Signs, judgement: &mut Judgement) {
    if signs.records < RECORDS_MIN || signs.errors < ERRORS_MIN {
        return;
    }
    let share = signs.errors as f64 / signs.records as f64;
    let Some(usual) = signs.usual.map(|usual| usual.error_share) else {
        if share >= SHARE_WITHOUT_USUAL {
            judgement.add(
                Condition::Trouble,
                1.0 / (1.0 - share).max(0.05),
                format!("errors {}", format::percent(share)),
            );
        }
        return;
    };
    let condition = if share > usual * ERRORS_TROUBLE && share > usual + SHARE_TROUBLE {
        Condition::Trouble
    } else if share > usual * ERRORS_WATCH && share > usual + SHARE_WATCH {
        Condition::Watch
    } else {
        return;
    };
    let reason = format!("errors {}, usually {}", format::percent(share), format::percent(usual));
    // A service that never fails must not weigh without bound.
    judgement.add(condition, share / usual.max(0.002), reason);
}

fn latency(signs: &Signs, judgement: &mut Judgement) {
    let usual = signs.usual.and_then(|usual| usual.p95_ms).filter(|usual| *usual > 0.0);
    let (Some(p95), Some(usual)) = (signs.p95_ms, usual) else { return };
    let times = p95 / usual;
    if signs.records < RECORDS_MIN || times < LATENCY_WATCH {
        return;
    }
    let condition = if times >= LATENCY_TROUBLE { Condition::Trouble } else { Condition::Watch };
    let reason =
        format!("p95 {}, usually {}", format::duration_ms(p95.round()), format::duration_ms(usual.round()));
    judgement.add(condition, times, reason);
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Usual = Usual { records_per_minute: 40.0, error_share: 0.005, p95_ms: Some(120.0) };

    fn ordinary() -> Signs {
        Signs { records: 200, errors: 1, p95_ms: Some(125.0), usual: Some(USUAL), ..Signs::default() }
    }

    #[test]
    fn ordinary_minutes_are_quiet() {
        assert_eq!(judge(&ordinary()), Judgement::default());
        assert_eq!(judge(&Signs::default()).condition, Condition::Quiet);
    }

    #[test]
    fn errors_are_held_against_the_services_own_usual() {
        let judged = judge(&Signs { errors: 12, ..ordinary() });
        assert_eq!(judged.condition, Condition::Trouble);
        assert_eq!(judged.reasons, ["errors 6.0 %, usually 0.5 %"]);
        let noisy = Usual { error_share: 0.05, ..USUAL };
        assert_eq!(
            judge(&Signs { errors: 12, usual: Some(noisy), ..ordinary() }).condition,
            Condition::Quiet
        );
        assert_eq!(judge(&Signs { errors: 3, ..ordinary() }).condition, Condition::Watch);
    }

    #[test]
    fn a_handful_of_records_says_nothing() {
        let few = Signs { records: 10, errors: 9, p95_ms: Some(9_000.0), ..ordinary() };
        assert_eq!(judge(&few).condition, Condition::Quiet);
    }

    #[test]
    fn latency_is_held_against_the_services_own_usual() {
        let judged = judge(&Signs { p95_ms: Some(480.0), ..ordinary() });
        assert_eq!((judged.condition, judged.weight), (Condition::Trouble, 4.0));
        assert_eq!(judged.reasons, ["p95 480 ms, usually 120 ms"]);
        assert_eq!(judge(&Signs { p95_ms: Some(240.0), ..ordinary() }).condition, Condition::Watch);
        let unknown = Usual { p95_ms: None, ..USUAL };
        assert_eq!(
            judge(&Signs { p95_ms: Some(9e9), usual: Some(unknown), ..ordinary() }).condition,
            Condition::Quiet
        );
    }

    #[test]
    fn silence_is_worst_where_it_is_not_usual() {
        let silent = Signs { records: 0, errors: 0, p95_ms: None, silent_minutes: 4, ..ordinary() };
        let judged = judge(&silent);
        assert_eq!(judged.condition, Condition::Silent);
        assert_eq!(judged.reasons, ["no record for 4 min, usually 40 a minute"]);
        let rare = Usual { records_per_minute: 0.5, ..USUAL };
        assert_eq!(judge(&Signs { usual: Some(rare), ..silent }).condition, Condition::Quiet);
    }

    #[test]
    fn incidents_and_alerts_are_trouble_and_add_up() {
        let signs = Signs {
            episodes: vec![(8.9, "errors: 75 records, usually 4.6".to_owned())],
            alerts: vec!["Anomaly".to_owned()],
            ..ordinary()
        };
        let judged = judge(&signs);
        assert_eq!((judged.condition, judged.weight), (Condition::Trouble, 9.9));
        assert_eq!(judged.reasons.len(), 2);
    }

    #[test]
    fn a_new_service_that_fails_is_seen_without_a_usual() {
        let signs = Signs { usual: None, errors: 90, ..ordinary() };
        assert_eq!(judge(&signs).reasons, ["errors 45 %"]);
        assert_eq!(judge(&Signs { usual: None, errors: 20, ..ordinary() }).condition, Condition::Quiet);
    }
}
