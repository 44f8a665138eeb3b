//! What stages mean, read row by row over all records at once. Shares nothing with the real evaluation but the order of
//! values and the choice of columns.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::query::pipeline::{
    Aggregate, Direction, Function, GroupKey, SortKey, Statistic, Stats,
};
use insighthub_model::query::{Expression, FieldTest, Number, Query, Stage, parse};
use insighthub_model::table::{Table, Value};
use insighthub_model::{FieldValue, Record};

use super::source::TestSource;
use super::{expected, plain};
use crate::query::Conditions;
use crate::query::pipeline::{Rows, value_of};

pub(super) fn plainly(sources: &[TestSource], conditions: &Conditions) -> Rows {
    let filter = Conditions { query: Query::of(conditions.query.filter.clone()), ..conditions.clone() };
    let mut rows = Rows::Records(expected(sources, &filter));
    for stage in &conditions.query.stages {
        rows = after(rows, stage, conditions);
    }
    rows
}

fn after(rows: Rows, stage: &Stage, conditions: &Conditions) -> Rows {
    match (stage, rows) {
        (Stage::Limit(limit), rows) => cut(rows, 0, *limit as usize),
        (Stage::Offset(offset), rows) => cut(rows, *offset as usize, usize::MAX),
        (Stage::Where(condition), Rows::Records(mut records)) => {
            records.retain(|record| plain::meets(record, condition));
            Rows::Records(records)
        }
        (Stage::Where(condition), Rows::Table(mut table)) => {
            let columns = table.columns.clone();
            table.rows.retain(|row| row_meets(&columns, row, condition));
            Rows::Table(table)
        }
        (Stage::Sort(keys), Rows::Records(mut records)) => {
            let value = |record: &Record, key: &SortKey| value_of(record, &key.column);
            records.sort_by(|a, b| by_keys(keys, |key| (value(a, key), value(b, key))));
            Rows::Records(records)
        }
        (Stage::Sort(keys), Rows::Table(mut table)) => {
            let place = |key: &SortKey| table.columns.iter().position(|name| *name == key.column).unwrap();
            let places: Vec<usize> = keys.iter().map(place).collect();
            let at = |key: &SortKey| places[keys.iter().position(|other| other == key).unwrap()];
            table.rows.sort_by(|a, b| by_keys(keys, |key| (a[at(key)].clone(), b[at(key)].clone())));
            Rows::Table(table)
        }
        (Stage::Stats(stats), Rows::Records(records)) => Rows::Table(aggregated(&records, stats, conditions)),
        (Stage::Top(top), Rows::Records(records)) => {
            let text = format!("* | top {top}");
            let fields = top.fields.join(", ");
            let longer = format!(
                "* | stats {} by {fields} | sort {} desc, {fields} | limit {}",
                top.by, top.by.column, top.rows
            );
            assert!(parse(&text).is_ok());
            let query = parse(&longer).unwrap();
            query.stages.iter().fold(Rows::Records(records), |rows, stage| after(rows, stage, conditions))
        }
        (Stage::Uniq(fields), rows) => {
            let table = match rows {
                Rows::Records(records) => columns_of(&records, fields),
                Rows::Table(table) => {
                    let place = |name: &String| table.columns.iter().position(|other| other == name).unwrap();
                    let row = |row: &Vec<Value>| fields.iter().map(|name| row[place(name)].clone()).collect();
                    Table { rows: table.rows.iter().map(row).collect(), columns: fields.clone() }
                }
            };
            let rows: BTreeSet<Vec<Value>> = table.rows.into_iter().collect();
            Rows::Table(Table { columns: fields.clone(), rows: rows.into_iter().collect() })
        }
        (Stage::Fields(projection), Rows::Table(table)) => {
            let kept = projection.of_columns(&table.columns);
            let place = |name: &String| table.columns.iter().position(|other| other == name).unwrap();
            let row = |row: &Vec<Value>| kept.iter().map(|name| row[place(name)].clone()).collect();
            Rows::Table(Table { rows: table.rows.iter().map(row).collect(), columns: kept.clone() })
        }
        (Stage::Fields(projection), Rows::Records(records)) => {
            let mut names: Vec<String> =
                ["timestamp", "service", "level", "message", "latency_ms", "log_id", "created_at"]
                    .iter()
                    .chain(&["anomaly_score", "is_anomaly", "anomaly_reason"])
                    .map(|name| (*name).to_owned())
                    .collect();
            for (name, _) in records.iter().flat_map(|record| &record.fields) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            Rows::Table(columns_of(&records, &projection.of_fields(&names)))
        }
        (stage, rows) => panic!("{stage} of {rows:?}"),
    }
}

fn by_keys(keys: &[SortKey], values: impl Fn(&SortKey) -> (Value, Value)) -> std::cmp::Ordering {
    let mut order = std::cmp::Ordering::Equal;
    for key in keys {
        let (a, b) = values(key);
        let turned = key.direction == Direction::Descending && a != Value::Null && b != Value::Null;
        order = order.then(if turned { b.cmp(&a) } else { a.cmp(&b) });
    }
    order
}

fn columns_of(records: &[Record], columns: &[String]) -> Table {
    let row = |record: &Record| columns.iter().map(|name| value_of(record, name)).collect();
    Table { columns: columns.to_vec(), rows: records.iter().map(row).collect() }
}

