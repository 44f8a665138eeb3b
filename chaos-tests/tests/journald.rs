//! Journals into a cluster, as systemd-journal-upload sends them: each entry once, however often an upload begins again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ENTRIES: usize = 1_000;
const STORED_WITHIN: Duration = Duration::from_secs(60);
const LEADERS_WITHIN: Duration = Duration::from_secs(60);

fn entry(number: usize) -> String {
    format!(
        "__CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i={:x};b=6c7c6013a26343b29e964691ff25d04c;m=4f;t=4c;x=d3\n\
         __REALTIME_TIMESTAMP={}\n_HOSTNAME=delta\n_PID=1280\nPRIORITY=4\nSYSLOG_IDENTIFIER=unit{}\nMESSAGE=entry {number}\n\n",
        number + 1,
        1_764_670_202_000_000 + number,
        number % 4,
    )
}

/// An upload under way, in pieces, over a connection of its own.
struct Upload(TcpStream);

impl Upload {
    async fn begin(node: &Node) -> Result<Upload> {
        let mut stream = TcpStream::connect(node.http).await?;
        let head = "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/vnd.fdo.journal\r\nTransfer-Encoding: chunked\r\n\
                    Connection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        Ok(Upload(stream))
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
        self.0.write_all(bytes).await?;
        self.0.write_all(b"\r\n").await?;
        Ok(())
    }

    /// Ends the body; answers the status.
    async fn end(mut self) -> Result<u16> {
        self.0.write_all(b"0\r\n\r\n").await?;
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await?;
        answer.get(9..12).context(answer.clone())?.parse().context(answer)
    }
}

async fn stored(api: &Api) -> Result<Vec<Value>> {
    let mut records = Vec::new();
    for unit in 0..4 {
        records.extend(api.all_logs(&[("service", &format!("unit{unit}"))]).await?);
    }
    Ok(records)
}

fn check_once(records: &[Value]) -> Result<()> {
    let mut messages: Vec<_> = records.iter().map(|record| record["message"].to_string()).collect();
    messages.sort();
    messages.dedup();
    ensure!(
        messages.len() == ENTRIES && records.len() == ENTRIES,
        "{} of {} are different",
        messages.len(),
        records.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_stored_as_they_come_and_once_however_often() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let mut upload = Upload::begin(cluster.node(0)?).await?;
    for number in 0..600 {
        // In pieces that end anywhere.
        let entry = entry(number);
        let (first, second) = entry.split_at(entry.len() * (number % 7) / 7);
        for piece in [first, second] {
            if !piece.is_empty() {
                upload.send(piece.as_bytes()).await?;
            }
        }
    }
    let api = cluster.node(1)?.api();
    let are_there = || async { stored(api).await.is_ok_and(|records| records.len() == 600) };
    wait_until("what has come is stored, though the upload goes on", STORED_WITHIN, are_there).await?;
    // It breaks, and another begins again where this one began, at another node.
    drop(upload);
    let mut again = Upload::begin(cluster.node(2)?).await?;
    let all: String = (0..ENTRIES).map(entry).collect();
    again.send(all.as_bytes()).await?;
    assert_eq!(again.end().await?, 202);
    let records = stored(api).await?;
    check_once(&records)?;
    for (name, value) in [("level", "WARN"), ("severity", "warning"), ("hostname", "delta"), ("pid", "1280")]
    {
        assert!(records.iter().all(|record| record[name] == json!(value)), "{name}: {}", records[0]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_killed_loses_and_doubles_nothing_of_an_upload_to_another_node() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let leader = cluster.leader(0).await.context("a leader of partition 0")?;
    let other = (leader + 1) % 3;
    let mut upload = Upload::begin(cluster.node(other)?).await?;
    for number in 0..ENTRIES {
        upload.send(entry(number).as_bytes()).await?;
        if number == ENTRIES / 2 {
            cluster.node(leader)?.kill().await?;
        }
    }
    assert_eq!(upload.end().await?, 202);
    cluster.wait_for_leaders_without(leader, LEADERS_WITHIN).await?;
    check_once(&stored(cluster.node(other)?.api()).await?)
}
