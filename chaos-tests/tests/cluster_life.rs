//! The life of data in a cluster of real processes: blocks are merged, logs are deleted by query, expire by age and by size,
//! while nodes are killed. What is gone is gone from every answer at once and from the files soon after.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use insighthub_chaos_tests::api::{Answer, Api, Identity};
use insighthub_chaos_tests::cluster::blocks::block_files;
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_model::Timestamp;
use serde_json::{Value, json};

/// In the file of every block that holds its records, in plain: a service's name.
const TENANT: &str = "tenant-zq81x7";
const SERVICES: [&str; 4] = ["checkout", "search", "mail", TENANT];
const BATCH_RECORDS: u64 = 500;
/// The numbers of the requests that are too many for the nodes.
const FILLED_FROM: u64 = 20_000;
const FILLED_TO: u64 = 32_000;
/// They, and those before them that were not deleted.
const SENT: usize = 12_000 + 7_500;
const WITHIN: Duration = Duration::from_secs(60);
const BYTES_MAX: u64 = 1 << 20;
const DAY_NANOS: i64 = 86_400_000_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_merged_deleted_and_expires_while_nodes_are_killed() -> Result<()> {
    let mut bench = Bench::set_up().await?;
    bench.small_blocks_are_merged().await.context("merging")?;
    bench.a_tenant_is_deleted().await.context("deleting")?;
    bench.old_logs_expire().await.context("expiring by age")?;
    bench.the_oldest_logs_make_room().await.context("expiring by size")
}

struct Bench {
    cluster: Cluster,
    sequence: u64,
    now: Timestamp,
    dice: u64,
}

impl Bench {
    async fn set_up() -> Result<Bench> {
        let mut options = ClusterOptions { partitions: 2, ..ClusterOptions::default() };
        options.environment.push(("INSIGHTHUB_STORAGE__BYTES_MAX".to_owned(), BYTES_MAX.to_string()));
        let cluster = Cluster::start(&options).await?;
        let now = insighthub_chaos_tests::chaos_record::now();
        Ok(Bench { cluster, sequence: 0, now, dice: 7 })
    }

