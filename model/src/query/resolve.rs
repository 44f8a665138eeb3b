//! Times before now, made exact: the one step that needs to know the time, taken once per question, so
//! that every replica answers for the same stretch.

use super::expression::{Expression, FieldTest, Query, RangeEnd, Test};
use super::moment::Moment;
use super::pipeline::Stage;
use super::system_field;
use crate::Timestamp;

impl Query {
    /// The same query with every time before now (`timestamp:-15m`) as a moment of its own.
    pub fn resolved_at(mut self, now: Timestamp) -> Query {
        self.filter = self.filter.resolved_at(now);
        for stage in &mut self.stages {
            match stage {
                Stage::Where(condition) => resolve(condition, now),
                Stage::Stats(stats) => {
                    stats
                        .aggregates
                        .iter_mut()
                        .filter_map(|each| each.condition.as_mut())
                        .for_each(|condition| resolve(condition, now));
                }
                Stage::Top(top) => top.by.condition.iter_mut().for_each(|condition| resolve(condition, now)),
                Stage::Sort(_)
                | Stage::Limit(_)
                | Stage::Offset(_)
                | Stage::Uniq(_)
                | Stage::Fields(_)
                | Stage::Patterns(_)
                | Stage::Sample(_)
                | Stage::Context(_) => {}
            }
        }
        self
    }
}

impl Expression {
    /// See [`Query::resolved_at`].
    pub fn resolved_at(mut self, now: Timestamp) -> Expression {
        resolve(&mut self, now);
        self
    }
}

fn resolve(expression: &mut Expression, now: Timestamp) {
    match expression {
        Expression::Field(FieldTest { name, test }) if name == "timestamp" && is_relative(test) => {
            if let Ok((first, last)) = system_field::times(test, Some(now)) {
                *test = between(first, last);
            }
        }
        Expression::Not(inner) => resolve(inner, now),
        Expression::And(parts) | Expression::Or(parts) => {
            parts.iter_mut().for_each(|part| resolve(part, now))
        }
        Expression::All | Expression::Message(_) | Expression::Field(_) => {}
    }
}

/// The ends of time are open ends; in an empty stretch they stand the wrong way round and must stay.
fn between(first: i64, last: i64) -> Test {
    let end = |nanos: i64, open: i64| match nanos {
        nanos if nanos == open => RangeEnd::Open,
        nanos => RangeEnd::Included(Timestamp(nanos).to_string()),
    };
    Test::Between(end(first, i64::MIN), end(last, i64::MAX))
}

fn is_relative(test: &Test) -> bool {
    let names_now = |text: &str| matches!(Moment::parse(text), Ok(Moment::BeforeNow(_)));
    let is_now = |end: &RangeEnd| matches!(end, RangeEnd::Included(text) | RangeEnd::Excluded(text) if names_now(text));
    match test {
        Test::Is(super::Text::Exact(text)) => names_now(text),
        other => other.ends().is_some_and(|(from, to)| is_now(&from) || is_now(&to)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn times_before_now_become_moments_everywhere() {
        let now = Timestamp::parse("2026-01-02T10:00:00Z").unwrap();
        for (text, expected) in [
            ("timestamp:-15m", "timestamp:[2026-01-02T09:45:00.000Z TO *]"),
            ("NOT timestamp:>=now-1h", "NOT timestamp:[2026-01-02T09:00:00.000Z TO *]"),
            ("timestamp:<now", "timestamp:[* TO 2026-01-02T09:59:59.999999999Z]"),
            (
                "a OR timestamp:[-1d TO 2026-01-02}",
                "a OR timestamp:[2026-01-01T10:00:00.000Z TO 2026-01-01T23:59:59.999999999Z]",
            ),
            (
                "* | stats count() if (timestamp:-1m) as n",
                "* | stats count() if (timestamp:[2026-01-02T09:59:00.000Z TO *]) as n",
            ),
            ("* | where timestamp >= -1m", "* | where timestamp:[2026-01-02T09:59:00.000Z TO *]"),
            ("timestamp:2026-01-02 since:-15m", "timestamp:2026-01-02 since:-15m"),
        ] {
            assert_eq!(parse(text).unwrap().resolved_at(now).to_string(), expected);
            assert_eq!(parse(expected).unwrap().resolved_at(now).to_string(), expected, "exact already");
        }
    }

    #[test]
    fn what_is_empty_stays_empty() {
        // The first nanosecond there is: nothing lies before it.
        let query = parse("timestamp:<-10000w").unwrap().resolved_at(Timestamp(-9_000_000_000_000_000_000));
        let Expression::Field(field) = query.filter else { panic!("no field") };
        let (first, last) = system_field::times(&field.test, None).unwrap();
        assert!(first > last, "{:?}", field.test);
    }
}
