//! A query made ready for columns: values read, words prepared, cheap conditions first.

use insighthub_model::query::system_field::{SystemTest, check, check_message_text, meaning};
use insighthub_model::query::{Expression, FieldTest, NumberRange};
use insighthub_model::{Level, LogId};

use super::bitmap::Bitmap;
use super::effort::PrunedBy;
use super::error::FilterError;
use super::message_search::MessageSearch;
use super::ranges::{narrow_runs, narrow_times};
use super::value_test::{Scratch, ValueTest};
use crate::column_source::{ColumnError, ColumnName, ColumnSource};

type Evaluated = Result<(), ColumnError>;

/// A condition on records.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Always,
    /// One of these, exactly.
    OneOfServices(Vec<String>),
    Service(ValueTest),
    /// One bit per accepted level.
    Levels(u8),
    /// First and last accepted nanosecond.
    Times(i64, i64),
    LatencyMs(NumberRange),
    AnomalyScore(NumberRange),
    IsAnomaly(bool),
    AnomalyReason(ValueTest),
    LogId(LogId),
    Message(Box<MessageSearch>),
    Field(String, ValueTest),
    Not(Box<Predicate>),
    /// Cheapest first.
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
}

const EVERY_LEVEL: u8 = (1 << Level::ALL.len()) - 1;

impl Predicate {
    pub(super) fn new(expression: &Expression) -> Result<Predicate, FilterError> {
        let each = |parts: &[Expression]| parts.iter().map(Predicate::new).collect::<Result<Vec<_>, _>>();
        Ok(match expression {
            Expression::All => Predicate::Always,
            Expression::Message(text) => {
                check_message_text(text)
                    .map_err(|reason| FilterError { name: "message".to_owned(), reason })?;
                Predicate::Message(Box::new(MessageSearch::words(text)))
            }
            Expression::Field(field) => Predicate::of_field(field)?,
            Expression::Not(inner) => Predicate::Not(Box::new(Predicate::new(inner)?)),
            Expression::And(parts) => Predicate::all_of(each(parts)?),
            Expression::Or(parts) => Predicate::Or(cheapest_first(each(parts)?)),
        })
    }

    pub(super) fn all_of(parts: Vec<Predicate>) -> Predicate {
        Predicate::And(cheapest_first(parts))
    }

    fn of_field(field: &FieldTest) -> Result<Predicate, FilterError> {
        let FieldTest { name, test } = field;
        // The parser has checked what it read; trees are also built without it.
        check(name, test).map_err(|reason| FilterError { name: name.clone(), reason })?;
        let refused = |reason| FilterError { name: name.clone(), reason };
        let Some(meaning) = meaning(name, test) else {
            return Ok(Predicate::Field(name.clone(), ValueTest::new(test).map_err(refused)?));
        };
        let meaning = meaning.map_err(refused)?;
        Ok(match meaning {
            SystemTest::Always => Predicate::Always,
            SystemTest::Service(test) => Predicate::Service(ValueTest::new(&test).map_err(refused)?),
            SystemTest::Levels(mask) => Predicate::Levels(mask),
            SystemTest::Times(first, last) => Predicate::Times(first, last),
            SystemTest::LatencyMs(range) => Predicate::LatencyMs(range),
            SystemTest::AnomalyScore(range) => Predicate::AnomalyScore(range),
            SystemTest::IsAnomaly(value) => Predicate::IsAnomaly(value),
            SystemTest::AnomalyReason(test) => {
                Predicate::AnomalyReason(ValueTest::new(&test).map_err(refused)?)
            }
            SystemTest::LogId(id) => Predicate::LogId(id),
            SystemTest::MessageMatches(regex) => {
                Predicate::Message(Box::new(MessageSearch::regex(&regex).map_err(refused)?))
            }
        })
    }

