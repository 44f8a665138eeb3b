//! Syslog over TLS: who is let in, and what a node shows once its certificate was renewed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::certificates::{Authority, Files, NODE_NAMES};
use insighthub_chaos_tests::cluster::ADMIN_PASSWORD;
use insighthub_chaos_tests::cluster::addresses::free_address;
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess, READY_WITHIN, Role};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Of this machine as well, and another to a list of networks.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const WITHIN: Duration = Duration::from_secs(30);

/// A node that listens for syslog over TLS, and who certifies it and its senders.
struct Station {
    // First: the process ends before its folder goes.
    node: NodeProcess,
    api: Api,
    door: SocketAddr,
    authority: Authority,
    /// What the node shows.
    shown: Files,
    folder: TempDir,
}

impl Station {
    /// `section` names its certificate; `listening` is all of its addresses or one on loopback.
    async fn start(section: &str, listening: Ipv4Addr, rules: &[(&str, &str)]) -> Result<Station> {
        let (folder, authority) = (tempfile::tempdir()?, Authority::new()?);
        let shown = Files::named(folder.path(), "node");
        authority.certify(&NODE_NAMES, &shown)?;
        let port = free_address()?.port();
        let config = folder.path().join("cluster.toml");
        std::fs::write(
            &config,
            format!(
                "[[node]]\nname = \"n1\"\nhttp = \"127.0.0.1:0\"\nsyslog_tls = \"{listening}:{port}\"\n\
                 [{section}]\ncertificate = {:?}\nkey = {:?}\n",
                shown.certificate, shown.key
            ),
        )?;
        let mut options = NodeOptions::in_directory(folder.path())?;
        options.role = Role::Named { config, name: "n1".to_owned() };
        options.environment.push(("INSIGHTHUB_ADMIN_PASSWORD".to_owned(), ADMIN_PASSWORD.to_owned()));
        let rules = rules.iter().map(|(name, value)| {
            (format!("INSIGHTHUB_SYSLOG__{name}"), value.replace("OURS", &shown.authority.to_string_lossy()))
        });
        options.environment.extend(rules);
        let mut node = NodeProcess::launch(options, free_address()?)?;
        node.wait_until_listening(READY_WITHIN).await?;
        let roots = [reqwest::Certificate::from_pem(authority.pem().as_bytes())?];
        let client = reqwest::Client::builder().tls_certs_only(roots).build()?;
        let api = Api::through(client, &node.url())?.signed_in("admin", ADMIN_PASSWORD);
        let door = SocketAddr::new(HERE, port);
        let station = Station { node, api, door, authority, shown, folder };
        let is_ready =
            || async { station.api.get("/readyz", &[]).await.is_ok_and(|answer| answer.status == 200) };
        wait_until("/readyz answers 200", READY_WITHIN, is_ready).await?;
        Ok(station)
    }

    /// A certificate for a sender.
    fn certified(&self, authority: &Authority, name: &str) -> Result<Files> {
        let files = Files::named(self.folder.path(), name);
        authority.certify(&[name], &files)?;
        Ok(files)
    }

    /// Shakes hands as a sender does, from an address of this machine.
    async fn connect(&self, from: IpAddr, shows: Option<&Files>) -> Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.shown.authority)?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match shows {
            None => config.with_no_client_auth(),
            Some(files) => {
                let chain = vec![CertificateDer::from_pem_file(&files.certificate)?];
                config.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&files.key)?)?
            }
        };
        let stream = self.plain(from).await?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(connector.connect(ServerName::try_from("logs.example.com")?, stream).await?)
    }

    async fn plain(&self, from: IpAddr) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        Ok(socket.connect(self.door).await?)
    }

    /// Sends a message of a service and waits until it is stored.
    async fn is_stored(&self, from: IpAddr, shows: Option<&Files>, service: &str) -> Result<()> {
        let mut stream = self.connect(from, shows).await?;
        stream.write_all(message(service).as_bytes()).await?;
        stream.shutdown().await?;
        let is_there = || async { self.records(service).await.is_ok_and(|records| records.len() == 1) };
        wait_until(&format!("the message of {service} is stored"), WITHIN, is_there).await
    }

    /// Sends a message that must not be stored, and waits until the node has ended the connection and counted it.
    async fn is_shown_out(&self, from: IpAddr, shows: Option<&Files>) -> Result<()> {
        let before = self.refused().await?;
        // A sender may believe in a handshake of TLS 1.3 that the node has not finished.
        if let Ok(mut stream) = self.connect(from, shows).await {
            drop(stream.write_all(message("stranger").as_bytes()).await);
            let ended = tokio::time::timeout(WITHIN, stream.read(&mut [0; 16])).await;
            ensure!(
                matches!(ended.context("it is still connected")?, Ok(0) | Err(_)),
                "the node has answered"
            );
        }
        self.has_refused(before + 1).await
    }

    async fn has_refused(&self, count: u64) -> Result<()> {
        let is_counted = || async { self.refused().await.is_ok_and(|refused| refused == count) };
        wait_until(&format!("{count} connections are refused"), WITHIN, is_counted).await
    }

    async fn refused(&self) -> Result<u64> {
        let metrics = self.api.get("/metrics", &[]).await?.text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("insighthub_syslog_refused_total "));
        Ok(line.context("no count of refusals")?.parse()?)
    }

    async fn records(&self, service: &str) -> Result<Vec<Value>> {
        self.api.all_logs(&[("service", service)]).await
    }

    /// Nothing of those that were shown out is there. To be asked once something that came later is.
    async fn knows_no_stranger(&self) -> Result<()> {
        let (records, letters) = (self.records("stranger").await?, self.api.all_dead_letters().await?);
        ensure!(records.is_empty() && letters.is_empty(), "{records:?} {letters:?}");
        Ok(())
    }

    /// The certificate that a new connection sees.
    async fn certificate(&self) -> Result<Vec<u8>> {
        let stream = self.connect(HERE, None).await?;
        let chain = stream.get_ref().1.peer_certificates().context("no certificate")?;
        Ok(chain.first().context("an empty chain")?.to_vec())
    }
}

