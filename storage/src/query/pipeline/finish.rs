//! What the node that was asked makes of what was gathered: the stages that look at rows, not at columns.

use insighthub_model::Record;
use insighthub_model::query::Stage;
use insighthub_model::query::pipeline::{Direction, PATTERN_COLUMNS, Projection, SortKey};
use insighthub_model::record::SYSTEM_FIELDS;
use insighthub_model::table::{Table, Value};

use super::gather::{Gathered, gather};
use super::plan::{Gathering, Plan};
use super::{ranked, rows};
use crate::column_source::ColumnSource;
use crate::query::budget::Budget;
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::stored_batch::StoredBatch;

/// The answer of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    Records(Vec<Record>),
    Table(Table),
}

/// Applies the stages that are left to what was gathered. `matched_records` is the number of records that were
/// looked at; `range_nanos` the time range asked for, where it has two ends.
pub fn finish(
    plan: &Plan,
    gathered: Gathered,
    matched_records: u64,
    range_nanos: Option<i64>,
) -> Result<Rows, QueryError> {
    let mut rows = match (gathered, &plan.gathering) {
        (Gathered::Groups(groups), Gathering::Groups(grouping)) => {
            Rows::Table(groups.into_table(grouping, plan.columns.clone(), range_nanos))
        }
        (Gathered::Records(records), _) => Rows::Records(records),
        (Gathered::Groups(_), _) => Rows::Records(Vec::new()),
    };
    for stage in &plan.stages {
        rows = rows.after(stage, matched_records, range_nanos)?;
    }
    Ok(rows)
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Rows::Records(records) => records.len(),
            Rows::Table(table) => table.rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn after(
        self,
        stage: &Stage,
        matched_records: u64,
        range_nanos: Option<i64>,
    ) -> Result<Rows, QueryError> {
        Ok(match (stage, self) {
            (Stage::Where(condition), rows) => rows.keep(&Filter::of_expression(condition)?)?,
            (Stage::Sort(keys), rows) => rows.sorted(keys),
            (Stage::Limit(limit), rows) => rows.cut(0, *limit as usize),
            (Stage::Offset(offset), rows) => rows.cut(*offset as usize, usize::MAX),
            (Stage::Fields(projection), rows) => Rows::Table(rows.projected(projection)),
            (Stage::Patterns(limit), Rows::Table(table)) => {
                Rows::Table(patterns(table, *limit, matched_records))
            }
            (Stage::Uniq(fields), Rows::Table(table)) => Rows::Table(distinct(table, fields)),
            (Stage::Sample(limit), Rows::Records(records)) => {
                Rows::Records(ranked::merge(ranked::Ranking::Hash, vec![records], *limit as usize))
                    .newest_first()
            }
            // Made of records that were cut before: the same as of blocks.
            (stage, Rows::Records(records)) => again(stage, &records, range_nanos)?,
            (_, table) => table,
        })
    }

    fn newest_first(self) -> Rows {
        match self {
            Rows::Records(records) => {
                let rows = records.len();
                Rows::Records(ranked::merge(ranked::Ranking::Keys(&[]), vec![records], rows))
            }
            table => table,
        }
    }

    fn keep(self, filter: &Filter) -> Result<Rows, QueryError> {
        Ok(match self {
            Rows::Records(records) => {
                let mut kept = Vec::new();
                for record in records {
                    if !filter.matches(&rows::source_of_record(&record))?.is_empty() {
                        kept.push(record);
                    }
                }
                Rows::Records(kept)
            }
            Rows::Table(table) => {
                let meant = filter.matches(&rows::source_of_table(&table))?;
                let mut at = 0;
                let Table { columns, mut rows } = table;
                rows.retain(|_| {
                    at += 1;
                    meant.binary_search(&(at - 1)).is_ok()
                });
                Rows::Table(Table { columns, rows })
            }
        })
    }

    fn sorted(self, keys: &[SortKey]) -> Rows {
        match self {
            Rows::Records(records) => {
                let rows = records.len();
                Rows::Records(ranked::merge(ranked::Ranking::Keys(keys), vec![records], rows))
            }
            Rows::Table(Table { columns, mut rows }) => {
                let keys: Vec<(usize, Direction)> = keys
                    .iter()
                    .filter_map(|key| {
                        Some((columns.iter().position(|name| *name == key.column)?, key.direction))
                    })
                    .collect();
                let value = |row: &Vec<Value>, at: usize| row.get(at).cloned().unwrap_or(Value::Null);
                rows.sort_by(|a, b| {
                    let orders =
                        keys.iter().map(|(at, way)| ranked::order(&value(a, *at), &value(b, *at), *way));
                    orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
                });
                Rows::Table(Table { columns, rows })
            }
        }
    }

    fn cut(self, offset: usize, limit: usize) -> Rows {
        fn part<T>(rows: Vec<T>, offset: usize, limit: usize) -> Vec<T> {
            rows.into_iter().skip(offset).take(limit).collect()
        }
        match self {
            Rows::Records(records) => Rows::Records(part(records, offset, limit)),
            Rows::Table(Table { columns, rows }) => {
                Rows::Table(Table { columns, rows: part(rows, offset, limit) })
            }
        }
    }

    fn projected(self, projection: &Projection) -> Table {
        match self {
            Rows::Table(table) => {
                let columns = projection.of_columns(&table.columns);
                let places: Vec<Option<usize>> =
                    columns.iter().map(|name| table.columns.iter().position(|known| known == name)).collect();
                let value = |row: &Vec<Value>, at: &Option<usize>| {
                    at.and_then(|at| row.get(at)).cloned().unwrap_or(Value::Null)
                };
                let row = |row: Vec<Value>| places.iter().map(|at| value(&row, at)).collect();
                Table { columns, rows: table.rows.into_iter().map(row).collect() }
            }
            Rows::Records(records) => {
                let columns = projection.of_fields(&fields_of(&records));
                let row = |record: &Record| columns.iter().map(|name| rows::value_of(record, name)).collect();
                Table { rows: records.iter().map(row).collect(), columns }
            }
        }
    }
}