    /// What a row costs, roughly: the order of evaluation.
    fn cost(&self) -> u32 {
        match self {
            Predicate::Always => 0,
            Predicate::LogId(_) | Predicate::OneOfServices(_) | Predicate::Service(_) => 1,
            Predicate::Levels(_) | Predicate::IsAnomaly(_) => 2,
            Predicate::Times(..) => 3,
            Predicate::LatencyMs(_) | Predicate::AnomalyScore(_) => 4,
            Predicate::AnomalyReason(_) => 5,
            Predicate::Field(..) => 10,
            Predicate::Message(_) => 30,
            Predicate::Not(inner) => inner.cost(),
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().fold(0, |sum, part| sum.saturating_add(part.cost()))
            }
        }
    }

    /// False when no row of the source can meet the condition; reads no column.
    pub(super) fn may_match(&self, source: &dyn ColumnSource) -> bool {
        self.ruled_out(source).is_none()
    }

    /// What says that no row of the source can meet the condition, if anything does; reads no column.
    pub(super) fn ruled_out(&self, source: &dyn ColumnSource) -> Option<PrunedBy> {
        let holds = |tokens: &[String]| tokens.iter().all(|token| source.may_hold_token(token));
        let (may_match, by) = match self {
            Predicate::OneOfServices(_) | Predicate::Service(_) => {
                (self.accepted_services(source).contains(&true), PrunedBy::Service)
            }
            Predicate::Levels(mask) => (source.level_mask() & mask != 0, PrunedBy::Level),
            Predicate::Times(first, last) => {
                let (oldest, newest) = source.time_range();
                (first <= last && *first <= newest && *last >= oldest, PrunedBy::Time)
            }
            Predicate::LogId(id) => {
                let (from, to) = source.offset_range();
                let is_here = source.partition() == id.partition && (from..to).contains(&id.offset);
                (is_here, PrunedBy::LogId)
            }
            Predicate::Message(search) => (holds(search.tokens()), PrunedBy::Filter),
            Predicate::Field(name, _) if !source.may_hold_field(name) => (false, PrunedBy::Statistics),
            Predicate::Field(name, test) => return test.ruled_out(source, name),
            Predicate::LatencyMs(range) => {
                (may_hold_number(source, ColumnName::LatencyMs, range), PrunedBy::Statistics)
            }
            Predicate::AnomalyScore(range) => {
                (may_hold_number(source, ColumnName::AnomalyScore, range), PrunedBy::Statistics)
            }
            Predicate::And(parts) => return parts.iter().find_map(|part| part.ruled_out(source)),
            Predicate::Or(parts) => {
                let ruled_out = |part: &Predicate| part.ruled_out(source);
                let all = parts.iter().map(ruled_out).collect::<Option<Vec<PrunedBy>>>();
                // Of no conditions none is met.
                return all.map(|by| by.last().copied().unwrap_or(PrunedBy::Statistics));
            }
            Predicate::Not(inner) => (!matches!(**inner, Predicate::Always), PrunedBy::Statistics),
            Predicate::Always | Predicate::IsAnomaly(_) | Predicate::AnomalyReason(_) => return None,
        };
        (!may_match).then_some(by)
    }

    /// True when ruling out the source takes more than what is known of it without reading: its filter of words.
    pub(super) fn asks_for_words(&self, source: &dyn ColumnSource) -> bool {
        match self {
            Predicate::Message(search) => !search.tokens().is_empty(),
            Predicate::Field(name, test) => source.may_hold_field(name) && test.asks_for_words(),
            Predicate::And(parts) => {
                // Those that need no reading come first, and may rule it out.
                let (reading, known): (Vec<_>, Vec<_>) =
                    parts.iter().partition(|part| part.asks_for_words(source));
                !reading.is_empty() && known.iter().all(|part| part.may_match(source))
            }
            Predicate::Or(parts) => parts.iter().any(|part| part.asks_for_words(source)),
            _ => false,
        }
    }

    /// Says which columns of a source it will be asked of.
    pub(super) fn announce(&self, source: &dyn ColumnSource) {
        match self {
            Predicate::Levels(mask) if source.level_mask() & !mask != 0 => source.announce(ColumnName::Level),
            Predicate::Times(first, last) => {
                let (oldest, newest) = source.time_range();
                if oldest < *first || *last < newest {
                    source.announce(ColumnName::Timestamp);
                }
            }
            Predicate::LatencyMs(_) => source.announce(ColumnName::LatencyMs),
            Predicate::AnomalyScore(_) => source.announce(ColumnName::AnomalyScore),
            Predicate::IsAnomaly(_) | Predicate::AnomalyReason(_) => source.announce(ColumnName::Anomalies),
            Predicate::LogId(_) => source.announce(ColumnName::Offset),
            // Which variables will be looked at, the templates say.
            Predicate::Message(_) => source.announce(ColumnName::Message),
            Predicate::Field(name, _) => source.announce(ColumnName::Field(name)),
            Predicate::Not(inner) => inner.announce(source),
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().for_each(|part| part.announce(source));
            }
            Predicate::Always
            | Predicate::OneOfServices(_)
            | Predicate::Service(_)
            | Predicate::Levels(_) => {}
        }
    }

    /// Keeps the rows that meet the condition.
    pub(super) fn narrow(&self, source: &dyn ColumnSource, rows: &mut Bitmap) -> Evaluated {
        if rows.is_empty() {
            return Ok(());
        }
        match self {
            Predicate::Always => {}
            Predicate::OneOfServices(_) | Predicate::Service(_) => self.narrow_services(source, rows)?,
            Predicate::Levels(mask) => narrow_levels(*mask, source, rows)?,
            Predicate::Times(first, last) => narrow_times(*first, *last, source, rows)?,
            Predicate::LatencyMs(range) => {
                // A record without a latency holds NaN, which no range contains.
                let (first, last) = range.floats();
                rows.retain_values(&source.latency_ms()?, |value| (first <= *value) & (*value <= last));
            }
            Predicate::AnomalyScore(range) => {
                let (first, last) = range.floats();
                let accepts = |value: f64| (first <= value) & (value <= last);
                rows.retain_values(&source.anomaly_score()?, |value| accepts(f64::from(*value)));
            }
            Predicate::IsAnomaly(true) => rows.intersect(&anomalies(source, rows, |_| true)?),
            Predicate::IsAnomaly(false) => rows.subtract(&anomalies(source, rows, |_| true)?),
            Predicate::AnomalyReason(test) => {
                let mut scratch = Scratch::default();
                rows.intersect(&anomalies(source, rows, |reason| test.accepts_text(reason, &mut scratch))?);
            }
            Predicate::LogId(id) => match self.may_match(source) {
                true => rows.retain_values(&source.offset()?, |offset| *offset == id.offset),
                false => rows.clear(),
            },
            Predicate::Message(search) => search.narrow(&source.message()?, rows)?,
            Predicate::Field(name, test) => {
                let mut found = rows.emptied();
                for view in source.field(name)? {
                    test.collect(&view, rows, &mut found);
                }
                rows.intersect(&found);
            }
            Predicate::Not(inner) => {
                if inner.may_match(source) {
                    let mut met = rows.clone();
                    inner.narrow(source, &mut met)?;
                    rows.subtract(&met);
                }
            }
            Predicate::And(parts) => return parts.iter().try_for_each(|part| part.narrow(source, rows)),
            Predicate::Or(parts) => narrow_to_any(parts, source, rows)?,
        }
        Ok(())
    }

    /// Which of the source's services are accepted.
    fn accepted_services(&self, source: &dyn ColumnSource) -> Vec<bool> {
        let mut scratch = Scratch::default();
        let mut accepts = |service: &String| match self {
            Predicate::OneOfServices(services) => services.contains(service),
            Predicate::Service(test) => test.accepts_text(service, &mut scratch),
            _ => true,
        };
        source.services().iter().map(&mut accepts).collect()
    }

    fn narrow_services(&self, source: &dyn ColumnSource, rows: &mut Bitmap) -> Evaluated {
        let accepted = self.accepted_services(source);
        if !accepted.contains(&true) {
            rows.clear();
        } else if accepted.contains(&false) {
            match source.service_runs() {
                Some(runs) => narrow_runs(&accepted, runs, rows),
                None => {
                    let is_accepted =
                        |service: &u16| accepted.get(usize::from(*service)).is_some_and(|accepted| *accepted);
                    rows.retain_values(&source.service()?, is_accepted);
                }
            }
        }
        Ok(())
    }
}

