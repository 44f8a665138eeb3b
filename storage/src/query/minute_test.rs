//! Conditions that minute aggregates can decide: on the service, the level, whether a record is an anomaly, and on
//! time as a whole.

use insighthub_model::Level;

use super::predicate::Predicate;
use super::value_test::Scratch;

/// A condition as a stretch of time and a test that says the same of all records of one service, level and kind.
#[derive(Debug)]
pub(crate) struct MinuteTest<'a> {
    /// First and last accepted nanosecond.
    pub(super) times: (i64, i64),
    /// All must be met.
    parts: Vec<&'a Predicate>,
}

/// Which records of a service and level are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(super) ordinary: bool,
    pub(super) anomalies: bool,
}

impl Accepted {
    pub(super) fn and(self, other: Accepted) -> Accepted {
        Accepted { ordinary: self.ordinary && other.ordinary, anomalies: self.anomalies && other.anomalies }
    }

    /// How many are meant of so many, some of which are anomalies.
    pub(crate) fn of(self, count: u64, anomalies: u64) -> u64 {
        u64::from(self.ordinary) * count.saturating_sub(anomalies) + u64::from(self.anomalies) * anomalies
    }
}

/// `None` where the condition asks for more than minute aggregates know.
pub(super) fn minute_test(predicate: &Predicate) -> Option<MinuteTest<'_>> {
    let mut test = MinuteTest { times: (i64::MIN, i64::MAX), parts: Vec::new() };
    test.take_in(predicate)?;
    Some(test)
}

impl<'a> MinuteTest<'a> {
    /// Every moment is accepted.
    pub(crate) fn is_of_all_times(&self) -> bool {
        self.times == (i64::MIN, i64::MAX)
    }

    pub(crate) fn accepts(&self, service: &str, level: Level) -> Accepted {
        let accepts = |is_anomaly| self.parts.iter().all(|part| holds(part, service, level, is_anomaly));
        Accepted { ordinary: accepts(false), anomalies: accepts(true) }
    }

    fn take_in(&mut self, predicate: &'a Predicate) -> Option<()> {
        match predicate {
            Predicate::Times(first, last) => {
                self.times = (self.times.0.max(*first), self.times.1.min(*last));
                Some(())
            }
            Predicate::And(parts) => parts.iter().try_for_each(|part| self.take_in(part)),
            other if is_of_kind(other) => {
                self.parts.push(other);
                Some(())
            }
            _ => None,
        }
    }
}

/// True where service, level and being an anomaly decide.
fn is_of_kind(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Always
        | Predicate::OneOfServices(_)
        | Predicate::Service(_)
        | Predicate::Levels(_)
        | Predicate::IsAnomaly(_) => true,
        Predicate::Not(inner) => is_of_kind(inner),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().all(is_of_kind),
        _ => false,
    }
}

fn holds(predicate: &Predicate, service: &str, level: Level, is_anomaly: bool) -> bool {
    let of = |part: &Predicate| holds(part, service, level, is_anomaly);
    match predicate {
        Predicate::OneOfServices(services) => services.iter().any(|name| name == service),
        Predicate::Service(test) => test.accepts_text(service, &mut Scratch::default()),
        Predicate::Levels(mask) => mask >> level as u8 & 1 != 0,
        Predicate::IsAnomaly(wanted) => *wanted == is_anomaly,
        Predicate::Not(inner) => !of(inner),
        Predicate::And(parts) => parts.iter().all(of),
        Predicate::Or(parts) => parts.iter().any(of),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use insighthub_model::query::parse_filter;

    use super::*;

    /// Whether an ordinary record and an anomaly of a service and level are meant; `None` where that does not decide.
    fn accepted(text: &str, service: &str, level: Level) -> Option<(bool, bool)> {
        let predicate = Predicate::new(&parse_filter(text).unwrap()).unwrap();
        let accepted = minute_test(&predicate)?.accepts(service, level);
        Some((accepted.ordinary, accepted.anomalies))
    }

    #[test]
    fn service_level_and_kind_decide_of_minutes() {
        let (both, none) = (Some((true, true)), Some((false, false)));
        assert_eq!(accepted("*", "api", Level::Info), both);
        assert_eq!(accepted("service:API level:>=warn", "api", Level::Error), both);
        assert_eq!(accepted("service:api level:>=warn", "api", Level::Info), none);
        assert_eq!(accepted("service:in(api, db) OR level:fatal", "web", Level::Fatal), both);
        assert_eq!(accepted("-service:a*", "api", Level::Fatal), none);
        assert_eq!(accepted("is_anomaly:true service:api", "api", Level::Info), Some((false, true)));
    }

    #[test]
    fn time_decides_as_a_stretch() {
        let predicate = Predicate::And(vec![Predicate::Times(5, 90), Predicate::Times(7, 100)]);
        let test = minute_test(&predicate).unwrap();
        assert_eq!((test.times, test.is_of_all_times()), ((7, 90), false));
        assert!(minute_test(&Predicate::Always).unwrap().is_of_all_times());
        assert!(
            minute_test(&Predicate::Not(Box::new(predicate))).is_none(),
            "what is left are two stretches"
        );
    }

    #[test]
    fn whatever_else_is_asked_needs_records() {
        for text in ["timeout", "service:api latency_ms:>5", "-userId:7"] {
            assert_eq!(accepted(text, "api", Level::Info), None, "{text}");
        }
    }
}
