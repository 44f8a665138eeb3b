//! The addresses where syslog comes in: over TCP, as datagrams, over TLS. `docs/syslog.md` says how it looks from outside.
//!
//! `connections` accepts, `connection` reads one, `datagrams` reads what has no connection, `lane` stores what either has gathered and
//! goes on until it is stored, `tls` lets in by certificate. What a message means is read in `ingest`, not here.

mod connection;
mod connections;
mod datagrams;
mod lane;
mod queue;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use insighthub_actors::alerting::delivery::AllowList;
use jiff::tz::TimeZone;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::boot::{self, Plan};
use crate::http::AppState;
use lane::Lanes;

/// What comes within this time of each other is stored together.
const GATHER: Duration = Duration::from_millis(5);
/// What happens to many messages alike is logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The addresses of a node, bound but not yet served.
#[derive(Debug)]
pub(crate) struct Listening {
    tcp: Option<TcpListener>,
    udp: Option<UdpSocket>,
    tls: Option<(TcpListener, tls::Door)>,
    rules: Rules,
}

/// What all senders are held to.
#[derive(Debug)]
struct Rules {
    allow: AllowList,
    zone: TimeZone,
    idle: Duration,
    connections_max: usize,
    queue_bytes_max: usize,
}

/// What everything here works with.
#[derive(Debug)]
struct Shared {
    node: AppState,
    rules: Rules,
    lanes: Lanes,
}

impl Listening {
    /// Takes the addresses; nothing is read before [`Listening::run`].
    pub(crate) fn bind(plan: &Plan) -> anyhow::Result<Listening> {
        let config = &plan.config.syslog;
        let rules = Rules {
            allow: config.allow.as_deref().unwrap_or_default().parse()?,
            zone: config.zone().context("syslog.time_zone is no time zone")?,
            idle: Duration::from_secs(config.idle_secs),
            connections_max: config.connections_max,
            queue_bytes_max: config.queue_bytes_max,
        };
        let tcp =
            plan.node.syslog_tcp.map(|address| connections::listen("syslog_tcp", address)).transpose()?;
        let udp = plan.node.syslog_udp.map(datagrams::listen).transpose()?;
        let door = plan.node.syslog_tls.map(|_| tls::Door::new(&plan.config)).transpose()?;
        let tls =
            plan.node.syslog_tls.map(|address| connections::listen("syslog_tls", address)).transpose()?;
        Ok(Listening { tcp, udp, tls: tls.zip(door), rules })
    }

    /// What it listens on, in words.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let said = |way, address: std::io::Result<SocketAddr>| {
            address.map(|address| format!("listening for syslog over {way} on {address}")).ok()
        };
        let tcp = self.tcp.as_ref().and_then(|listener| said("TCP", listener.local_addr()));
        let udp = self.udp.as_ref().and_then(|socket| said("UDP", socket.local_addr()));
        let tls = self.tls.as_ref().and_then(|(listener, _)| said("TLS", listener.local_addr()));
        [tcp, udp, tls].into_iter().flatten().collect()
    }

    pub(crate) fn start(self, node: &AppState) -> Started {
        let (stop, stopped) = watch::channel(false);
        Started { stop, running: tokio::spawn(self.run(AppState::clone(node), stopped)) }
    }

    /// Serves until told to stop, then until what was read is stored.
    async fn run(self, node: AppState, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let lanes = Lanes::new(&node.name, &boot::random()?);
        let shared = std::sync::Arc::new(Shared { node, rules: self.rules, lanes });
        let mut tasks = JoinSet::new();
        let places = connections::Places::new(shared.rules.connections_max);
        if let Some(listener) = self.tcp {
            let accepting = connections::Accepting::new(&shared, &places, None);
            tasks.spawn(accepting.run(listener, stop.clone()));
        }
        if let Some((listener, door)) = self.tls {
            let accepting = connections::Accepting::new(&shared, &places, Some(door));
            tasks.spawn(accepting.run(listener, stop.clone()));
        }
        if let Some(socket) = self.udp {
            tasks.spawn(datagrams::run(socket, shared, stop));
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}

/// The addresses, served.
#[derive(Debug)]
pub(crate) struct Started {
    stop: watch::Sender<bool>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Started {
    /// Returns once what was read is stored.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        match self.running.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "syslog was not taken in"),
            Err(error) => tracing::error!(%error, "taking syslog in has failed"),
        }
    }
}

impl Rules {
    /// Whether an address may send without credentials to one that we listen on. Who reaches one on loopback is on this machine.
    fn admits(&self, from: IpAddr, ours: Option<IpAddr>) -> bool {
        ours.is_some_and(|ours| ours.is_loopback()) || self.allow.holds(from.to_canonical())
    }
}

/// The address a message came from, where that says something.
fn sender_of(from: IpAddr) -> String {
    let from = from.to_canonical();
    if from.is_loopback() { String::new() } else { from.to_string() }
}

/// Waits until the node stops.
async fn told(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_loopback_admits_all_and_any_other_whom_the_list_names() {
        let rules = Rules {
            allow: "10.0.0.0/8, 2001:db8::/32".parse().unwrap(),
            zone: TimeZone::UTC,
            idle: Duration::MAX,
            connections_max: 1,
            queue_bytes_max: 1,
        };
        for (from, ours, admitted) in [
            ("192.0.2.1", "127.0.0.1", true),
            ("::1", "::1", true),
            ("10.1.2.3", "0.0.0.0", true),
            ("::ffff:10.1.2.3", "::", true),
            ("2001:db8::1", "::", true),
            ("127.0.0.1", "0.0.0.0", false),
            ("::1", "::", false),
            ("11.0.0.1", "10.0.0.1", false),
        ] {
            let ours = Some(ours.parse().unwrap());
            assert_eq!(rules.admits(from.parse().unwrap(), ours), admitted, "{from} to {ours:?}");
        }
        assert!(!rules.admits("127.0.0.1".parse().unwrap(), None), "an address that nobody knows");
    }
}
