//! From a rule to a question of the query engine, and from the answer's rows to readings. Pure.

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Condition, Problem, Rule};
use insighthub_model::query::pipeline::{Aggregate, Function, Group, GroupKey, Stats};
use insighthub_model::query::{self, Expression, Query, Stage, TimeSpan};
use insighthub_model::table::{Table, Value};
use insighthub_model::timestamp::NANOS_PER_SEC;

/// A group's name where its records lack the field.
const NONE: &str = "(none)";
const ERRORS: &str = "level:>=error";

/// What is asked: the filter, and the stage that makes one row of each group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) filter: Expression,
    pub(super) stats: Stats,
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) group: Vec<(String, String)>,
    /// Start of the stretch of time, where the question divides by time.
    pub(super) begins: Option<Timestamp>,
    /// In the order of the aggregates; those without a value are not a number.
    pub(super) values: Vec<f64>,
}

/// The question of a rule's window; rules that ask alike share one answer. `None`: no figures of records decide it.
pub(super) fn question_of(rule: &Rule) -> Result<Option<Question>, Problem> {
    let aggregates = match &rule.condition {
        Condition::ErrorRate(_) => vec![count(None), count(Some(filter(ERRORS)?))],
        Condition::Latency(of) => with_count(of.aggregate()?),
        Condition::Query(of) => of.aggregate()?.aggregates,
        Condition::Ratio(of) => vec![count(Some(filter(&of.of)?)), count(Some(filter(&of.to)?))],
        Condition::NoData(_) => vec![count(None)],
        Condition::Anomaly(_) | Condition::NewPattern(_) => return Ok(None),
    };
    let aggregates = aggregates.into_iter().enumerate().map(|(place, aggregate)| Aggregate {
        // No field has a name with a space at its front.
        column: format!(" {place}"),
        ..aggregate
    });
    let groups = rule.group_by.iter();
    let groups = groups.map(|name| Group { key: GroupKey::Field(name.clone()), column: name.clone() });
    let stats = Stats { aggregates: aggregates.collect(), groups: groups.collect() };
    Ok(Some(Question { filter: rule.expression()?, stats }))
}

fn filter(text: &str) -> Result<Expression, Problem> {
    query::parse_filter(text).map_err(|error| Problem::new("filter", error.with_caret(text).to_string()))
}

/// Without a condition where it says nothing: minutes then know the count.
fn count(condition: Option<Expression>) -> Aggregate {
    let condition = condition.filter(|condition| *condition != Expression::All);
    Aggregate { function: Function::Count, condition, column: String::new() }
}

fn with_count(stats: Stats) -> Vec<Aggregate> {
    let mut aggregates = stats.aggregates;
    aggregates.push(count(None));
    aggregates
}

impl Question {
    /// The same for each stretch of time of this length.
    pub(super) fn by_time(mut self, secs: u32) -> Question {
        let key = GroupKey::Time(TimeSpan::from_nanos(i64::from(secs) * NANOS_PER_SEC));
        self.stats.groups.push(Group { key, column: " time".to_owned() });
        self
    }

    pub(super) fn query(&self) -> Query {
        Query { filter: self.filter.clone(), stages: vec![Stage::Stats(self.stats.clone())] }
    }

    /// The rows of its answer.
    pub(super) fn rows(&self, table: Table) -> Vec<Row> {
        table.rows.into_iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, cells: Vec<Value>) -> Row {
        let mut cells = cells.into_iter();
        let mut row = Row { group: Vec::new(), begins: None, values: Vec::new() };
        for (group, cell) in self.stats.groups.iter().zip(cells.by_ref()) {
            match (&group.key, cell) {
                (GroupKey::Time(_), Value::Time(begins)) => row.begins = Some(begins),
                (GroupKey::Time(_), _) => {}
                (GroupKey::Field(name), cell) => row.group.push((name.clone(), text_of(&cell))),
            }
        }
        row.values = cells.map(|cell| number_of(&cell)).collect();
        row
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        Value::Text(text) | Value::Json(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

fn number_of(value: &Value) -> f64 {
    match value {
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        _ => f64::NAN,
    }
}

/// The records that a reading of this group is about, as a person would search for them.
pub(super) fn records_of(rule: &Rule, group: &[(String, String)]) -> Expression {
    let narrower = match &rule.condition {
        Condition::ErrorRate(_) => filter(ERRORS).ok(),
        Condition::Latency(of) => filter(&format!("{}:>{}", of.field, of.threshold_ms)).ok(),
        Condition::Ratio(of) => filter(&of.of).ok(),
        _ => None,
    };
    let of_group = group.iter().filter(|(name, value)| name != "pattern" && value != NONE);
    let of_group = of_group.map(|(name, value)| Expression::field_is(name, value));
    let base = rule.expression().ok();
    said_once(Expression::all_of(of_group.chain(base).chain(narrower)))
}

/// A rule's own filter may name the group, or ask for errors itself.
fn said_once(records: Expression) -> Expression {
    let Expression::And(parts) = records else { return records };
    let mut once: Vec<Expression> = Vec::new();
    for part in parts {
        if !once.contains(&part) {
            once.push(part);
        }
    }
    Expression::all_of(once)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use insighthub_model::alerts::first_rules;

    #[test]
    fn rules_of_error_rates_share_one_question_that_minutes_answer() {
        let (_, rule) = first_rules().remove(0);
        let question = question_of(&rule).unwrap().unwrap();
        let text = question.by_time(60).query().to_string();
        assert!(text.starts_with("* | stats count() as "), "{text}");
        assert!(
            text.contains("count() if (level:>=error)") && text.contains("by service, time(1m)"),
            "{text}"
        );
    }

    #[test]
    fn rows_read_back_as_groups_times_and_figures() {
        let (_, rule) = first_rules().remove(0);
        let question = question_of(&rule).unwrap().unwrap().by_time(60);
        let row = vec![Value::Text("auth".into()), Value::Time(Timestamp(60)), Value::Int(7), Value::Null];
        let rows = question.rows(Table { columns: Vec::new(), rows: vec![row] });
        assert_eq!(rows[0].group, [("service".to_owned(), "auth".to_owned())]);
        assert_eq!((rows[0].begins, rows[0].values[0]), (Some(Timestamp(60)), 7.0));
        assert!(rows[0].values[1].is_nan());
    }

    #[test]
    fn what_a_reading_is_about_is_a_query_that_reads_back() {
        let (_, rule) = first_rules().remove(0);
        let group = [("service".to_owned(), "pay \"x\" OR *".to_owned())];
        let text = records_of(&rule, &group).to_string();
        assert_eq!(query::parse_filter(&text).unwrap(), records_of(&rule, &group), "{text}");
    }

    #[test]
    fn what_the_rule_says_of_its_group_is_not_said_twice() {
        let (_, mut rule) = first_rules().remove(0);
        rule.filter = "service:tills level:>=error region:eu".to_owned();
        let group = [("service".to_owned(), "tills".to_owned())];
        assert_eq!(records_of(&rule, &group).to_string(), "service:tills level:>=error region:eu");
    }
}
