//! What `explain` shows: the plan in words, and what each partition's part of the answer took.

use std::time::Duration;

use insighthub_model::PartitionId;
use insighthub_model::query::{Query, Stage};
use insighthub_storage::cluster::QueryAnswer;
use insighthub_storage::query::Effort;
use insighthub_storage::query::pipeline::{Gathering, Plan};
use serde_json::{Value, json};

/// How the query was answered.
pub(super) fn explain(query: &Query, rows_max: u32, answer: &QueryAnswer) -> Value {
    let plan = Plan::new(query, rows_max);
    let gathering = match &plan.gathering {
        Gathering::Newest(rows) => {
            format!("the newest {rows} records; blocks older than the page are not read")
        }
        Gathering::Sorted { keys, rows } => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            format!("the first {rows} records by {}; every matching block is read", keys.join(", "))
        }
        Gathering::Sample(rows) => format!("{rows} records drawn by a hash of their log ids"),
        Gathering::Groups(grouping) => format!(
            "{} aggregates by {} keys, part by part on every replica asked, on all cores",
            grouping.aggregates.len(),
            grouping.keys.len()
        ),
        Gathering::Context(context) => format!("the record {} and its neighbours", context.log_id),
    };
    let stages: Vec<String> = plan.stages.iter().map(Stage::to_string).collect();
    json!({
        "filter": Query::of(plan.filter.clone()).to_string(),
        "at_the_replicas": gathering,
        "at_this_node": stages,
        "ms": {
            "gather": millis(answer.times.gather),
            "merge": millis(answer.times.merge),
            "finish": millis(answer.times.finish),
        },
        "partitions": answer.counts.efforts.iter().map(partition).collect::<Vec<Value>>(),
    })
}

fn partition((partition, effort): (&PartitionId, &Effort)) -> Value {
    let columns = effort.columns.iter();
    let columns =
        columns.map(|(name, reads)| json!({ "name": name, "reads": reads.reads, "bytes": reads.bytes }));
    let millis = effort.nanos.iter().map(|(step, nanos)| (json!(step), millis(Duration::from_nanos(*nanos))));
    let name = |step: &Value| step.as_str().unwrap_or_default().to_owned();
    json!({
        "partition": partition.0,
        "sources": effort.sources,
        "by_minute": effort.by_minute,
        "pruned": effort.pruned,
        "scanned_records": effort.scanned_records,
        "columns": columns.collect::<Vec<Value>>(),
        "ms": millis.map(|(step, ms)| (name(&step), json!(ms))).collect::<serde_json::Map<String, Value>>(),
    })
}

/// Milliseconds, as far as they mean something.
fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}
