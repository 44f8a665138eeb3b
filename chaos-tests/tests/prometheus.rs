//! What `/metrics` says, held against the programs that read it: Debian's `promtool` and `prometheus`, which scrapes a cluster
//! of three and evaluates the rules of `docs/grafana/`. `cargo xtask test` installs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::binary::workspace;
use insighthub_chaos_tests::cluster::addresses::free_address;
use insighthub_chaos_tests::cluster::{ADMIN_PASSWORD, Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(90);
const RULES: &str = "docs/grafana/rules.yml";
const DASHBOARD: &str = "docs/grafana/insighthub.json";

/// Runs promtool with something to read; answers what it says where that is a complaint.
fn promtool(words: &[&str], input: &str) -> Result<()> {
    let mut child = Command::new("promtool")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool is missing: apt-get install prometheus")?;
    std::io::Write::write_all(&mut child.stdin.take().context("no stdin")?, input.as_bytes())?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "promtool {words:?}: {said}");
    Ok(())
}

/// A Prometheus that scrapes these nodes every second.
struct Prometheus {
    child: Child,
    api: Api,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Prometheus {
    fn start(directory: &Path, cluster: &Cluster) -> Result<Prometheus> {
        let nodes: Vec<String> = cluster.nodes.iter().map(|node| node.http.to_string()).collect();
        let rules = workspace().join(RULES);
        // JSON is YAML.
        let config = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [rules],
            "scrape_configs": [{
                "job_name": "insighthub",
                "basic_auth": { "username": "admin", "password": ADMIN_PASSWORD },
                "static_configs": [{ "targets": nodes }],
            }],
        });
        let file = directory.join("prometheus.yml");
        fs::write(&file, config.to_string())?;
        let address = free_address()?;
        let log = fs::File::create(directory.join("prometheus.log"))?;
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("prometheus").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("prometheus is missing: apt-get install prometheus")?;
        Ok(Prometheus { child, api: Api::new(&format!("http://{address}"))? })
    }

    async fn value(&self, query: &str) -> Option<f64> {
        let answer = self.api.get("/api/v1/query", &[("query", query)]).await.ok()?;
        answer.json["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }

    async fn wait_for(&self, query: &str, is_right: impl Fn(f64) -> bool) -> Result<()> {
        wait_until(query, WITHIN, || async { self.value(query).await.is_some_and(&is_right) }).await
    }

    /// All rules by name, with their health and what is wrong with them.
    async fn rules(&self) -> Result<Vec<Value>> {
        let answer = self.api.get("/api/v1/rules", &[]).await?;
        let groups = answer.json["data"]["groups"].as_array().cloned().context("no groups")?;
        Ok(groups.iter().filter_map(|group| group["rules"].as_array()).flatten().cloned().collect())
    }
}

/// Names of metrics in an expression: ours, and those of processes.
fn names_in(expression: &str) -> BTreeSet<String> {
    let words =
        expression.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'));
    let is_metric = |word: &&str| {
        (word.starts_with("insighthub_") || word.starts_with("process_")) && !word.contains(':')
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

/// Every text under one of these names.
fn texts(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == name => found.push(text.clone()),
                    value => texts(value, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, name, found)),
        _ => {}
    }
}

/// Every metric that the dashboard and the rules name is there.
fn everything_named_exists(metrics: &str) -> Result<()> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(workspace().join(DASHBOARD))?)?;
    let mut expressions = Vec::new();
    texts(&dashboard, "expr", &mut expressions);
    texts(&dashboard, "query", &mut expressions);
    let rules = fs::read_to_string(workspace().join(RULES))?;
    let named = names_in(&expressions.join("\n"));
    ensure!(named.len() > 30, "the dashboard names only {named:?}");
    let there: BTreeSet<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let missing: Vec<_> =
        named.union(&names_in(&rules)).filter(|name| !there.contains(name.as_str())).cloned().collect();
    // Those of channels are there once a channel is.
    let missing: Vec<_> = missing.into_iter().filter(|name| !name.contains("_alert_")).collect();
    ensure!(missing.is_empty(), "no node has {missing:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_a_cluster_and_evaluates_its_rules() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    promtool(&["check", "rules", &workspace().join(RULES).display().to_string()], "")?;
    let line = json!({ "service": "checkout", "message": "paid", "latency_ms": 12 });
    let body = format!("{line}\n").repeat(500) + "{\"message\": \"no service\"}\n";
    let node = cluster.node(0)?;
    node.admin().ingest(&[("content-type", "application/x-ndjson")], body.into()).await?.expect(200)?;
    node.admin().get("/api/logs", &[("q", "paid")]).await?.expect(200)?;
    for node in &cluster.nodes {
        let metrics = node.admin().get("/metrics", &[]).await?;
        metrics.expect(200)?;
        promtool(&["check", "metrics"], &metrics.text).with_context(|| node.name.clone())?;
        everything_named_exists(&metrics.text).with_context(|| node.name.clone())?;
    }
    let prometheus = Prometheus::start(directory.path(), &cluster)?;
    prometheus.wait_for("sum(up)", |up| up == 3.0).await?;
    prometheus.wait_for("sum(insighthub_records_accepted_total)", |records| records == 500.0).await?;
    prometheus.wait_for("sum(insighthub_records_rejected_total)", |records| records == 1.0).await?;
    let waiting = "sum(max by (partition) (insighthub_partition_dead_letters))";
    prometheus.wait_for(waiting, |letters| letters == 1.0).await?;
    let letters = node.admin().get("/api/dead-letters", &[]).await?;
    let mended = json!({
        "id": letters.json["dead_letters"][0]["id"],
        "record": { "service": "checkout", "message": "mended" },
    });
    node.admin().post_json("/api/dead-letters/replay", &json!({ "records": [mended] })).await?.expect(200)?;
    prometheus.wait_for(waiting, |letters| letters == 0.0).await?;
    prometheus.wait_for("insighthub:partitions_led", |led| led == 4.0).await?;
    prometheus.wait_for("sum(insighthub_commit_duration_seconds_count)", |commits| commits >= 1.0).await?;
    prometheus
        .wait_for("sum(insighthub_http_requests_total{class=\"ingest\",status=\"2xx\"})", |count| {
            count >= 1.0
        })
        .await?;
    prometheus
        .wait_for("sum(insighthub_http_request_duration_seconds_count{class=\"query\"})", |count| {
            count >= 1.0
        })
        .await?;
    // A node that is killed is seen by the others, and the alert about it begins.
    cluster.node(2)?.kill().await?;
    prometheus
        .wait_for("ALERTS{alertname=\"InsightHubNodeDown\",peer=\"n3\"}", |pending| pending == 1.0)
        .await?;
    wait_until("all rules were evaluated", WITHIN, || async {
        let is_done = |rule: &Value| rule["health"] != "unknown";
        prometheus.rules().await.is_ok_and(|rules| rules.len() == 25 && rules.iter().all(is_done))
    })
    .await?;
    for rule in prometheus.rules().await? {
        ensure!(rule["health"] == "ok", "{}: {}", rule["name"], rule["lastError"]);
    }
    Ok(())
}