fn cut(rows: Rows, offset: usize, limit: usize) -> Rows {
    match rows {
        Rows::Records(records) => Rows::Records(records.into_iter().skip(offset).take(limit).collect()),
        Rows::Table(Table { columns, rows }) => {
            Rows::Table(Table { columns, rows: rows.into_iter().skip(offset).take(limit).collect() })
        }
    }
}

/// Conditions on the columns used here: numbers and text.
fn row_meets(columns: &[String], row: &[Value], condition: &Expression) -> bool {
    match condition {
        Expression::Or(parts) => parts.iter().any(|part| row_meets(columns, row, part)),
        Expression::Field(FieldTest { name, test }) => {
            let value = &row[columns.iter().position(|column| column == name).unwrap()];
            let value = match value {
                Value::Int(value) => FieldValue::Int(*value),
                Value::Text(text) => FieldValue::Text(text.clone()),
                Value::Null => return false,
                other => panic!("{other:?}"),
            };
            plain::value_meets(&value, test)
        }
        other => panic!("{other:?}"),
    }
}

fn aggregated(records: &[Record], stats: &Stats, conditions: &Conditions) -> Table {
    let mut groups: BTreeMap<Vec<Value>, Vec<&Record>> = BTreeMap::new();
    if stats.groups.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    let mut stretch = match (conditions.from, conditions.to) {
        (Some(from), Some(to)) => Some(to.0 - from.0),
        _ => None,
    };
    for record in records {
        let key = stats.groups.iter().map(|group| match &group.key {
            GroupKey::Field(name) => value_of(record, name),
            GroupKey::Time(length) => {
                stretch = Some(length.nanos());
                Value::Time(length.start_of(record.timestamp).unwrap())
            }
        });
        groups.entry(key.collect()).or_default().push(record);
    }
    let row = |(key, records): (Vec<Value>, Vec<&Record>)| {
        let values = stats.aggregates.iter().map(|aggregate| figure(aggregate, &records, stretch));
        key.into_iter().chain(values).collect()
    };
    Table { columns: stats.columns(), rows: groups.into_iter().map(row).collect() }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Text(text) | Value::Json(text) => Number::parse(text),
        value => value.as_number(),
    }
}

fn float(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
    }
}

fn figure(aggregate: &Aggregate, records: &[&Record], stretch: Option<i64>) -> Value {
    let meant = |record: &&&Record| {
        aggregate.condition.as_ref().is_none_or(|condition| plain::meets(record, condition))
    };
    let records: Vec<&Record> = records.iter().filter(meant).copied().collect();
    let (statistic, field) = match &aggregate.function {
        Function::Count => return Value::Int(records.len() as i64),
        Function::Rate => {
            let times = || records.iter().map(|record| record.timestamp.0);
            let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
            let nanos = stretch.map_or((last - first).max(1_000_000_000), |nanos| nanos.max(1));
            return match records.len() {
                0 => Value::Int(0),
                count => Value::Float(count as f64 * 1e9 / nanos as f64),
            };
        }
        Function::Of(statistic, field) => (statistic, field),
    };
    // Oldest first.
    let mut ordered = records.clone();
    ordered.sort_by_key(|record| (record.timestamp, record.log_id));
    let values: Vec<Value> =
        ordered.iter().map(|record| value_of(record, field)).filter(|value| *value != Value::Null).collect();
    let mut numbers: Vec<Number> = values.iter().filter_map(number).collect();
    let tie = |number: &Number| matches!(number, Number::Float(_));
    numbers.sort_by(|a, b| a.order(*b).unwrap().then(tie(a).cmp(&tie(b))));
    let extreme = |is_max: bool| match field.as_str() {
        "timestamp" => if is_max { values.last() } else { values.first() }.cloned().unwrap_or(Value::Null),
        "level" => {
            let levels = records.iter().map(|record| record.level);
            let level = if is_max { levels.max() } else { levels.min() };
            level.map_or(Value::Null, |level| Value::Text(level.to_string()))
        }
        _ => {
            let number = if is_max { numbers.last() } else { numbers.first() };
            number.map_or(Value::Null, |number| Value::number(*number))
        }
    };
    match statistic {
        Statistic::Sum if numbers.is_empty() => Value::Null,
        Statistic::Sum if numbers.iter().all(|number| !tie(number)) => {
            let sum: i128 = numbers.iter().map(|number| float_free(*number)).sum();
            i64::try_from(sum).map_or(Value::Float(sum as f64), Value::Int)
        }
        Statistic::Sum => Value::Float(numbers.iter().map(|number| float(*number)).sum()),
        Statistic::Avg if numbers.is_empty() => Value::Null,
        Statistic::Avg => {
            Value::Float(numbers.iter().map(|number| float(*number)).sum::<f64>() / numbers.len() as f64)
        }
        Statistic::Min => extreme(false),
        Statistic::Max => extreme(true),
        Statistic::Quantile(quantile) => {
            let rank = (quantile.fraction() * numbers.len() as f64).ceil() as usize;
            let value = numbers.get(rank.saturating_sub(1));
            value.map_or(Value::Null, |number| Value::Float(float(*number)))
        }
        Statistic::Distinct => Value::Int(values.iter().collect::<BTreeSet<_>>().len() as i64),
        Statistic::First => values.first().cloned().unwrap_or(Value::Null),
        Statistic::Last => values.last().cloned().unwrap_or(Value::Null),
    }
}

fn float_free(number: Number) -> i128 {
    match number {
        Number::Int(value) => i128::from(value),
        Number::Float(_) => panic!("a float among integers"),
    }
}
