//! A network namespace for each node, joined by a bridge whose frames nftables can drop. Needs root.
//!
//! Unlike the relays this breaks TCP itself: lost segments, retransmission timers, half-open
//! connections. Names are unique to the run; everything is removed when this is dropped.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::fd::AsFd;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::links::Listening;

const PEER_PORT: u16 = 7_000;
const CONTROL_PORT: u16 = 7_100;
/// Connections that wait to be made inside one namespace.
const CALLERS_MAX: usize = 64;

/// Sets of namespaces that this process made.
static RUNS: AtomicU8 = AtomicU8::new(0);

/// Namespaces `PREFIX-1`, `PREFIX-2` ... on one bridge.
#[derive(Debug)]
pub struct Namespaces {
    prefix: String,
    subnet: u8,
    count: usize,
    doors: Mutex<Vec<JoinHandle<()>>>,
}

type Caller = oneshot::Sender<io::Result<std::net::TcpStream>>;

impl Namespaces {
    /// Makes them, or says why this machine cannot.
    pub fn new(count: usize) -> Result<Namespaces> {
        ensure!(rustix::process::geteuid().is_root(), "network namespaces need root");
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        // Interface names hold 15 characters.
        let prefix = format!("ih{}{}", std::process::id(), char::from(b'a' + run % 26));
        let subnet = u8::try_from((std::process::id() + u32::from(run)) % 250).unwrap_or(0);
        let namespaces = Namespaces { prefix, subnet, count, doors: Mutex::new(Vec::new()) };
        namespaces.set_up()?;
        Ok(namespaces)
    }

    pub fn listening(&self, number: usize) -> Listening {
        let at = |port| SocketAddr::from((self.address(number), port));
        Listening { peer: at(PEER_PORT), control: at(CONTROL_PORT) }
    }

    /// The words that run a command inside a namespace. From now on a client of this machine reaches
    /// `http` in the namespace under the same address outside.
    pub fn enter(&self, number: usize, http: SocketAddr) -> Result<Vec<String>> {
        let name = self.name(number);
        let (callers, waiting) = mpsc::sync_channel::<Caller>(CALLERS_MAX);
        let inside = File::open(format!("/run/netns/{name}")).with_context(|| name.clone())?;
        // A thread of its own, because a thread that entered a namespace stays there.
        std::thread::Builder::new().name(name.clone()).spawn(move || {
            let entered = move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network));
            while let Ok(caller) = waiting.recv() {
                let connected = match entered {
                    Ok(()) => std::net::TcpStream::connect_timeout(&http, Duration::from_secs(5)),
                    Err(error) => Err(error.into()),
                };
                // The caller may have gone.
                drop(caller.send(connected));
            }
        })?;
        let listener = std::net::TcpListener::bind(http)?;
        listener.set_nonblocking(true)?;
        let door = tokio::spawn(keep_door(TcpListener::from_std(listener)?, callers));
        self.doors.lock().unwrap_or_else(PoisonError::into_inner).push(door);
        let words = ["ip", "netns", "exec", &name];
        Ok(words.map(str::to_owned).to_vec())
    }

    /// Drops every frame between these pairs, from the first to the second; replaces what was cut before.
    pub fn cut(&self, pairs: &[(usize, usize)]) -> Result<()> {
        let table = self.table();
        let mut rules = format!("flush chain bridge {table} cut\n");
        for (from, to) in pairs {
            let (from, to) = (self.port(*from), self.port(*to));
            rules.push_str(&format!(
                "add rule bridge {table} cut iifname \"{from}\" oifname \"{to}\" counter drop\n"
            ));
        }
        let rules_file = std::env::temp_dir().join(format!("{}.nft", self.prefix));
        std::fs::write(&rules_file, rules)?;
        run(Command::new("nft").arg("-f").arg(&rules_file))?;
        Ok(std::fs::remove_file(rules_file)?)
    }

    /// Frames that the rules in force have dropped.
    pub fn dropped_frames(&self) -> Result<u64> {
        let listing = run(Command::new("nft").args(["list", "chain", "bridge", &self.table(), "cut"]))?;
        let counts = listing.split("counter packets ").skip(1);
        Ok(counts.filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// Everything a node sends is held to this rate.
    pub fn slow_down(&self, number: usize, bytes_per_sec: u64) -> Result<()> {
        let rate = format!("{bytes_per_sec}bps");
        let shape = ["root", "tbf", "rate", &rate, "burst", "32kbit", "latency", "400ms"];
        run(self.inside(number).args(["tc", "qdisc", "replace", "dev", "eth0"]).args(shape)).map(drop)
    }

    /// Takes back [`Namespaces::slow_down`].
    pub fn full_speed(&self, number: usize) -> Result<()> {
        run(self.inside(number).args(["tc", "qdisc", "del", "dev", "eth0", "root"])).map(drop)
    }

    fn set_up(&self) -> Result<()> {
        let bridge = self.bridge();
        run(Command::new("ip").args(["link", "add", &bridge, "type", "bridge"]))?;
        run(Command::new("ip").args(["link", "set", &bridge, "up"]))?;
        for number in 0..self.count {
            self.set_up_one(number, &bridge)?;
        }
        // Without this a one-way cut stops the answers to ARP as well and becomes a two-way cut.
        for number in 0..self.count {
            for other in (0..self.count).filter(|other| *other != number) {
                let (address, hardware) = (self.address(other).to_string(), hardware(other));
                let entry = ["neigh", "replace", &address, "lladdr", &hardware, "nud", "permanent"];
                run(self.inside(number).arg("ip").args(entry).args(["dev", "eth0"]))?;
            }
        }
        let table = self.table();
        run(Command::new("nft").args(["add", "table", "bridge", &table]))?;
        let hook = "{ type filter hook forward priority 0 ; }";
        run(Command::new("nft").args(["add", "chain", "bridge", &table, "cut", hook])).map(drop)
    }

    fn set_up_one(&self, number: usize, bridge: &str) -> Result<()> {
        let (name, port) = (self.name(number), self.port(number));
        run(Command::new("ip").args(["netns", "add", &name]))?;
        let veth = ["link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &name];
        run(Command::new("ip").args(veth))?;
        run(Command::new("ip").args(["link", "set", &port, "master", bridge, "up"]))?;
        let address = format!("{}/24", self.address(number));
        run(self.inside(number).args(["ip", "link", "set", "eth0", "address", &hardware(number)]))?;
        run(self.inside(number).args(["ip", "addr", "add", &address, "dev", "eth0"]))?;
        run(self.inside(number).args(["ip", "link", "set", "eth0", "up"]))?;
        run(self.inside(number).args(["ip", "link", "set", "lo", "up"])).map(drop)
    }

    fn inside(&self, number: usize) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(number)]);
        command
    }

    fn name(&self, number: usize) -> String {
        format!("{}-{}", self.prefix, number + 1)
    }

    /// The bridge's end of a node's cable.
    fn port(&self, number: usize) -> String {
        format!("{}v{}", self.prefix, number + 1)
    }

    fn bridge(&self) -> String {
        format!("{}br", self.prefix)
    }

    fn table(&self) -> String {
        format!("{}_chaos", self.prefix)
    }

    fn address(&self, number: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.subnet, u8::try_from(number + 1).unwrap_or(u8::MAX))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for door in self.doors.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            door.abort();
        }
        // Each may be missing where setting up failed half-way.
        drop(run(Command::new("nft").args(["delete", "table", "bridge", &self.table()])));
        for number in 0..self.count {
            drop(run(Command::new("ip").args(["link", "del", &self.port(number)])));
            drop(run(Command::new("ip").args(["netns", "del", &self.name(number)])));
        }
        drop(run(Command::new("ip").args(["link", "del", &self.bridge()])));
    }
}

