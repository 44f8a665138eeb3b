//! A cluster of three with something to see on every page: a day of the demo's shop with an incident in its last hour,
//! refused records of several kinds, users, and an alert that fires.
//!
//! The same seed tells the same story, so that pages show the same; only the time of day moves.

mod alerting;
mod dead_letters;
mod traffic;

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::api::Api;
use crate::cluster::{ADMIN_PASSWORD, Cluster, ClusterOptions};
use crate::receivers::HttpReceiver;

pub use self::alerting::{ALERT_NAME, ALERT_TITLE, FAILING_SERVICE, TOLD_AT};
pub use self::dead_letters::MENDABLE;

/// Debug builds on two cores under load.
const WITHIN: Duration = Duration::from_secs(60);

/// A user of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    pub user: &'a str,
    pub password: &'a str,
    /// As the API writes it.
    pub role: &'a str,
}

pub const ADMIN: Login<'static> = Login { user: "admin", password: ADMIN_PASSWORD, role: "admin" };
pub const VIEWER: Login<'static> = Login { user: "vera", password: "a viewer's canary", role: "viewer" };

/// How much of a past there is, and what comes after it.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    /// As `insighthub demo` reads it.
    pub backfill: &'static str,
    /// Records a second, on average over a day.
    pub rate: f64,
    /// Records keep coming, at the same rate.
    pub goes_on: bool,
}

impl Past {
    /// Enough for every page, and soon there: about ten thousand records, and none after them.
    pub const SHORT: Past = Past { backfill: "3h", rate: 1.0, goes_on: false };
    /// What the detectors need to know the services: about fifty thousand records, and more while it runs.
    pub const LONG: Past = Past { backfill: "26h", rate: 0.5, goes_on: true };
}

/// The cluster and what alerts were sent to. Dropped, all of it ends.
#[derive(Debug)]
pub struct DemoCluster {
    // First: it sends to the cluster.
    traffic: Option<Child>,
    pub cluster: Cluster,
    pub receiver: HttpReceiver,
}

impl DemoCluster {
    /// Starts it and says on stdout how long each part took.
    pub async fn start(past: Past) -> Result<DemoCluster> {
        let began = Instant::now();
        let environment = [
            // What a debug build on a small machine keeps while it is under load.
            ("INSIGHTHUB_RAFT__HEARTBEAT_MS", "200"),
            ("INSIGHTHUB_RAFT__LEASE_MS", "800"),
            // Where the receiver of alerts is.
            ("INSIGHTHUB_ALERTING__ALLOW_ADDRESSES", "127.0.0.1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let cluster = Cluster::start(&ClusterOptions { environment, ..ClusterOptions::default() }).await?;
        println!("three nodes: {:.1} s", began.elapsed().as_secs_f64());
        let receiver = HttpReceiver::start().await?;
        let mut demo = DemoCluster { traffic: None, cluster, receiver };
        demo.add_viewer().await?;
        let urls: Vec<String> = demo.cluster.nodes.iter().map(|node| node.url()).collect();
        traffic::fill(&urls, past).await?;
        println!("records of {}: {:.1} s", past.backfill, began.elapsed().as_secs_f64());
        let admin = demo.admin()?;
        dead_letters::refuse(&admin).await?;
        alerting::fire(&admin, &demo.receiver, WITHIN).await?;
        println!("an alert that fires: {:.1} s", began.elapsed().as_secs_f64());
        if past.goes_on {
            demo.traffic = Some(traffic::go_on(&urls, past)?);
        }
        Ok(demo)
    }

    /// Where the first node serves the dashboard.
    pub fn url(&self) -> Result<String> {
        Ok(self.cluster.node(0)?.url())
    }

    /// The first node as the admin sees it.
    pub fn admin(&self) -> Result<Api> {
        Ok(Api::new(&self.url()?)?.signed_in(ADMIN.user, ADMIN.password))
    }

    async fn add_viewer(&self) -> Result<()> {
        let user = json!({ "name": VIEWER.user, "role": VIEWER.role, "password": VIEWER.password });
        let made = self.admin()?.post_json("/api/users", &user).await?;
        ensure!(made.status == 201, "{}", made.text);
        Ok(())
    }

    /// Takes in records of one service at one level.
    pub async fn post(&self, service: &str, level: &str, messages: &[&str]) -> Result<()> {
        let lines: Vec<String> = messages
            .iter()
            .map(|message| json!({ "service": service, "level": level, "message": message }).to_string())
            .collect();
        let answer = self
            .admin()?
            .ingest(&[("content-type", "application/x-ndjson")], lines.join("\n").into_bytes())
            .await?;
        // One record alone is answered without counts.
        let accepted = answer.number("accepted").unwrap_or(1);
        ensure!(answer.status == 200 && accepted == messages.len() as u64, "{}", answer.text);
        Ok(())
    }
}

impl Drop for DemoCluster {
    fn drop(&mut self) {
        if let Some(traffic) = &mut self.traffic {
            // It may have ended by itself.
            drop(traffic.kill());
            drop(traffic.wait());
        }
    }
}