/// False when a column of numbers has none in the range.
fn may_hold_number(source: &dyn ColumnSource, column: ColumnName<'_>, range: &NumberRange) -> bool {
    source.statistics(column).is_none_or(|statistics| {
        statistics.iter().any(|of| of.values > 0 && of.range.is_none_or(|found| found.overlaps(range)))
    })
}

fn narrow_levels(mask: u8, source: &dyn ColumnSource, rows: &mut Bitmap) -> Evaluated {
    if mask & EVERY_LEVEL == EVERY_LEVEL {
        return Ok(());
    }
    let occurring = source.level_mask();
    if occurring & mask == 0 {
        rows.clear();
    } else if occurring & !mask != 0 {
        rows.retain_values(&source.level()?, |level| mask.unbounded_shr(u32::from(*level)) & 1 != 0);
    }
    Ok(())
}

/// Keeps the rows that meet one of the conditions; each sees only the rows those before left.
fn narrow_to_any(parts: &[Predicate], source: &dyn ColumnSource, rows: &mut Bitmap) -> Evaluated {
    let mut met = rows.emptied();
    for part in parts.iter().filter(|part| part.may_match(source)) {
        let mut open = rows.clone();
        open.subtract(&met);
        if open.is_empty() {
            return Ok(());
        }
        part.narrow(source, &mut open)?;
        met.unite(&open);
    }
    *rows = met;
    Ok(())
}

/// The rows that are anomalies with an accepted reason.
fn anomalies(
    source: &dyn ColumnSource,
    rows: &Bitmap,
    mut accepts: impl FnMut(&str) -> bool,
) -> Result<Bitmap, ColumnError> {
    let mut found = rows.emptied();
    for (row, reason) in source.anomalies()?.iter() {
        if accepts(reason) {
            found.insert(*row as usize);
        }
    }
    Ok(found)
}

fn cheapest_first(mut parts: Vec<Predicate>) -> Vec<Predicate> {
    // Stable: conditions of one cost stay in the order they were typed.
    parts.sort_by_key(Predicate::cost);
    parts
}