/// Carries clients of this machine into a namespace.
async fn keep_door(listener: TcpListener, callers: mpsc::SyncSender<Caller>) {
    loop {
        let Ok((mut outside, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (caller, connected) = oneshot::channel();
        if callers.try_send(caller).is_err() {
            continue;
        }
        tokio::spawn(async move {
            let inside = connected.await.map_err(io::Error::other)??;
            inside.set_nonblocking(true)?;
            let mut inside = TcpStream::from_std(inside)?;
            tokio::io::copy_bidirectional(&mut outside, &mut inside).await
        });
    }
}

fn hardware(number: usize) -> String {
    format!("02:77:00:00:00:{:02x}", number + 1)
}

fn run(command: &mut Command) -> Result<String> {
    let name = format!("{command:?}");
    let output = command.output().with_context(|| name.clone())?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn what_listens_in_a_namespace_is_reached_from_outside_and_frames_can_be_cut() {
        let namespaces = match Namespaces::new(2) {
            Ok(namespaces) => namespaces,
            Err(reason) => {
                println!("skipped: no namespaces on this machine: {reason:#}");
                return;
            }
        };
        let http = crate::cluster::addresses::free_address().unwrap();
        let words = namespaces.enter(0, http).unwrap();
        let script = format!(
            "import socket
s = socket.create_server(('127.0.0.1', {}))
while True:
    c, _ = s.accept()
    c.sendall(c.recv(9).upper())",
            http.port()
        );
        let mut server =
            Command::new(&words[0]).args(&words[1..]).args(["python3", "-c", &script]).spawn().unwrap();
        let hello = || async {
            let mut socket = TcpStream::connect(http).await?;
            socket.write_all(b"hello").await?;
            let mut heard = [0; 5];
            socket.read_exact(&mut heard).await?;
            io::Result::Ok(heard)
        };
        let within = Duration::from_secs(10);
        let greets = || async { hello().await.is_ok_and(|heard| &heard == b"HELLO") };
        let greeted = crate::deadline::wait_until("it greets", within, greets).await;
        server.kill().unwrap();
        server.wait().unwrap();
        greeted.unwrap();
        let ping = || {
            let target = namespaces.address(1).to_string();
            let connect = format!(
                "import socket; s = socket.socket(); s.settimeout(0.3)
try: s.connect(('{target}', 9))
except ConnectionRefusedError: pass"
            );
            namespaces.inside(0).args(["python3", "-c", &connect]).output().unwrap().status.success()
        };
        assert!(ping(), "a refusal comes back over the bridge");
        namespaces.cut(&[(1, 0)]).unwrap();
        assert!(!ping(), "the refusal came through the cut");
        assert!(namespaces.dropped_frames().unwrap() > 0);
        namespaces.cut(&[]).unwrap();
        assert!(ping());
    }
}
