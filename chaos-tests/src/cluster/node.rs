//! One node of a cluster under test: its process, its files, its clock, and what was done to it last.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::Mutex;

use super::clock::Clock;
use super::links::Listening;
use super::view::View;
use crate::api::Api;
use crate::deadline::wait_until;
use crate::loop_disk::LoopDisk;
use crate::node_process::{NodeOptions, NodeProcess};

/// Questions about the state of a node: one that does not answer by then is looked at again.
const VIEW_WITHIN: Duration = Duration::from_secs(3);
/// Orders such as a drain may wait for a commit.
const ORDER_WITHIN: Duration = Duration::from_secs(30);

/// What was done to a node last. Whether it hears the others is the links' business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Condition {
    /// Not started yet, or removed from the cluster.
    Absent = 0,
    Up = 1,
    Paused = 2,
    Down = 3,
}

/// A node that may run.
#[derive(Debug)]
pub struct Node {
    pub name: String,
    pub http: SocketAddr,
    pub listening: Listening,
    doors: Vec<(&'static str, SocketAddr)>,
    pub data: PathBuf,
    /// Only where its power is cut or its disk filled.
    pub disk: Option<LoopDisk>,
    /// Only where it is set.
    pub clock: Option<Clock>,
    api: Api,
    admin: Api,
    /// For looks at its state, which a production node does not allow everybody.
    looking: Api,
    options: NodeOptions,
    process: Mutex<Option<NodeProcess>>,
    condition: AtomicU8,
}

/// What a node is made of.
#[derive(Debug)]
pub struct Parts {
    pub name: String,
    pub http: SocketAddr,
    pub listening: Listening,
    pub doors: Vec<(&'static str, SocketAddr)>,
    pub disk: Option<LoopDisk>,
    pub clock: Option<Clock>,
    pub options: NodeOptions,
    pub admin_password: String,
}

impl Node {
    pub fn new(parts: Parts) -> Result<Node> {
        let url = format!("http://{}", parts.http);
        Ok(Node {
            api: Api::patient(&url, VIEW_WITHIN)?,
            admin: Api::patient(&url, ORDER_WITHIN)?.signed_in("admin", &parts.admin_password),
            looking: Api::patient(&url, VIEW_WITHIN)?.signed_in("admin", &parts.admin_password),
            name: parts.name,
            http: parts.http,
            listening: parts.listening,
            doors: parts.doors,
            data: parts.options.data.clone(),
            disk: parts.disk,
            clock: parts.clock,
            options: parts.options,
            process: Mutex::new(None),
            condition: AtomicU8::new(Condition::Absent as u8),
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The address that was given to it under a key of `[[node]]`.
    pub fn door(&self, key: &str) -> Result<SocketAddr> {
        let found = self.doors.iter().find(|(name, _)| *name == key);
        Ok(found.with_context(|| format!("{} has no {key}", self.name))?.1)
    }

    /// For questions about its state: gives up soon.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// For orders to the cluster: signed in as admin.
    pub fn admin(&self) -> &Api {
        &self.admin
    }

    pub fn condition(&self) -> Condition {
        match self.condition.load(Ordering::Relaxed) {
            1 => Condition::Up,
            2 => Condition::Paused,
            3 => Condition::Down,
            _ => Condition::Absent,
        }
    }

    fn set(&self, condition: Condition) {
        self.condition.store(condition as u8, Ordering::Relaxed);
    }

    /// Starts the process and waits for nothing.
    pub async fn launch(&self) -> Result<()> {
        let mut process = self.process.lock().await;
        match process.as_mut() {
            Some(process) => process.launch_again()?,
            None => *process = Some(NodeProcess::launch(self.options.clone(), self.http)?),
        }
        self.set(Condition::Up);
        Ok(())
    }

    pub async fn wait_until_listening(&self, within: Duration) -> Result<()> {
        let mut process = self.process.lock().await;
        process.as_mut().context("the node was never started")?.wait_until_listening(within).await
    }

    pub async fn wait_until_ready(&self, within: Duration) -> Result<()> {
        self.wait_until_listening(within).await.with_context(|| self.name.clone())?;
        let ready = || async { self.api.get("/readyz", &[]).await.is_ok_and(|answer| answer.status == 200) };
        let what = format!("{} answers 200 at /readyz", self.name);
        if let Err(error) = wait_until(&what, within, ready).await {
            let last = self.api.get("/readyz", &[]).await;
            return Err(error.context(format!("{last:?}; its output: {}", self.last_output().await)));
        }
        Ok(())
    }

    /// kill -9, and waits until it is gone.
    pub async fn kill(&self) -> Result<()> {
        self.set(Condition::Down);
        let mut process = self.process.lock().await;
        process.as_mut().context("the node was never started")?.kill_nine()
    }

    pub async fn pause(&self) -> Result<()> {
        self.set(Condition::Paused);
        self.process.lock().await.as_ref().context("the node was never started")?.pause()
    }

    pub async fn resume(&self) -> Result<()> {
        self.process.lock().await.as_ref().context("the node was never started")?.resume()?;
        self.set(Condition::Up);
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop_gracefully(&self, within: Duration) -> Result<ExitStatus> {
        self.set(Condition::Down);
        let mut process = self.process.lock().await;
        process.as_mut().context("the node was never started")?.stop_gracefully(within).await
    }

    /// How its process ended, if it has.
    pub async fn ended(&self) -> Result<Option<ExitStatus>> {
        match self.process.lock().await.as_mut() {
            Some(process) => process.ended(),
            None => Ok(None),
        }
    }

    pub async fn process_id(&self) -> Result<u32> {
        let process = self.process.lock().await;
        Ok(process.as_ref().context("the node was never started")?.process_id())
    }

    /// Everything it stored is gone, as with a new disk. The process must be down.
    pub async fn wipe(&self) -> Result<()> {
        std::fs::remove_dir_all(&self.data).with_context(|| self.data.display().to_string())
    }

    /// From here on it belongs to no cluster.
    pub async fn forget(&self) -> Result<()> {
        self.kill().await?;
        self.set(Condition::Absent);
        Ok(())
    }

    pub async fn view(&self) -> Option<View> {
        let json = self.looking.cluster().await.ok()?;
        View::parse(&json)
    }

    /// Panics and lines of level ERROR of all its starts.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        match self.process.lock().await.as_ref() {
            Some(process) => process.complaints(),
            None => Ok(Vec::new()),
        }
    }

    pub async fn last_output(&self) -> String {
        self.process.lock().await.as_ref().map(NodeProcess::last_output).unwrap_or_default()
    }
}
