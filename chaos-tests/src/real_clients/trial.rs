//! A cluster that clients send to: where each sends, and what became of what it was given.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::client::Client;
use super::delivered::Delivered;
use super::place::Place;
use super::relay::Relay;
use super::running::Running;
use super::sent::{Sent, records};
use super::tools::Tools;
use crate::certificates::{Authority, Files, NODE_NAMES};
use crate::cluster::{Cluster, ClusterOptions};

/// What each client is given.
const RECORDS: usize = 1_000;
/// All clients at once on two cores, with three debug builds of nodes.
const GIVEN_WITHIN: Duration = Duration::from_secs(150);
/// After that: some send in their own time, and wait when they were refused.
const ARRIVED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const DOORS: [&str; 4] = ["otlp", "syslog_tcp", "syslog_udp", "syslog_tls"];

/// A cluster as it runs in production, and the clients that are installed.
#[derive(Debug)]
pub struct Trial {
    pub cluster: Cluster,
    tools: Tools,
    /// They live as long as the cluster.
    relays: Mutex<Vec<Relay>>,
    certificates: TempDir,
}

impl Trial {
    pub async fn start(tools: Tools) -> Result<Trial> {
        let mut environment = ClusterOptions::default().environment;
        let (certificates, authority) = (tempfile::tempdir()?, Authority::new()?);
        let [node, sender] = ["node", "sender"].map(|name| Files::named(certificates.path(), name));
        authority.certify(&NODE_NAMES, &node)?;
        authority.certify(&["web-1"], &sender)?;
        let path = |path: &Path| path.to_string_lossy().into_owned();
        for (name, value) in [
            ("INSIGHTHUB_CLUSTER__PROFILE", "production".to_owned()),
            ("INSIGHTHUB_SYSLOG__CERTIFICATE", path(&node.certificate)),
            ("INSIGHTHUB_SYSLOG__KEY", path(&node.key)),
            ("INSIGHTHUB_SYSLOG__AUTHORITY", path(&sender.authority)),
        ] {
            environment.push((name.to_owned(), value));
        }
        let options = ClusterOptions { environment, doors: DOORS.to_vec(), ..ClusterOptions::default() };
        let cluster = Cluster::start(&options).await?;
        Ok(Trial { cluster, tools, relays: Mutex::default(), certificates })
    }

    /// A client at one node, with a token for a service of its own.
    pub async fn place_at(&self, number: usize, client: &Client) -> Result<Place> {
        let node = self.cluster.node(number)?;
        let service = client.name.to_owned();
        let wanted = json!({ "service": service, "name": "a test" });
        let made = node.admin().post_json("/api/tokens", &wanted).await?;
        let token = made.member("token")?;
        Ok(Place {
            http: node.http,
            otlp: node.door("otlp")?,
            syslog_tcp: node.door("syslog_tcp")?,
            syslog_udp: node.door("syslog_udp")?,
            syslog_tls: node.door("syslog_tls")?,
            certificates: self.certificates.path().to_owned(),
            service,
            token,
        })
    }

    /// The same behind a load balancer: at the first node as long as it lives.
    pub async fn place_behind_relays(&self, client: &Client) -> Result<Place> {
        let mut place = self.place_at(0, client).await?;
        let mut relays = self.relays.lock().await;
        for door in [None, Some("otlp")] {
            let nodes = self.cluster.nodes.iter();
            let targets = nodes.map(|node| door.map_or(Ok(node.http), |key| node.door(key)));
            let relay = Relay::open(targets.collect::<Result<_>>()?).await?;
            match door {
                None => place.http = relay.address(),
                Some(_) => place.otlp = relay.address(),
            }
            relays.push(relay);
        }
        Ok(place)
    }

    /// Starts a client on its records.
    pub async fn send(&self, client: &Client, place: &Place, pause: Duration) -> Result<Sending> {
        let run = format!("run-{}", client.name);
        let sent = records(&run, RECORDS, OffsetDateTime::now_utc(), client.shape);
        let running = Running::start(client, &self.tools, place, &sent, pause).await?;
        Ok(Sending { client: client.clone(), run, sent, running })
    }
}

/// A client that sends its records.
#[derive(Debug)]
pub struct Sending {
    client: Client,
    run: String,
    sent: Vec<Sent>,
    running: Running,
}

impl Sending {
    /// Waits until everything has arrived, and fails unless it has, once and as it was.
    pub async fn end(&mut self, trial: &Trial) -> Result<()> {
        self.running.given(GIVEN_WITHIN).await?;
        let began = Instant::now();
        let mut stored = self.stored(trial).await?;
        while !stored.missing.is_empty() && began.elapsed() < ARRIVED_WITHIN {
            tokio::time::sleep(LOOK_EVERY).await;
            stored = self.stored(trial).await?;
        }
        self.running.stop().await?;
        // What a client sends again, it has sent by now.
        self.stored(trial).await?.verdict().with_context(|| self.running.output())
    }

    /// What is there by now.
    pub async fn stored(&self, trial: &Trial) -> Result<Delivered> {
        // The last node is never the one that dies.
        let node = trial.cluster.nodes.last().context("a cluster without nodes")?;
        let began = Instant::now();
        loop {
            let records = node.admin().all_logs(&[("service", self.client.name)]).await;
            match records {
                Ok(records) => return Ok(self.reckon(&records)),
                // While partitions have no leader, an answer may be incomplete.
                Err(error) if began.elapsed() > ARRIVED_WITHIN => return Err(error),
                Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    fn reckon(&self, records: &[Value]) -> Delivered {
        Delivered::reckon(&self.run, &self.sent, self.client.expect, records)
    }

    /// Waits until some of it has arrived.
    pub async fn wait_until_begun(&self, trial: &Trial) -> Result<()> {
        let began = Instant::now();
        while self.stored(trial).await?.missing.len() == RECORDS {
            if began.elapsed() > ARRIVED_WITHIN {
                bail!("nothing of {} has arrived: {}", self.client.name, self.running.output());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

impl Delivered {
    /// Fails unless some has arrived and some has not.
    pub fn ensure_is_part(&self) -> Result<()> {
        ensure!(
            (1..RECORDS).contains(&self.missing.len()),
            "{} records were missing when the node died: it did not die in the middle",
            self.missing.len()
        );
        Ok(())
    }
}
