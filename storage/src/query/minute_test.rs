//! Conditions that minute aggregates can decide: on the service, the level, whether a record is an anomaly, and on
//! time as a whole.

use insighthub_model::Level;

use super::predicate::Predicate;
use super::value_test::Scratch;

/// A condition as a stretch of time and a test that says the same of all records of one service, level and kind.
#[derive(Debug)]
pub(super) struct MinuteTest<'a> {
    /// First and last accepted nanosecond.
    pub(super) times: (i64, i64),
    /// All must be met.
    parts: Vec<&'a Predicate>,
}

/// Which records of a service and level are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) ordinary: bool,
    pub(super) anomalies: bool,
}

impl Accepted {
    pub(super) fn and(self, other: Accepted) -> Accepted {
        Accepted { ordinary: self.ordinary && other.ordinary, anomalies: self.anomalies && other.anomalies }
    }

    /// How many are meant of so many, some of which are anomalies.
    pub(super) fn of(self, count: u64, anomalies: u64) -> u64 {
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
    pub(super) fn accepts(&self, service: &str, level: Level) -> Accepted {
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
