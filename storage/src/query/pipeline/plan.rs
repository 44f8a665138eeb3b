//! What of a query is worked out where the records are, and what is left for the node that was asked.

use insighthub_model::Timestamp;
use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_model::query::pipeline::{
    Aggregate, Context, Direction, Function, GroupKey, SortKey, Statistic, Stats, Top,
};
use insighthub_model::query::{Expression, Query, Stage, TimeSpan};
use serde::{Deserialize, Serialize};

/// What every replica works out of the records a filter means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gathering {
    /// So many records, newest first.
    Newest(u32),
    /// So many records, first by these keys, then newest first.
    Sorted { keys: Vec<SortKey>, rows: u32 },
    /// So many records, drawn by a hash of their log ids.
    Sample(u32),
    /// Aggregates by group.
    Groups(Grouping),
    /// The neighbours of one record.
    Context(Context),
}

/// Aggregates and what they are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    pub keys: Vec<Key>,
    pub aggregates: Vec<Aggregate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// Null where a record does not have it.
    Field(String),
    Time(TimeSpan),
    /// The message with its variable parts left out.
    Template,
    /// Stretches of this length, one of which begins at the moment.
    TimeFrom(Timestamp, TimeSpan),
}

/// A query, divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Conditions of `where` that stand before anything else are part of it.
    pub filter: Expression,
    pub gathering: Gathering,
    /// Names of the columns that groups become: keys, then aggregates.
    pub columns: Vec<String>,
    /// What is left to do, in order.
    pub stages: Vec<Stage>,
}

impl Plan {
    /// Divides a query; `rows_max` bounds records where the query itself does not.
    pub fn new(query: &Query, rows_max: u32) -> Plan {
        let mut filter = vec![query.filter.clone()];
        let mut stages = query.stages.iter().cloned().peekable();
        while let Some(Stage::Where(condition)) = stages.next_if(|stage| matches!(stage, Stage::Where(_))) {
            filter.push(condition);
        }
        let mut rest: Vec<Stage> = stages.collect();
        let (gathering, columns) = match rest.first().cloned() {
            Some(Stage::Stats(stats)) => {
                rest.remove(0);
                grouped(stats)
            }
            Some(Stage::Top(top)) => {
                rest.splice(..1, after_top(&top));
                grouped_top(top)
            }
            Some(Stage::Uniq(fields)) => {
                rest.splice(..1, [Stage::Sort(fields.iter().cloned().map(ascending).collect())]);
                grouped(Stats { aggregates: Vec::new(), groups: fields.into_iter().map(by_field).collect() })
            }
            Some(Stage::Patterns(_)) => patterns(),
            Some(Stage::Sample(rows)) => {
                rest.remove(0);
                (Gathering::Sample(rows), Vec::new())
            }
            Some(Stage::Context(context)) => {
                rest.remove(0);
                (Gathering::Context(context), Vec::new())
            }
            Some(Stage::Sort(keys)) => {
                rest.remove(0);
                (Gathering::Sorted { keys, rows: rows_needed(&rest, rows_max) }, Vec::new())
            }
            _ => (Gathering::Newest(rows_needed(&rest, rows_max)), Vec::new()),
        };
        Plan { filter: Expression::all_of(filter), gathering, columns, stages: rest }
    }
}

/// The rows that the stages look at, as far as those at the front say it.
fn rows_needed(stages: &[Stage], rows_max: u32) -> u32 {
    let mut passed_over = 0u32;
    for stage in stages {
        match stage {
            Stage::Offset(rows) => passed_over = passed_over.saturating_add(*rows),
            Stage::Limit(rows) => return passed_over.saturating_add(*rows).min(PAGE_RECORDS_MAX as u32),
            Stage::Fields(_) => {}
            _ => break,
        }
    }
    rows_max.min(PAGE_RECORDS_MAX as u32)
}

fn grouped(stats: Stats) -> (Gathering, Vec<String>) {
    let columns = stats.columns();
    let keys = stats.groups.into_iter().map(|group| match group.key {
        GroupKey::Field(name) => Key::Field(name),
        GroupKey::Time(length) => Key::Time(length),
    });
    (Gathering::Groups(Grouping { keys: keys.collect(), aggregates: stats.aggregates }), columns)
}

fn grouped_top(top: Top) -> (Gathering, Vec<String>) {
    let groups = top.fields.into_iter().map(by_field).collect();
    grouped(Stats { aggregates: vec![top.by], groups })
}

fn after_top(top: &Top) -> [Stage; 2] {
    let most_first = SortKey { column: top.by.column.clone(), direction: Direction::Descending };
    let keys = [most_first].into_iter().chain(top.fields.iter().cloned().map(ascending));
    [Stage::Sort(keys.collect()), Stage::Limit(top.rows)]
}

fn by_field(name: String) -> insighthub_model::query::pipeline::Group {
    insighthub_model::query::pipeline::Group { column: name.clone(), key: GroupKey::Field(name) }
}

fn ascending(column: String) -> SortKey {
    SortKey { column, direction: Direction::Ascending }
}

/// Groups that `finish` turns into the columns of `patterns`; the stage itself stays to be finished.
fn patterns() -> (Gathering, Vec<String>) {
    let aggregate =
        |function, column: &str| Aggregate { function, condition: None, column: column.to_owned() };
    let of = |statistic, field: &str, column| aggregate(Function::Of(statistic, field.to_owned()), column);
    let aggregates = vec![
        aggregate(Function::Count, "count"),
        of(Statistic::Min, "timestamp", "first_seen"),
        of(Statistic::Max, "timestamp", "last_seen"),
        of(Statistic::Last, "log_id", "sample"),
    ];
    let columns = ["pattern", "count", "first_seen", "last_seen", "sample"].map(str::to_owned).to_vec();
    (Gathering::Groups(Grouping { keys: vec![Key::Template], aggregates }), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::query::parse;

    fn plan(text: &str) -> Plan {
        Plan::new(&parse(text).unwrap(), 1_000)
    }

    #[test]
    fn conditions_before_everything_else_join_the_filter() {
        let plan = plan("level:error | where latency_ms > 5 | stats count() by service | where count > 3");
        assert_eq!(plan.filter, parse("level:error latency_ms:>5").unwrap().filter);
        assert!(matches!(plan.gathering, Gathering::Groups(_)));
        assert!(matches!(plan.stages.as_slice(), [Stage::Where(_)]));
        assert_eq!(plan.columns, ["service", "count"]);
    }

    #[test]
    fn records_are_gathered_no_further_than_they_are_looked_at() {
        let rows = |text: &str| match plan(text).gathering {
            Gathering::Newest(rows) | Gathering::Sorted { rows, .. } => rows,
            other => panic!("{other:?}"),
        };
        assert_eq!(rows("a | limit 20"), 20);
        assert_eq!(rows("a | offset 5 | limit 20"), 25);
        assert_eq!(rows("a | fields message | limit 7"), 7);
        assert_eq!(rows("a | sort latency_ms desc | limit 9"), 9);
        assert_eq!(rows("a | limit 20 | where latency_ms > 5"), 20);
        assert_eq!(rows("a"), 1_000);
        assert_eq!(rows("a | limit 20 | sort message"), 20);
    }

    #[test]
    fn top_is_what_it_is_described_as() {
        let left = plan("* | top 3 service, host");
        let right = plan("* | stats count() by service, host | sort count desc, service, host | limit 3");
        assert_eq!(left, right);
    }
}
