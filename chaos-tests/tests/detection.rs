//! Detection on real processes: a day of traffic with an incident in its last minutes is told alike by every node, with its
//! cause; and it stays one incident when the leader of its partition is killed in the middle of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::chaos_record::now;
use insighthub_chaos_tests::cluster::command_line::{Ongoing, insighthub};
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_model::Timestamp;
use insighthub_model::api::anomalies::{Anomalies, Anomaly, Windows};
use insighthub_model::detection::{ChangedTemplate, Channel, Verdict};
use insighthub_model::timestamp::NANOS_PER_SEC;
use serde_json::json;

const SERVICE: &str = "payment-service";
/// A day for its profile and two hours more.
const PAST: &str = "26h";
/// Records a second of the whole shop: enough for detection, little enough for debug builds on two cores.
const RATE: &str = "4";
const LAST_MINUTES: i64 = 15;
/// Windows close half a minute late, and the past has to be loaded.
const TOLD_WITHIN: Duration = Duration::from_secs(120);
const LEADERS_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(500);

fn options() -> ClusterOptions {
    let patient = |(name, _): &(String, String)| name.starts_with("INSIGHTHUB_RAFT");
    let environment = ClusterOptions::default().environment.into_iter().filter(patient).collect();
    ClusterOptions { nodes: 3, partitions: 4, environment, ..ClusterOptions::default() }
}

fn demo<'a>(urls: &'a str, incident: &'a str, duration: &'a str) -> Vec<&'a str> {
    let words = ["demo", "--url", urls, "--seed", "5", "--rate", RATE, "--backfill", PAST];
    [&words[..], &["--incident", incident, "--duration", duration]].concat()
}

fn urls(cluster: &Cluster) -> String {
    cluster.nodes.iter().map(|node| node.url()).collect::<Vec<_>>().join(",")
}

/// What this node tells of the service's last minutes: the day before them may have its own troubles.
async fn told(api: &Api) -> Result<Vec<Anomaly>> {
    let from = Timestamp(now().0 - LAST_MINUTES * 60 * NANOS_PER_SEC).to_string();
    let answer = api.get("/api/anomalies", &[("service", SERVICE), ("from", &from)]).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    let page: Anomalies = serde_json::from_str(&answer.text).with_context(|| answer.text.clone())?;
    ensure!(page.coverage.complete, "incomplete: {:?}", page.coverage);
    Ok(page.anomalies)
}

