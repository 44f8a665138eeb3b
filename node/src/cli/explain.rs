//! How a query was answered, for people: the plan, what each partition took, and the columns that were read.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::CliError;
use super::terminal::{Terminal, neutralise, neutralise_json, table};

const STEPS: [&str; 4] = ["prune", "filter", "aggregate", "materialise"];

/// `explained` is what a node answers under that name; one line of JSON where nobody reads it.
pub(super) fn print(terminal: &mut Terminal, explained: &Value, as_text: bool) -> Result<(), CliError> {
    if !as_text {
        return terminal.line(&neutralise_json(&explained.to_string()));
    }
    let partitions = explained.get("partitions").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines = plan(explained);
    lines.push(String::new());
    lines.extend(table(&of_partitions(&partitions)));
    lines.push(String::new());
    lines.extend(table(&of_columns(&partitions)));
    lines.iter().try_for_each(|line| terminal.line(&neutralise(line)))
}

fn plan(explained: &Value) -> Vec<String> {
    let text = |name: &str| explained.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let stages = explained.get("at_this_node").and_then(Value::as_array);
    let stages: Vec<&str> = stages.into_iter().flatten().filter_map(Value::as_str).collect();
    let millis = explained.get("ms").and_then(Value::as_object);
    let millis: Vec<String> =
        millis.into_iter().flatten().map(|(step, ms)| format!("{step} {ms} ms")).collect();
    vec![
        format!("filter           {}", text("filter")),
        format!("at the replicas  {}", text("at_the_replicas")),
        format!(
            "at this node     {}",
            if stages.is_empty() { "nothing".to_owned() } else { stages.join(" | ") }
        ),
        format!("time             {}", millis.join(", ")),
    ]
}

fn of_partitions(partitions: &[Value]) -> Vec<Vec<String>> {
    let head = ["partition", "looked into", "by minute", "passed over", "records"].map(str::to_owned);
    let head = head.into_iter().chain(STEPS.map(|step| format!("{step} ms"))).collect();
    let row = |partition: &Value| {
        let number = |name: &str| partition.get(name).map(Value::to_string).unwrap_or_default();
        let pruned = partition.get("pruned").and_then(Value::as_object);
        let pruned: Vec<String> =
            pruned.into_iter().flatten().map(|(by, count)| format!("{count} by {by}")).collect();
        let millis = STEPS.map(|step| {
            partition.get("ms").and_then(|ms| ms.get(step)).map(Value::to_string).unwrap_or_default()
        });
        let counts = [number("partition"), number("sources"), number("by_minute"), pruned.join(", ")];
        counts.into_iter().chain([number("scanned_records")]).chain(millis).collect()
    };
    [head].into_iter().chain(partitions.iter().map(row)).collect()
}

/// Of all partitions together.
fn of_columns(partitions: &[Value]) -> Vec<Vec<String>> {
    let mut columns: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let read = partitions.iter().filter_map(|partition| partition.get("columns")).filter_map(Value::as_array);
    for column in read.flatten() {
        let number = |name: &str| column.get(name).and_then(Value::as_u64).unwrap_or(0);
        let name = column.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let sum = columns.entry(name).or_default();
        *sum = (sum.0 + number("reads"), sum.1 + number("bytes"));
    }
    let head = ["column", "reads", "bytes stored"].map(str::to_owned).to_vec();
    let rows =
        columns.into_iter().map(|(name, (reads, bytes))| vec![name, reads.to_string(), bytes.to_string()]);
    [head].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn partitions_are_rows_and_columns_are_added_up() {
        let partition = |number: u16| {
            json!({
                "partition": number, "sources": 2, "by_minute": 1, "pruned": {"time": 3, "filter": 4},
                "scanned_records": 10, "columns": [{"name": "level", "reads": 1, "bytes": 100}],
                "ms": {"filter": 0.5},
            })
        };
        let partitions = [partition(0), partition(7)];
        let rows = of_partitions(&partitions);
        assert_eq!(rows[2], ["7", "2", "1", "3 by time, 4 by filter", "10", "", "0.5", "", ""]);
        assert_eq!(of_columns(&partitions)[1], ["level", "2", "200"]);
    }
}