/// Names of the fields of records: those every record has, then their own in order of first appearance.
fn fields_of(records: &[Record]) -> Vec<String> {
    const FIRST: [&str; 5] = ["timestamp", "service", "level", "message", "latency_ms"];
    let mut names: Vec<String> = FIRST.iter().chain(&SYSTEM_FIELDS).map(|name| (*name).to_owned()).collect();
    let mut known: std::collections::HashSet<&str> = std::collections::HashSet::new();
    for (name, _) in records.iter().flat_map(|record| &record.fields) {
        if known.insert(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Groups by template become the columns of `patterns`, most frequent first.
fn patterns(table: Table, limit: u32, matched_records: u64) -> Table {
    let share = |count: &Value| match count {
        Value::Int(count) if matched_records > 0 => Value::Float(*count as f64 / matched_records as f64),
        _ => Value::Null,
    };
    let mut rows: Vec<Vec<Value>> = table
        .rows
        .into_iter()
        .filter_map(|row| match <[Value; 5]>::try_from(row) {
            Ok([pattern, count, first_seen, last_seen, sample]) => {
                let share = share(&count);
                Some(vec![pattern, count, share, first_seen, last_seen, sample])
            }
            Err(_) => None,
        })
        .collect();
    // By pattern already; stable, so that the most frequent come first and equals stay in that order.
    rows.sort_by(|a, b| b.get(1).cmp(&a.get(1)));
    rows.truncate(limit as usize);
    Table { columns: PATTERN_COLUMNS.map(str::to_owned).to_vec(), rows }
}

fn distinct(table: Table, fields: &[String]) -> Table {
    let place = |name: &String| table.columns.iter().position(|known| known == name);
    let places: Vec<Option<usize>> = fields.iter().map(place).collect();
    let row = |row: Vec<Value>| {
        let value = |at: &Option<usize>| at.and_then(|at| row.get(at)).cloned().unwrap_or(Value::Null);
        places.iter().map(value).collect::<Vec<Value>>()
    };
    let rows: std::collections::BTreeSet<Vec<Value>> = table.rows.into_iter().map(row).collect();
    Table { columns: fields.to_vec(), rows: rows.into_iter().collect() }
}

fn again(stage: &Stage, records: &[Record], range_nanos: Option<i64>) -> Result<Rows, QueryError> {
    let query = insighthub_model::query::Query {
        filter: insighthub_model::query::Expression::All,
        stages: vec![stage.clone()],
    };
    let plan = Plan::new(&query, u32::MAX);
    let sources: Vec<StoredBatch> = records.iter().map(rows::source_of_record).collect();
    let sources: Vec<&dyn ColumnSource> = sources.iter().map(|source| source as &dyn ColumnSource).collect();
    let filter = Filter::of_expression(&plan.filter)?;
    let (gathered, counts) = gather(&sources, &filter, &plan.gathering, &Budget::UNBOUNDED)?;
    finish(&plan, gathered, counts.matched_records, range_nanos)
}