/// Looks until the node tells of something that will do.
async fn told_when(api: &Api, what: &str, fits: impl Fn(&[Anomaly]) -> bool) -> Result<Vec<Anomaly>> {
    let started = Instant::now();
    loop {
        let told = told(api).await;
        match &told {
            Ok(anomalies) if fits(anomalies) => return told,
            _ if started.elapsed() > TOLD_WITHIN => {
                anyhow::bail!("no {what} within {TOLD_WITHIN:?}: {told:?}");
            }
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

fn ensure_explained(anomaly: &Anomaly) -> Result<()> {
    let explanation = &anomaly.episode.explanation;
    let loudest = explanation.channels.first().context("no channel")?;
    ensure!(loudest.channel == Channel::Errors, "{:?}", explanation.channels);
    // Which of the burst's messages grew most is a matter of few records here; the new one is told, and that it is new.
    let is_news = |template: &ChangedTemplate| {
        template.text.contains("does not match account currency") && template.first_seen_nanos > 0
    };
    ensure!(explanation.templates.iter().any(is_news), "{:?}", explanation.templates);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_tells_of_an_incident_with_its_cause() -> Result<()> {
    let cluster = Cluster::start(&options()).await?;
    let started = Instant::now();
    let said = insighthub(&demo(&urls(&cluster), "error-burst@-6m", "1s"), &[])?.accepted()?;
    println!("loaded in {:.1} s: {said}", started.elapsed().as_secs_f64());
    let mut ids = Vec::new();
    for node in &cluster.nodes {
        let api = Api::new(&node.url())?;
        let anomalies = told_when(&api, "incident", |told| told.len() == 1).await?;
        let [anomaly] = &anomalies[..] else { anyhow::bail!("{anomalies:?}") };
        ensure_explained(anomaly)?;
        ids.push(anomaly.id.clone());
        let windows = api.get("/api/anomalies/windows", &[("service", SERVICE)]).await?;
        let windows: Windows = serde_json::from_str(&windows.text).with_context(|| windows.text.clone())?;
        ensure!(windows.windows.len() > 600, "only {} minutes", windows.windows.len());
    }
    ensure!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    alerted(&cluster).await?;
    judged(&cluster, &ids[0].to_string()).await
}

/// The rule about anomalies that every cluster begins with has seen it too, and says why.
async fn alerted(cluster: &Cluster) -> Result<()> {
    let api = Api::new(&cluster.node(0)?.url())?;
    let started = Instant::now();
    loop {
        let answer = api.get("/api/alerts/incidents", &[("rule", "anomaly"), ("service", SERVICE)]).await?;
        let evidence = &answer.json["incidents"][0]["evidence"];
        let score = evidence["observed"].as_f64().unwrap_or_default();
        if score >= 2.0 && evidence["cause"].is_string() {
            println!("alerted: {evidence}");
            return Ok(());
        }
        ensure!(started.elapsed() < TOLD_WITHIN, "no alert of the anomaly: {}", answer.text);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A verdict given at one node is told by all, and asked for by its filter.
async fn judged(cluster: &Cluster, id: &str) -> Result<()> {
    let path = format!("/api/anomalies/{id}/verdict");
    let verdict = json!({ "verdict": "false_alarm" });
    let anonymous = Api::new(&cluster.node(0)?.url())?.post_json(&path, &verdict).await?;
    ensure!(anonymous.status == 401, "{} {}", anonymous.status, anonymous.text);
    let answer = cluster.node(0)?.admin().post_json(&path, &verdict).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    for node in &cluster.nodes {
        let api = Api::new(&node.url())?;
        let is_judged = |told: &[Anomaly]| {
            let said = told.first().and_then(|anomaly| anomaly.verdict.as_ref());
            said.is_some_and(|said| said.verdict == Verdict::FalseAlarm && said.user == "admin")
        };
        told_when(&api, "verdict", is_judged).await?;
        for (verdict, is_among) in [("none", false), ("real", false), ("false_alarm", true)] {
            let judged = api.get("/api/anomalies", &[("service", SERVICE), ("verdict", verdict)]).await?;
            ensure!(judged.text.contains(id) == is_among, "{verdict}: {}", judged.text);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_stays_one_when_its_leader_is_killed() -> Result<()> {
    let cluster = Cluster::start(&options()).await?;
    let urls = urls(&cluster);
    let demo = Ongoing::start(&demo(&urls, "error-burst@-3m", "60s"), &[])?;
    let any = Api::new(&cluster.node(0)?.url())?;
    let before =
        told_when(&any, "open incident", |told| told.iter().any(|of| of.episode.ended_at.is_none())).await?;
    let [open] = &before[..] else { anyhow::bail!("{before:?}") };
    let leader = cluster.leader(open.id.partition.0).await.context("no leader")?;
    cluster.node(leader)?.kill().await?;
    cluster.wait_for_leaders_without(leader, LEADERS_WITHIN).await?;
    let said = demo.end()?.accepted()?;
    println!("{said}");
    for (number, node) in cluster.nodes.iter().enumerate().filter(|(number, _)| *number != leader) {
        let told = told_when(&Api::new(&node.url())?, "incident", |told| !told.is_empty()).await?;
        let [one] = &told[..] else { anyhow::bail!("node {number}: {told:?}") };
        ensure!(one.id == open.id, "node {number}: {} was {}", one.id, open.id);
        ensure!(one.episode.peak_score >= open.episode.peak_score, "{one:?}");
        let loudest = one.episode.explanation.channels.first().context("no channel")?;
        ensure!(loudest.channel == Channel::Errors, "{:?}", one.episode.explanation.channels);
    }
    Ok(())
}
