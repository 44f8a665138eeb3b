//! The API that Grafana's data source for Loki calls, asked of every node of a cluster and held field by field against what was
//! sent: records, metrics against a plain computation, resources, the live tail, refusals.

mod metric_cases;
mod metrics;
mod refusals;
mod resources;
mod sent;
mod streams;
mod tailing;

use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use serde_json::Value;

const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Asks one question; the answer is one of success.
pub(crate) async fn ask(api: &Api, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
    let answer = api.get(&format!("/loki/api/v1/{path}"), parameters).await?;
    ensure!(answer.status == 200, "{path} {parameters:?}: {} {}", answer.status, answer.text);
    Ok(answer.json)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grafana_reads_from_every_node_what_was_sent() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let apis: Vec<Api> =
        cluster.nodes.iter().map(|node| Api::patient(&node.url(), ANSWERED_WITHIN)).collect::<Result<_>>()?;
    let sent = sent::sent();
    sent::send(&apis, &sent).await?;
    let mut faults = Vec::new();
    for api in &apis {
        let checks = [
            resources::save_and_test(api).await,
            metrics::check(api, &sent).await,
            streams::check(api, &sent).await,
            resources::check(api, &sent).await,
            refusals::check(api).await,
        ];
        faults.extend(checks.into_iter().filter_map(Result::err));
    }
    faults.extend(tailing::check(&cluster, &sent).await.err());
    ensure!(faults.is_empty(), "{faults:#?}");
    for node in &cluster.nodes {
        let complaints = node.complaints().await?;
        ensure!(complaints.is_empty(), "{}: {complaints:#?}", node.name);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_in_production_asks_who_reads() -> Result<()> {
    let mut environment = ClusterOptions::default().environment;
    environment.push(("INSIGHTHUB_CLUSTER__PROFILE".to_owned(), "production".to_owned()));
    let options = ClusterOptions { nodes: 1, environment, ..ClusterOptions::default() };
    let cluster = Cluster::start(&options).await?;
    refusals::check_credentials(&cluster).await
}