fn message(service: &str) -> String {
    format!("<13>Apr 28 12:00:00 host {service}: a message\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_the_authority_lets_a_sender_in_and_nothing_else_does() -> Result<()> {
    let station = Station::start("syslog", Ipv4Addr::UNSPECIFIED, &[("AUTHORITY", "OURS")]).await?;
    let ours = station.certified(&station.authority, "web-1")?;
    let theirs = station.certified(&Authority::new()?, "web-2")?;
    station.is_stored(HERE, Some(&ours), "known").await?;
    // This machine is no exception where the address is not its own alone.
    station.is_shown_out(HERE, None).await?;
    station.is_shown_out(HERE, Some(&theirs)).await?;
    let mut plain = station.plain(HERE).await?;
    plain.write_all(message("stranger").as_bytes()).await?;
    station.has_refused(3).await?;
    station.is_stored(HERE, Some(&ours), "known-later").await?;
    station.knows_no_stranger().await?;
    let log = station.node.last_output();
    ensure!(
        log.contains("syslog connections are refused: over TLS, 127.0.0.1: it shows no certificate"),
        "{log}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_allowed_needs_no_certificate_and_may_not_show_a_wrong_one() -> Result<()> {
    let rules = [("AUTHORITY", "OURS"), ("ALLOW", "127.0.0.2")];
    let station = Station::start("syslog", Ipv4Addr::UNSPECIFIED, &rules).await?;
    let ours = station.certified(&station.authority, "web-1")?;
    let theirs = station.certified(&Authority::new()?, "web-2")?;
    station.is_stored(ELSEWHERE, None, "allowed").await?;
    station.is_shown_out(HERE, None).await?;
    station.is_shown_out(ELSEWHERE, Some(&theirs)).await?;
    station.is_stored(HERE, Some(&ours), "certified").await?;
    station.knows_no_stranger().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_authority_only_networks_that_are_allowed_are_let_in() -> Result<()> {
    let station = Station::start("http", Ipv4Addr::UNSPECIFIED, &[("ALLOW", "127.0.0.2")]).await?;
    let ours = station.certified(&station.authority, "web-1")?;
    station.is_shown_out(HERE, Some(&ours)).await?;
    station.is_stored(ELSEWHERE, None, "allowed").await?;
    station.knows_no_stranger().await
}

/// Shown to an address on loopback, which takes what its own machine sends.
async fn takes_a_new_certificate(section: &str) -> Result<()> {
    let station = Station::start(section, Ipv4Addr::LOCALHOST, &[]).await?;
    let first = station.certificate().await?;
    let mut open = station.connect(HERE, None).await?;
    open.write_all(message("open").as_bytes()).await?;
    station.authority.certify(&NODE_NAMES, &station.shown)?;
    let is_new = || async { station.certificate().await.is_ok_and(|now| now != first) };
    wait_until("the new certificate is shown", WITHIN, is_new).await?;
    open.write_all(message("open").as_bytes()).await?;
    let are_there = || async { station.records("open").await.is_ok_and(|records| records.len() == 2) };
    wait_until("a connection goes on through the change", WITHIN, are_there).await?;

    let second = station.certificate().await?;
    std::fs::write(&station.shown.certificate, "-----BEGIN CERTIFICATE-----\nbroken\n")?;
    let said = format!("{section}.certificate = {}", station.shown.certificate.display());
    wait_until("a broken file is told by its key", WITHIN, || async {
        station.node.last_output().contains(&said)
    })
    .await?;
    ensure!(station.certificate().await? == second, "a broken file changed what is shown");
    station.is_stored(HERE, None, "after").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_its_own_is_read_again_when_its_file_changes() -> Result<()> {
    takes_a_new_certificate("syslog").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_that_http_shows_is_read_again_for_syslog_as_well() -> Result<()> {
    takes_a_new_certificate("http").await
}