    /// Sends a batch under an identity until a node has stored it.
    async fn send(&mut self, lines: Vec<Value>) -> Result<Answer> {
        self.sequence += 1;
        let identity = Identity { producer: "life".to_owned(), sequence: self.sequence };
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        for attempt in 0..200 {
            let node = &self.cluster.nodes[attempt % self.cluster.nodes.len()];
            if let Ok(answer) = Api::new(&node.url())?.ingest_as(&identity, &[], body.clone().into()).await
                && matches!(answer.status, 200 | 400)
            {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("a batch was not stored")
    }

    fn record(&mut self, number: u64, filler_bytes: usize) -> Value {
        let mut filler = String::new();
        while filler.len() < filler_bytes {
            self.dice =
                self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            filler.push_str(&format!("{:016x}", self.dice));
        }
        json!({
            "service": SERVICES[(number % 4) as usize],
            "timestamp": Timestamp(self.now.0 + number as i64 * 1_000_000).to_string(),
            "level": "INFO",
            "message": format!("request {number} was served"),
            "latency_ms": number % 100,
            "filler": filler,
        })
    }

    async fn fill(&mut self, from: u64, batches: u64, filler_bytes: usize) -> Result<()> {
        for batch in 0..batches {
            let first = from + batch * BATCH_RECORDS;
            let lines =
                (first..first + BATCH_RECORDS).map(|number| self.record(number, filler_bytes)).collect();
            self.send(lines).await?;
        }
        Ok(())
    }

    /// Every node answers from all partitions that nothing is missing.
    async fn count_everywhere(&self, q: &str, expected: usize) -> Result<()> {
        for node in &self.cluster.nodes {
            let api = Api::new(&node.url())?;
            let records = api.all_logs(&[("q", q)]).await?;
            ensure!(
                records.len() == expected,
                "{}: {} records for {q:?}, not {expected}",
                node.name,
                records.len()
            );
            let ids: BTreeSet<&str> = records.iter().filter_map(|record| record["log_id"].as_str()).collect();
            ensure!(ids.len() == expected, "{} shows records twice", node.name);
        }
        Ok(())
    }

    /// Minutes add up to the records there are.
    async fn minutes_add_up(&self) -> Result<()> {
        for node in &self.cluster.nodes {
            let api = Api::new(&node.url())?;
            let (records, minutes) = (api.all_logs(&[]).await?.len() as u64, api.aggregates(&[]).await?);
            let counted: u64 = minutes.iter().filter_map(|minute| minute["total_logs"].as_u64()).sum();
            ensure!(counted == records, "{}: {records} records, {counted} in minutes", node.name);
        }
        Ok(())
    }

    /// While logs go by themselves, two questions may meet two states: they agree once nothing goes any more.
    async fn minutes_come_to_add_up(&self) -> Result<()> {
        wait_until("minutes add up", WITHIN, || async { self.minutes_add_up().await.is_ok() }).await
    }

    async fn kill_and_start(&self, number: usize) -> Result<()> {
        let node = self.cluster.node(number)?;
        node.kill().await?;
        node.launch().await?;
        node.wait_until_ready(WITHIN).await
    }

    async fn small_blocks_are_merged(&mut self) -> Result<()> {
        // Two partitions, blocks of 1,000 records: enough of them for a merge, and a kill in the middle.
        self.fill(0, 12, 0).await?;
        self.kill_and_start(1).await?;
        self.fill(6_000, 8, 0).await?;
        let merged = || async { self.cluster.nodes.iter().all(|node| has_merged(&node.data)) };
        wait_until("every node has merged blocks", WITHIN, merged).await?;
        self.kill_and_start(0).await?;
        self.count_everywhere("*", 10_000).await?;
        self.minutes_add_up().await
    }

    async fn a_tenant_is_deleted(&mut self) -> Result<()> {
        let refused =
            self.send(vec![json!({ "service": TENANT, "level": "INFO", "note": "no message" })]).await?;
        ensure!(refused.number("rejected") == Some(1), "{refused:?}");
        ensure!(
            self.files_with(TENANT)?.len() > 1,
            "the tenant's name is in no block: nothing would be proven"
        );
        let admin = self.cluster.node(2)?.admin();
        let mut order =
            json!({ "query": format!("service:{TENANT}"), "reason": "contract ended", "dry_run": true });
        let counted = admin.post_json("/api/admin/delete", &order).await?;
        ensure!(counted.number("matched_records") == Some(2_500), "{counted:?}");
        let stranger = self.cluster.node(2)?.api().post_json("/api/admin/delete", &order).await?;
        ensure!(stranger.status == 401, "{stranger:?}");
        order["dry_run"] = json!(false);
        let begun = admin.post_json("/api/admin/delete", &order).await?;
        ensure!(begun.status == 202 && begun.json["state"] == "hidden", "{begun:?}");
        // From the acknowledgement on, on every node; and on those that come back from a kill in the middle.
        self.nothing_of_the_tenant().await?;
        join_all([0, 2].map(|number| self.kill_and_start(number)))
            .await
            .into_iter()
            .collect::<Result<()>>()?;
        self.nothing_of_the_tenant().await?;
        let done = || async {
            let listed = self.deletions().await.unwrap_or_default();
            listed.first().is_some_and(|deletion| deletion["state"] == "done")
        };
        wait_until("the deletion is done", WITHIN, done).await?;
        let listed = self.deletions().await?;
        let deletion = listed.first().context("no deletion is listed")?;
        ensure!(deletion["user"] == "admin" && deletion["reason"] == "contract ended", "{deletion}");
        ensure!(deletion["erased"] == 2_501, "2,500 records and a dead letter: {deletion}");
        ensure!(self.files_with(TENANT)? == Vec::<PathBuf>::new(), "{:?}", self.files_with(TENANT)?);
        self.nothing_of_the_tenant().await
    }

    async fn deletions(&self) -> Result<Vec<Value>> {
        let answer = self.cluster.node(1)?.admin().get("/api/admin/deletions", &[]).await?;
        Ok(answer.json["deletions"].as_array().cloned().unwrap_or_default())
    }

    async fn nothing_of_the_tenant(&self) -> Result<()> {
        self.count_everywhere(&format!("service:{TENANT}"), 0).await?;
        self.count_everywhere("*", 7_500).await?;
        self.minutes_add_up().await?;
        for node in &self.cluster.nodes {
            let letters = Api::new(&node.url())?.all_dead_letters().await?;
            ensure!(letters.iter().all(|letter| letter["service"] != TENANT), "{}: {letters:?}", node.name);
        }
        Ok(())
    }

    /// Block files of all nodes that hold a text.
    fn files_with(&self, text: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for Node { data, .. } in &self.cluster.nodes {
            let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            found.extend(
                block_files(data)?.into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path),
            );
        }
        Ok(found)
    }

    async fn old_logs_expire(&mut self) -> Result<()> {
        let now = self.now;
        let days_ago = |days: i64| Timestamp(now.0 - days * DAY_NANOS).to_string();
        let old = json!({ "service": "mail", "timestamp": days_ago(10), "level": "INFO", "message": "ten days old" });
        let answer = self.send(vec![old.clone()]).await?;
        ensure!(answer.status == 200, "{answer:?}");
        self.count_everywhere("\"ten days old\"", 1).await?;
        let admin = self.cluster.node(0)?.admin();
        let retention = json!({ "default_days": 7, "services": { "search": null } });
        let set = put(&self.cluster.node(0)?.url(), &retention).await?;
        ensure!(set == 200, "retention was answered {set}");
        ensure!(
            admin.get("/api/settings/retention", &[]).await?.json == retention,
            "another retention is shown"
        );
        let gone = || async { self.count_everywhere("\"ten days old\"", 0).await.is_ok() };
        wait_until("the old record is gone", WITHIN, gone).await?;
        self.minutes_come_to_add_up().await?;
        self.send(vec![old]).await?;
        let letters = Api::new(&self.cluster.node(1)?.url())?.all_dead_letters().await?;
        let reason = letters.first().and_then(|letter| letter["reason"].as_str()).unwrap_or_default();
        ensure!(
            reason.contains("older than the 7 days that logs of service \"mail\" are kept"),
            "{letters:?}"
        );
        let kept = json!({ "service": "search", "timestamp": days_ago(10), "level": "INFO", "message": "kept for ever" });
        self.send(vec![kept]).await?;
        self.count_everywhere("\"kept for ever\"", 1).await
    }

    async fn the_oldest_logs_make_room(&mut self) -> Result<()> {
        // Random filler does not compress: 1.4 MB on every node.
        self.fill(FILLED_FROM, 24, 200).await?;
        self.kill_and_start(1).await?;
        let fits = || async { self.cluster.nodes.iter().all(|node| block_bytes(&node.data) <= BYTES_MAX) };
        // Before all of it is in blocks a node is within its size as well, so that something is gone is asked first.
        let something_is_gone =
            || async { self.numbers_served().await.is_ok_and(|numbers| numbers.len() < SENT) };
        wait_until("something is gone", WITHIN, something_is_gone).await?;
        wait_until("every node is within its size", WITHIN, fits).await?;
        self.minutes_come_to_add_up().await?;
        // Which partition's are the oldest in a block of their own is a matter of what was merged with what.
        let only_old_ones_are_gone =
            || async { self.numbers_served().await.is_ok_and(|numbers| only_old_ones_are_gone(&numbers)) };
        wait_until("of each service the newest are left", WITHIN, only_old_ones_are_gone).await?;
        let left = self.numbers_served().await?;
        println!("{} of {SENT} requests are left, the oldest is {:?}", left.len(), left.first());
        self.cluster.wait_for_equality(WITHIN).await.map(drop)
    }

    /// The numbers of the requests that are still told of.
    async fn numbers_served(&self) -> Result<BTreeSet<u64>> {
        let records = Api::new(&self.cluster.node(2)?.url())?.all_logs(&[("q", "served")]).await?;
        let number = |record: &Value| record["message"].as_str()?.split(' ').nth(1)?.parse().ok();
        Ok(records.iter().filter_map(number).collect())
    }
}

/// Whether what is left of each service are its newest requests, and the last ones of all.
fn only_old_ones_are_gone(left: &BTreeSet<u64>) -> bool {
    let newest = (FILLED_TO - BATCH_RECORDS..FILLED_TO).all(|number| left.contains(&number));
    newest
        && (0u64..).zip(SERVICES).all(|(at, service)| {
            let is_its = |number: &u64| number % 4 == at;
            let first_left = left.iter().copied().find(is_its).unwrap_or(FILLED_TO);
            let was_sent = |number: &u64| *number >= FILLED_FROM || (*number < 10_000 && service != TENANT);
            (first_left..FILLED_TO).filter(is_its).filter(was_sent).all(|number| left.contains(&number))
        })
}

async fn put(url: &str, body: &Value) -> Result<u16> {
    let request = reqwest::Client::new().put(format!("{url}/api/settings/retention")).json(body);
    let request = request.basic_auth("admin", Some("correct horse battery staple"));
    Ok(request.send().await?.status().as_u16())
}

/// A merged block's name says which entry wrote it.
fn has_merged(data: &Path) -> bool {
    let name =
        |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    block_files(data).is_ok_and(|blocks| blocks.keys().any(|path| name(path).matches('-').count() == 2))
}

fn block_bytes(data: &Path) -> u64 {
    block_files(data).map_or(u64::MAX, |blocks| blocks.values().map(|bytes| bytes.len() as u64).sum())
}
