//! A node's process as the tests see it: started, asked, stopped, killed, measured.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::child::{MARK, Plan, VARIABLE};

/// Longer than anything that is waited for; a test that gets here has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running node.
pub(crate) struct Node {
    pub(crate) plan: Plan,
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Node {
    pub(crate) fn start(plan: &Plan) -> Node {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "node_process", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, serde_json::to_string(plan).unwrap())
            // Some fail on purpose.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut node = Node { plan: plan.clone(), process, input, output };
        assert_eq!(node.answer(), "running");
        node
    }

    pub(crate) fn ask(&mut self, command: &str) -> Value {
        writeln!(self.input, "{command}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        loop {
            let line = self.output.next().unwrap().unwrap();
            if let Some(answer) = line.strip_prefix(MARK) {
                return serde_json::from_str(answer).unwrap();
            }
        }
    }

    pub(crate) fn view(&mut self) -> Value {
        self.ask("view")
    }

    pub(crate) fn sees_alive(&mut self, peer: u64) -> bool {
        self.view()["peers"][peer.to_string()]["alive"] == true
    }

    pub(crate) fn wait_until_sees(&mut self, peer: u64, alive: bool) {
        let node = self.plan.node_id;
        wait(&format!("node {node} sees node {peer} alive = {alive}"), || self.sees_alive(peer) == alive);
    }

    pub(crate) fn count(&mut self, name: &str) -> u64 {
        self.view()["status"][name].as_u64().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    pub(crate) fn resident_kib(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Processor time used so far, in hundredths of a second.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// Addresses the process listens on, as the kernel writes them.
    pub(crate) fn listens_on(&self) -> Vec<String> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap();
        let targets = descriptors.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        let sockets: Vec<String> = targets.map(|target| target.to_string_lossy().into_owned()).collect();
        let tables = self.proc("net/tcp") + &self.proc("net/tcp6");
        let rows = tables.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.get(3) == Some(&"0A"))
            .filter(|row| sockets.contains(&format!("socket:[{}]", row[9])))
            .map(|row| row[1].to_owned())
            .collect()
    }
}

/// Waits for a fact.
pub(crate) fn wait(fact: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {fact}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Plans for the nodes 1 to `count` of one cluster, each of which knows all.
pub(crate) fn plans(count: u64, directory: &tempfile::TempDir) -> Vec<Plan> {
    let addresses: BTreeMap<u64, SocketAddr> = (1..=count).map(|id| (id, free_address())).collect();
    let peers: BTreeMap<u64, String> = addresses.iter().map(|(id, at)| (*id, at.to_string())).collect();
    let plan = |(id, listen): (&u64, &SocketAddr)| Plan {
        node_id: *id,
        cluster_id: "one".into(),
        cookie: "0123456789abcdef0123456789abcdef".into(),
        data: directory.path().join(id.to_string()),
        listen: *listen,
        peers: peers.clone(),
        beat_ms: 250,
        dead_ms: 1_500,
        ballast: 0,
        at_once: true,
    };
    addresses.iter().map(plan).collect()
}

/// Starts them and waits until each sees all others.
pub(crate) fn cluster(plans: &[Plan]) -> Vec<Node> {
    let mut nodes: Vec<Node> = plans.iter().map(Node::start).collect();
    let ids: Vec<u64> = plans.iter().map(|plan| plan.node_id).collect();
    for node in &mut nodes {
        let own = node.plan.node_id;
        for peer in ids.iter().filter(|id| **id != own) {
            node.wait_until_sees(*peer, true);
        }
    }
    nodes
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
