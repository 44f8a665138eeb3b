//! How fast a node takes the same records in the forms of different clients, and what that costs it.
//!
//! Everything is prepared before a clock starts. Forms take turns, so that a machine that slows down slows all of them.

pub mod figures;
mod forms;
mod protobuf;
mod records;
mod sending;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use time::OffsetDateTime;

use self::figures::{Figures, Run};
pub use self::forms::Form;
use self::records::records;
use self::sending::send;
use crate::cluster::{Cluster, ClusterOptions};

/// What was acknowledged is there at once; syslog acknowledges nothing.
const THERE_WITHIN: Duration = Duration::from_secs(120);
/// Linux counts processor time in these, on every machine.
const TICKS_PER_SEC: f64 = 100.0;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How much is sent.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub records: usize,
    /// Records of one request.
    pub batch: usize,
    pub connections: usize,
    pub rounds: usize,
}

/// Measures every form in every round, at one node of its own.
pub async fn measure(plan: Plan, forms: &[Form]) -> Result<Figures> {
    let options = ClusterOptions {
        nodes: 1,
        environment: Vec::new(),
        doors: vec!["syslog_tcp", "otlp"],
        ..ClusterOptions::default()
    };
    let cluster = Cluster::start(&options).await?;
    let mut figures = Figures::default();
    for round in 0..plan.rounds {
        for form in forms {
            let run = measure_one(&cluster, plan, *form, round).await?;
            println!("  round {} {:<24} {run}", round + 1, form.name());
            figures.add(*form, run);
        }
    }
    Ok(figures)
}

async fn measure_one(cluster: &Cluster, plan: Plan, form: Form, round: usize) -> Result<Run> {
    let node = cluster.node(0)?;
    // Services of its own: what was sent in another form before is no part of the count.
    let prefix = format!("speed-{}-{round}", form.name().replace([' ', ','], "-"));
    let all = records(&prefix, plan.records, OffsetDateTime::now_utc());
    let requests = all.chunks(plan.batch).map(|batch| form.prepare(batch)).collect::<Result<Vec<_>>>()?;
    let bytes = requests.iter().map(|request| request.body.len() as u64).sum();
    let process = node.process_id().await?;
    let (spent, began) = (processor_secs(process)?, Instant::now());
    send(node, form, requests, plan.connections).await?;
    let count = json!({ "query": format!("service:{prefix}-* | stats count() as n"), "format": "json" });
    loop {
        let answer = node.admin().post_json("/api/query", &count).await?;
        let stored = answer.json.pointer("/rows/0/0").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if stored == plan.records as u64 {
            break;
        }
        let is_late = began.elapsed() > THERE_WITHIN;
        ensure!(!is_late, "{}: {stored} of {} records are there: {}", form.name(), plan.records, answer.text);
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let elapsed = began.elapsed();
    Ok(Run { records: plan.records, bytes, elapsed, processor_secs: processor_secs(process)? - spent })
}

/// What a process has used so far, in itself and in the kernel.
fn processor_secs(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name is in parentheses and may hold anything.
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks =
        |place: usize| after.split_whitespace().nth(place).and_then(|number| number.parse::<f64>().ok());
    let (own, kernel) = (ticks(11).unwrap_or(0.0), ticks(12).unwrap_or(0.0));
    Ok((own + kernel) / TICKS_PER_SEC)
}
