//! `GET /api/accounting` and `GET /api/dead-letters/summary`: the books of what was sent, on every node of a cluster in which no
//! node has all partitions, so that some are asked elsewhere.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_model::api::accounting::{Account, Accounting, DeadLettersSummary};
use serde_json::{Value, json};

const SAME_WITHIN: Duration = Duration::from_secs(10);
const STORED_OF_EACH: u64 = 300;
const SERVICES: [&str; 5] = ["auth", "checkout", "mail", "payment", "search"];

/// Records of every service, reports of what was dropped, and what cannot be taken.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for service in SERVICES {
        for number in 0..STORED_OF_EACH {
            lines.push(
                json!({ "service": service, "level": "INFO", "message": format!("did {number}") })
                    .to_string(),
            );
        }
    }
    for (dropped, by) in [(30, json!({ "queue_full": 20, "exit": 10 })), (12, json!({ "queue_full": 12 }))] {
        let message = format!("{dropped} records were dropped before they were sent");
        lines.push(
            json!({ "service": "checkout", "level": "WARN", "message": message, "sdk_report": "dropped",
                    "dropped": dropped, "dropped_total": 42, "dropped_by": by })
            .to_string(),
        );
    }
    // As a browser says it.
    lines.push(
        json!({ "service": "web", "level": "WARN", "message": "5 records were dropped before they were sent",
                       "sdk_report": "dropped", "dropped": 5, "dropped_total": 5 })
        .to_string(),
    );
    for number in 0..70 {
        let level = format!("loud{number}");
        lines.push(json!({ "service": "auth", "level": level, "message": "m" }).to_string());
    }
    for _ in 0..20 {
        lines.push(json!({ "service": "payment", "level": "INFO" }).to_string());
    }
    for number in 0..10 {
        lines.push(format!("{{\"pad{}\": 1, broken", "x".repeat(number)));
    }
    lines
}

async fn accounting(api: &Api) -> Result<Accounting> {
    let answer = api.get("/api/accounting", &[]).await?;
    answer.expect(200)?;
    Ok(serde_json::from_value(answer.json)?)
}

async fn summary(api: &Api, parameters: &[(&str, &str)]) -> Result<DeadLettersSummary> {
    let answer = api.get("/api/dead-letters/summary", parameters).await?;
    answer.expect(200)?;
    Ok(serde_json::from_value(answer.json)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_stored_rejected_or_dropped() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions { nodes: 4, partitions: 8, ..Default::default() }).await?;
    let lines = lines();
    for (turn, batch) in lines.chunks(200).enumerate() {
        let api = cluster.node(turn % cluster.nodes.len())?.api();
        let headers = [("content-type", "application/x-ndjson")];
        let answer = api.ingest(&headers, (batch.join("\n") + "\n").into_bytes()).await?;
        ensure!([200, 400, 422].contains(&answer.status), "{} {}", answer.status, answer.text);
    }
    let expected = Account { sent: 1_647, stored: 1_500, rejected: 100, dropped: 47 };
    for node in &cluster.nodes {
        wait_until("the books close", SAME_WITHIN, || async {
            accounting(node.admin()).await.is_ok_and(|books| books.total == expected && books.exact)
        })
        .await
        .with_context(|| format!("at {}", node.name))?;
        let books = accounting(node.admin()).await?;
        let of = |service: Option<&str>| {
            let found = books.services.iter().find(|one| one.service.as_deref() == service);
            found.with_context(|| format!("no {service:?} in {books:?}"))
        };
        let auth = of(Some("auth"))?;
        ensure!(auth.account == Account { sent: 370, stored: 300, rejected: 70, dropped: 0 }, "{auth:?}");
        let [by] = auth.rejected_by.as_slice() else { anyhow::bail!("reasons are told apart: {auth:?}") };
        ensure!(by.count == 70 && by.field.as_deref() == Some("level"), "{by:?}");
        let checkout = of(Some("checkout"))?;
        ensure!(
            checkout.account == Account { sent: 342, stored: 300, rejected: 0, dropped: 42 },
            "{checkout:?}"
        );
        ensure!(
            checkout.dropped_by == [("exit".to_owned(), 10), ("queue_full".to_owned(), 32)].into(),
            "{checkout:?}"
        );
        ensure!(
            of(Some("web"))?.account == Account { sent: 5, stored: 0, rejected: 0, dropped: 5 },
            "{books:?}"
        );
        ensure!(of(Some("payment"))?.account.rejected == 20, "{books:?}");
        ensure!(of(None)?.account.rejected == 10, "{books:?}");
        check_summary(node.admin()).await?;
    }
    one_is_mended(&cluster).await
}

async fn check_summary(api: &Api) -> Result<()> {
    let all = summary(api, &[]).await?;
    ensure!(all.total == 100 && all.exact && !all.more, "{all:?}");
    ensure!(all.reasons.is_sorted_by(|a, b| a.count >= b.count), "{all:?}");
    let first = all.reasons.first().context("no reason")?;
    ensure!(first.service.as_deref() == Some("auth") && first.count == 70, "{first:?}");
    let few = summary(api, &[("limit", "1")]).await?;
    ensure!(few.reasons.len() == 1 && few.more && few.total == 100, "{few:?}");
    let none = summary(api, &[("to", "2020-01-01T00:00:00Z")]).await?;
    ensure!(none.total == 0 && none.reasons.is_empty(), "{none:?}");
    api.get("/api/dead-letters/summary", &[("service", "auth")]).await?.expect(400)
}

/// What is mended and sent again is stored, and rejected no more.
async fn one_is_mended(cluster: &Cluster) -> Result<()> {
    let admin = cluster.node(0)?.admin();
    let reasons = summary(admin, &[]).await?.reasons;
    let sample = reasons.first().context("no reason")?.sample_id.to_string();
    let record = json!({ "service": "auth", "level": "INFO", "message": "m" });
    let mended = json!({ "records": [{ "id": sample, "record": record }] });
    let replayed: Value = admin.post_json("/api/dead-letters/replay", &mended).await?.json;
    ensure!(replayed["replayed"] == json!(1), "{replayed}");
    let expected = Account { sent: 1_647, stored: 1_501, rejected: 99, dropped: 47 };
    wait_until("the mended record is stored", SAME_WITHIN, || async {
        accounting(admin).await.is_ok_and(|books| books.total == expected)
    })
    .await
}
