//! Commands and scripts of the documentation as somebody copies them, against a node: curl, and what Python brings along.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::real_clients::command::Documented;
use insighthub_chaos_tests::real_clients::tools::Tools;
use serde_json::{Value, json};

const STORED_WITHIN: Duration = Duration::from_secs(30);
/// What the page has where a reader writes the node's address.
const HTTP: &str = "localhost:8000";
const TOKEN: &str = "TOKEN";

async fn node(doors: &[&'static str]) -> Result<Cluster> {
    Cluster::start(&ClusterOptions { nodes: 1, doors: doors.to_vec(), ..ClusterOptions::default() }).await
}

async fn token(node: &Node, service: &str) -> Result<String> {
    let made = node.admin().post_json("/api/tokens", &json!({"service": service, "name": "a test"})).await?;
    made.member("token")
}

/// Waits until so many records of a service are there.
async fn stored(api: &Api, service: &str, count: usize) -> Result<Vec<Value>> {
    let found = || async { api.all_logs(&[("service", service)]).await };
    let is_there = || async { found().await.is_ok_and(|records| records.len() == count) };
    wait_until(&format!("{count} records of {service}"), STORED_WITHIN, is_there).await?;
    found().await
}

fn check(record: &Value, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        assert_eq!(record[name], *value, "{name}: {record}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_sends_an_event_to_the_collector() -> Result<()> {
    let cluster = node(&[]).await?;
    let (node, service) = (cluster.node(0)?, "collected");
    let (address, secret) = (node.http.to_string(), token(node, service).await?);
    let words = [(HTTP, address.as_str()), (TOKEN, &secret), ("checkout", service)];
    let printed = Documented::take("splunk.md", "splunk-curl", &words)?.run("sh", None).await?;
    let answer: Value = serde_json::from_str(&printed).context(printed)?;
    ensure!(answer["code"] == 0, "{answer}");
    let records = stored(node.api(), service, 1).await?;
    check(
        &records[0],
        &[("message", "Stripe timeout"), ("source", service), ("host", "web-1"), ("region", "eu")],
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_sends_what_journalctl_prints() -> Result<()> {
    let cluster = node(&[]).await?;
    let (node, service) = (cluster.node(0)?, "journal");
    // The journal of this machine is not the test's to send: another program of that name prints two entries.
    let folder = tempfile::tempdir()?;
    let printing = folder.path().join("journalctl");
    let entry = |number: usize| {
        format!(
            "__CURSOR=s=1;i={number}\\n__REALTIME_TIMESTAMP=17646702020000{number:02}\\nPRIORITY=4\\nMESSAGE=entry {number}\\n\\n"
        )
    };
    let script =
        format!("#!/bin/sh\n[ \"$*\" = '-o export --since today' ] && printf '{}{}'\n", entry(1), entry(2));
    std::fs::write(&printing, script)?;
    std::fs::set_permissions(&printing, std::fs::Permissions::from_mode(0o755))?;
    let (address, secret) = (node.http.to_string(), token(node, service).await?);
    let words = [(HTTP, address.as_str()), (TOKEN, &secret)];
    Documented::take("journald.md", "journal-curl", &words)?.run("sh", Some(folder.path())).await?;
    let mut records = stored(node.api(), service, 2).await?;
    records.sort_by_key(|record| record["message"].to_string());
    check(&records[0], &[("message", "entry 1"), ("level", "WARN"), ("severity", "warning")]);
    check(&records[1], &[("message", "entry 2"), ("level", "WARN"), ("severity", "warning")]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_of_pythons_own_library_sends_datagrams() -> Result<()> {
    let cluster = node(&["syslog_udp"]).await?;
    let (node, service) = (cluster.node(0)?, "scripted");
    let port = node.door("syslog_udp")?.port().to_string();
    let words = [("localhost", "127.0.0.1"), ("1514", &port), ("checkout", service)];
    let script = Documented::take("clients/syslog.md", "python-sysloghandler", &words)?
        .followed_by("logger.error('zażółć 你好')\nlogger.debug('and\\nanother line')");
    script.run(&Tools::find()?.python().to_string_lossy(), None).await?;
    let mut records = stored(node.api(), service, 2).await?;
    records.sort_by_key(|record| record["level"].to_string());
    check(&records[0], &[("message", "and\nanother line"), ("level", "DEBUG"), ("facility", "user")]);
    check(&records[1], &[("message", "zażółć 你好"), ("level", "ERROR"), ("app_name", service)]);
    Ok(())
}
