//! Who may send syslog without credentials: what a node refuses to start with, and whom it shows out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::certificates::{Authority, Files, NODE_NAMES};
use insighthub_chaos_tests::cluster::ADMIN_PASSWORD;
use insighthub_chaos_tests::cluster::addresses::free_address;
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess, READY_WITHIN, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Of this machine as well, and another to a list of networks.
const KNOWN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const WITHIN: Duration = Duration::from_secs(30);

/// A node with these lines in its `[[node]]`, and these behind it.
fn launch(folder: &Path, doors: &str, sections: &str) -> Result<NodeProcess> {
    let config = folder.join("cluster.toml");
    std::fs::write(
        &config,
        format!("[[node]]\nname = \"n1\"\nhttp = \"127.0.0.1:0\"\n{doors}\n{sections}\n"),
    )?;
    let mut options = NodeOptions::in_directory(folder)?;
    options.role = Role::Named { config, name: "n1".to_owned() };
    options.environment.push(("INSIGHTHUB_ADMIN_PASSWORD".to_owned(), ADMIN_PASSWORD.to_owned()));
    NodeProcess::launch(options, free_address()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_does_not_start_with_a_door_that_nobody_guards_and_names_what_to_set() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = Files::named(folder.path(), "node");
    Authority::new()?.certify(&NODE_NAMES, &files)?;
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "")?;
    let certificate = format!("certificate = {:?}\nkey = {:?}", files.certificate, files.key);
    let with = |rest: &str| format!("[syslog]\n{certificate}\n{rest}");
    let without_key = format!("[syslog]\ncertificate = {:?}", files.certificate);
    for (doors, sections, named) in [
        ("syslog_tcp = \"0.0.0.0:1514\"", String::new(), ["node.syslog_tcp", "syslog.allow"]),
        ("syslog_udp = \"0.0.0.0:1514\"", String::new(), ["node.syslog_udp", "syslog.allow"]),
        ("syslog_udp = \"[::]:1514\"", String::new(), ["node.syslog_udp", "syslog.allow"]),
        ("syslog_tcp = \"192.0.2.1:1514\"", with(""), ["node.syslog_tcp", "syslog.allow"]),
        // An authority guards the door for TLS alone.
        (
            "syslog_tcp = \"0.0.0.0:1514\"",
            with("authority = \"ca.pem\""),
            ["node.syslog_tcp", "syslog.allow"],
        ),
        ("syslog_tls = \"0.0.0.0:6514\"", with(""), ["syslog.authority", "syslog.allow"]),
        ("syslog_tls = \"127.0.0.1:6514\"", String::new(), ["node.syslog_tls", "syslog.certificate"]),
        ("syslog_tls = \"127.0.0.1:6514\"", without_key, ["syslog.certificate", "syslog.key"]),
        (
            "syslog_tls = \"0.0.0.0:6514\"",
            with("authority = \"/nowhere/ca.pem\""),
            ["syslog.authority", "/nowhere/ca.pem"],
        ),
        (
            "syslog_tls = \"0.0.0.0:6514\"",
            with(&format!("authority = {empty:?}")),
            ["syslog.authority", "empty.pem"],
        ),
        (
            "syslog_tcp = \"0.0.0.0:1514\"",
            "[syslog]\nallow = \"10.0.0.0/40\"".to_owned(),
            ["syslog.allow", "10.0.0.0/40"],
        ),
    ] {
        let mut node = launch(folder.path(), doors, &sections)?;
        let listening = node.wait_until_listening(READY_WITHIN).await;
        let said = node.last_output();
        ensure!(
            listening.is_err() && node.ended()?.is_some_and(|status| !status.success()),
            "{doors} {sections}"
        );
        ensure!(named.iter().all(|key| said.contains(key)), "{doors} {sections}: {said}");
    }
    Ok(())
}

/// A node that listens everywhere, for senders at one address.
struct Station {
    // First: the process ends before its folder goes.
    node: NodeProcess,
    api: Api,
    tcp: SocketAddr,
    udp: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Station {
    async fn start() -> Result<Station> {
        let folder = tempfile::tempdir()?;
        let (tcp, udp) = (free_address()?, free_address()?);
        let doors =
            format!("syslog_tcp = \"0.0.0.0:{}\"\nsyslog_udp = \"0.0.0.0:{}\"", tcp.port(), udp.port());
        let mut node =
            launch(folder.path(), &doors, &format!("[syslog]\nallow = \"10.0.0.0/8, {KNOWN}/32\""))?;
        node.wait_until_ready(READY_WITHIN).await?;
        let api = Api::new(&node.url())?.signed_in("admin", ADMIN_PASSWORD);
        Ok(Station { node, api, tcp, udp, _folder: folder })
    }

    async fn connect(&self, from: IpAddr) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        Ok(socket.connect(self.tcp).await?)
    }

    async fn send_datagram(&self, from: IpAddr, message: &str) -> Result<()> {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0)).await?;
        socket.send_to(message.as_bytes(), self.udp).await?;
        Ok(())
    }

    async fn count(&self, service: &str) -> Result<usize> {
        Ok(self.api.all_logs(&[("service", service)]).await?.len())
    }

    async fn wait_for(&self, service: &str) -> Result<()> {
        let is_there = || async { self.count(service).await.is_ok_and(|count| count == 1) };
        wait_until(&format!("the message of {service} is stored"), WITHIN, is_there).await
    }

    async fn wait_for_refused(&self, count: u64) -> Result<()> {
        let line = format!("insighthub_syslog_refused_total {count}\n");
        let is_counted =
            || async { self.api.get("/metrics", &[]).await.is_ok_and(|answer| answer.text.contains(&line)) };
        wait_until(line.trim(), WITHIN, is_counted).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_that_allow_does_not_name_are_shown_out_even_on_this_machine() -> Result<()> {
    let station = Station::start().await?;
    let mut stranger = station.connect(STRANGER).await?;
    // It may be gone before it has said anything.
    drop(stranger.write_all(b"<13>Apr 28 12:00:00 host stranger: over TCP\n").await);
    let ended = tokio::time::timeout(WITHIN, stranger.read(&mut [0; 16])).await;
    ensure!(matches!(ended.context("it is still connected")?, Ok(0) | Err(_)), "the node has answered");
    station.wait_for_refused(1).await?;
    station.send_datagram(STRANGER, "<13>Apr 28 12:00:00 host stranger: a datagram").await?;
    station.wait_for_refused(2).await?;

    let mut known = station.connect(KNOWN).await?;
    known.write_all(b"<13>Apr 28 12:00:00 host known: over TCP\n").await?;
    station.wait_for("known").await?;
    station.send_datagram(KNOWN, "<13>Apr 28 12:00:00 host datagram: one").await?;
    station.wait_for("datagram").await?;

    ensure!(station.count("stranger").await? == 0, "a stranger's message is stored");
    let letters = station.api.all_dead_letters().await?;
    ensure!(letters.is_empty(), "{letters:?}");
    let log = station.node.last_output();
    ensure!(log.contains("syslog.allow does not name 127.0.0.1"), "{log}");
    ensure!(log.contains("syslog.allow does not name their sender"), "{log}");
    Ok(())
}
