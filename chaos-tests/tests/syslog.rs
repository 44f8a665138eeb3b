//! Syslog into a cluster: what is sent over TCP and as datagrams is stored once, whoever dies meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

const TCP: &str = "syslog_tcp";
const UDP: &str = "syslog_udp";
const STORED_WITHIN: Duration = Duration::from_secs(60);
const LEADERS_WITHIN: Duration = Duration::from_secs(60);

async fn cluster() -> Result<Cluster> {
    Cluster::start(&ClusterOptions { doors: vec![TCP, UDP], ..ClusterOptions::default() }).await
}

fn syslog(cluster: &Cluster, number: usize) -> Result<SocketAddr> {
    cluster.node(number)?.door(TCP)
}

/// Waits until so many records of a service are stored, and answers them.
async fn stored(api: &Api, service: &str, count: usize) -> Result<Vec<Value>> {
    let what = format!("{count} records of {service}");
    let is_there =
        || async { api.all_logs(&[("service", service)]).await.is_ok_and(|found| found.len() >= count) };
    wait_until(&what, STORED_WITHIN, is_there).await?;
    api.all_logs(&[("service", service)]).await
}

/// Fails where any of so many numbered messages is missing, or is there twice.
fn check_once(records: &[Value], count: usize) -> Result<()> {
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    for record in records {
        let message = record["message"].as_str().context("a message")?;
        let number = message.strip_prefix("message ").context(message.to_owned())?;
        *seen.entry(number.parse()?).or_default() += 1;
    }
    let missing: Vec<_> = (0..count).filter(|number| !seen.contains_key(number)).collect();
    let doubled: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
    ensure!(missing.is_empty() && doubled.is_empty(), "missing {missing:?}, doubled {doubled:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_in_either_format_and_framing_is_stored_with_its_fields() -> Result<()> {
    let cluster = cluster().await?;
    let api = cluster.node(1)?.api();
    let mut stream = TcpStream::connect(syslog(&cluster, 0)?).await?;
    for number in 0..1_000 {
        let message = format!(
            "<11>1 2026-04-28T12:00:00.5Z web-1 counted 7 id [origin@1 ip=\"10.0.0.1\"] message {number}"
        );
        stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
        stream
            .write_all(format!("<12>Apr 28 12:00:00 web-1 lines[7]: message {number}\n").as_bytes())
            .await?;
    }
    // The last line has no end: the end of the stream is one.
    stream.write_all(b"<12>Apr 28 12:00:00 web-1 lines[7]: message 1000").await?;
    drop(stream);
    let counted = stored(api, "counted", 1_000).await?;
    check_once(&counted, 1_000)?;
    for (name, value) in [
        ("timestamp", json!("2026-04-28T12:00:00.500Z")),
        ("level", json!("ERROR")),
        ("hostname", json!("web-1")),
        ("app_name", json!("counted")),
        ("proc_id", json!("7")),
        ("msg_id", json!("id")),
        ("facility", json!("user")),
        ("severity", json!("err")),
        ("origin@1.ip", json!("10.0.0.1")),
    ] {
        assert!(counted.iter().all(|record| record[name] == value), "{name}: {}", counted[0]);
    }
    let lines = stored(api, "lines", 1_001).await?;
    check_once(&lines, 1_001)?;
    assert_eq!((&lines[0]["level"], &lines[0]["severity"]), (&json!("WARN"), &json!("warning")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_are_stored() -> Result<()> {
    let cluster = cluster().await?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(cluster.node(2)?.door(UDP)?).await?;
    for number in 0..1_000 {
        socket.send(format!("<13>Apr 28 12:00:00 host datagrams: message {number}").as_bytes()).await?;
    }
    let records = stored(cluster.node(0)?.api(), "datagrams", 1_000).await?;
    check_once(&records, 1_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_is_a_dead_letter_and_the_stream_goes_on() -> Result<()> {
    let mut options = ClusterOptions { doors: vec![TCP, UDP], ..ClusterOptions::default() };
    options.environment.push(("INSIGHTHUB_LIMITS__RECORD_BYTES_MAX".to_owned(), "2000".to_owned()));
    let cluster = Cluster::start(&options).await?;
    let mut stream = TcpStream::connect(syslog(&cluster, 0)?).await?;
    let long = "x".repeat(100_000);
    let stream_of =
        format!("<13>app: message 0\n<13>app: {long}\n100009 <13>app: {long}<13>app: message 1\n");
    stream.write_all(stream_of.as_bytes()).await?;
    check_once(&stored(cluster.node(0)?.api(), "app", 2).await?, 2)?;
    let letters = cluster.node(0)?.api().all_dead_letters().await?;
    ensure!(letters.len() == 2, "{letters:?}");
    for letter in &letters {
        ensure!(
            letter["reason"].as_str().is_some_and(|reason| reason.contains("longer than 2000 bytes")),
            "{letter}"
        );
        ensure!(letter["origin"] == "syslog", "{letter}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_killed_loses_and_doubles_nothing_of_a_stream_to_another_node() -> Result<()> {
    let cluster = cluster().await?;
    let leader = cluster.leader(0).await.context("a leader of partition 0")?;
    let other = (leader + 1) % 3;
    let mut stream = TcpStream::connect(syslog(&cluster, other)?).await?;
    let count = 20_000;
    for number in 0..count {
        // Over many services, so that every partition has some.
        let line = format!("<13>Apr 28 12:00:00 host stream{}: message {number}\n", number % 16);
        stream.write_all(line.as_bytes()).await?;
        if number == count / 2 {
            cluster.node(leader)?.kill().await?;
        }
    }
    drop(stream);
    cluster.wait_for_leaders_without(leader, LEADERS_WITHIN).await?;
    let api = cluster.node(other)?.api();
    let mut records = Vec::new();
    for service in 0..16 {
        records.extend(stored(api, &format!("stream{service}"), count / 16).await?);
    }
    check_once(&records, count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_stores_what_it_has_read() -> Result<()> {
    let cluster = cluster().await?;
    let mut stream = TcpStream::connect(syslog(&cluster, 0)?).await?;
    for number in 0..5_000 {
        stream.write_all(format!("<13>Apr 28 12:00:00 host stopped: message {number}\n").as_bytes()).await?;
    }
    cluster.node(0)?.stop_gracefully(Duration::from_secs(30)).await?;
    let records = stored(cluster.node(1)?.api(), "stopped", 5_000).await?;
    check_once(&records, 5_000)
}
