//! Who is alive, with real processes: killed, stopped, cut off, refused. The library's groups and actor
//! ids are global to a process, so that each node is one.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its nodes must fail loudly")]

mod child;
mod process;
mod proxy;

use std::io::Read;
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process::{Node, cluster, plans, wait};
use proxy::Proxy;
use rustix::process::Signal;
use tempfile::tempdir;

/// What is promised: a dead node shows within this time, and so does one that is back.
const PROMISED: Duration = Duration::from_secs(3);

/// The times below are those of nodes that have the machine to themselves.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Not a test: the role of a node, see `child`.
#[test]
fn node_process() {
    if let Ok(plan) = std::env::var(child::VARIABLE) {
        child::run(&plan);
    }
}

#[test]
fn a_killed_node_shows_as_dead_and_its_next_start_as_alive() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let plans = plans(3, &directory);
    let mut nodes = cluster(&plans);
    let incarnation = nodes[0].view()["peers"]["3"]["incarnation"].clone();
    drop(nodes.pop());
    let killed = Instant::now();
    for node in &mut nodes {
        node.wait_until_sees(3, false);
        let took = killed.elapsed();
        println!("a killed node shows as dead after {took:?}");
        assert!(took < PROMISED, "{took:?}");
    }
    let started = Instant::now();
    let mut back = Node::start(&plans[2]);
    for node in &mut nodes {
        node.wait_until_sees(3, true);
        assert_ne!(node.view()["peers"]["3"]["incarnation"], incarnation);
        assert!(node.sees_alive(if node.plan.node_id == 1 { 2 } else { 1 }));
    }
    back.wait_until_sees(1, true);
    back.wait_until_sees(2, true);
    println!("a restarted node shows as alive after {:?}", started.elapsed());
    assert!(started.elapsed() < PROMISED, "{:?}", started.elapsed());
}

#[test]
fn a_stopped_process_shows_as_dead_and_blames_nobody_when_it_goes_on() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut nodes = cluster(&plans(3, &directory));
    let mut stopped = nodes.pop().unwrap();
    let changes = stopped.view()["changes"].clone();
    stopped.signal(Signal::STOP);
    let since = Instant::now();
    for node in &mut nodes {
        node.wait_until_sees(3, false);
        let took = since.elapsed();
        println!("a stopped node shows as dead after {took:?}");
        assert!(took < PROMISED, "{took:?}");
    }
    // Five seconds in all.
    std::thread::sleep(Duration::from_secs(5).saturating_sub(since.elapsed()));
    stopped.signal(Signal::CONT);
    let resumed = Instant::now();
    for node in &mut nodes {
        node.wait_until_sees(3, true);
    }
    println!("a resumed node shows as alive after {:?}", resumed.elapsed());
    assert!(resumed.elapsed() < PROMISED, "{:?}", resumed.elapsed());
    // Everybody is heard again for longer than anybody may be silent.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(stopped.view()["changes"], changes, "the others were there all the time");
    assert!(nodes.iter_mut().all(|node| node.sees_alive(3)));
}

#[test]
fn a_link_that_is_cut_and_healed_is_used_again() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(2, &directory);
    let proxies: Vec<Proxy> = plans.iter().map(|plan| Proxy::to(plan.listen)).collect();
    plans[0].peers.insert(2, proxies[1].address.to_string());
    plans[1].peers.insert(1, proxies[0].address.to_string());
    let mut nodes = cluster(&plans);
    for round in 0..3 {
        proxies.iter().for_each(Proxy::cut);
        let cut = Instant::now();
        nodes[0].wait_until_sees(2, false);
        nodes[1].wait_until_sees(1, false);
        assert!(cut.elapsed() < PROMISED, "{:?}", cut.elapsed());
        // Healed at different moments of the attempts to connect.
        std::thread::sleep(Duration::from_millis(1_000 + 400 * round));
        proxies.iter().for_each(Proxy::heal);
        let healed = Instant::now();
        nodes[0].wait_until_sees(2, true);
        nodes[1].wait_until_sees(1, true);
        println!("a healed link is in use after {:?}", healed.elapsed());
        assert!(healed.elapsed() < PROMISED, "{:?}", healed.elapsed());
    }
    std::thread::sleep(Duration::from_secs(2));
    for node in &mut nodes {
        // Once alive, and each round once dead and once alive again.
        assert_eq!(node.view()["changes"], 7, "node {}", node.plan.node_id);
    }
}

#[test]
fn a_connection_of_which_nothing_comes_out_is_replaced() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(2, &directory);
    let proxies: Vec<Proxy> = plans.iter().map(|plan| Proxy::to(plan.listen)).collect();
    plans[0].peers.insert(2, proxies[1].address.to_string());
    plans[1].peers.insert(1, proxies[0].address.to_string());
    let mut nodes = cluster(&plans);
    let changes = nodes[0].view()["changes"].as_u64().unwrap();
    proxies.iter().for_each(Proxy::forget);
    let forgotten = Instant::now();
    // Dead, and alive again.
    wait("the node is missed and found again", || nodes[0].view()["changes"] == changes + 2);
    nodes[1].wait_until_sees(1, true);
    println!("a connection that swallows everything is replaced after {:?}", forgotten.elapsed());
    assert!(forgotten.elapsed() < PROMISED, "{:?}", forgotten.elapsed());
    assert!(nodes[0].sees_alive(2));
}

#[test]
fn nothing_piles_up_for_a_peer_that_takes_nothing() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(2, &directory);
    for plan in &mut plans {
        // 100 reports of 60 KB a second, and no deadline that ends the connection: 30 MB in five seconds.
        (plan.beat_ms, plan.dead_ms, plan.ballast) = (10, 60_000, 60_000);
    }
    let mut nodes = cluster(&plans);
    std::thread::sleep(Duration::from_secs(2));
    let (before, held_back) = (nodes[0].resident_kib(), nodes[0].count("beats_held_back"));
    nodes[1].signal(Signal::STOP);
    let stopped = Instant::now();
    // As much as would show if it piled up; a busy machine takes longer for it.
    let is_enough = |node: &mut Node| {
        node.count("beats_held_back") > held_back + 300 && node.count("events_dropped") > 500
    };
    while stopped.elapsed() < Duration::from_secs(5) || !is_enough(&mut nodes[0]) {
        assert!(stopped.elapsed() < Duration::from_secs(45), "too little happens");
        for _ in 0..100 {
            // Events of half a kilobyte, hundreds a second.
            nodes[0].ask(&format!("announce {}", "x".repeat(500)));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let after = nodes[0].resident_kib();
    println!("resident before {before} KiB, after {:?} of a stopped peer {after} KiB", stopped.elapsed());
    assert!(after < before + 4_096, "{before} KiB grew to {after} KiB");
    nodes[1].signal(Signal::CONT);
    let sequence = |node: &mut Node| node.view()["peers"]["1"]["sequence"].as_u64().unwrap();
    let seen = sequence(&mut nodes[1]);
    wait("beats flow again", || sequence(&mut nodes[1]) > seen + 50);
}

#[test]
fn another_cookie_and_another_cluster_are_refused() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(3, &directory);
    plans[1].cookie = "fedcba9876543210fedcba9876543210".into();
    plans[2].cluster_id = "another".into();
    let mut nodes: Vec<Node> = plans.iter().map(Node::start).collect();
    wait("the cookie is compared", || nodes[0].count("handshakes_failed") > 3);
    wait("the cluster is compared", || nodes[0].count("other_cluster") > 3);
    std::thread::sleep(Duration::from_secs(2));
    for node in &mut nodes {
        let view = node.view();
        let peers = view["peers"].as_object().unwrap();
        assert!(peers.values().all(|peer| peer["alive"] == false), "{view}");
        assert_eq!(view["changes"], 0);
    }
    assert_eq!(nodes[0].view()["peers"]["2"]["connects"], 0, "no session without the cookie");
}

#[test]
fn an_unknown_node_is_heard_once_it_is_a_peer() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(2, &directory);
    let all = plans[0].peers.clone();
    plans[0].peers.clear();
    let mut nodes: Vec<Node> = plans.iter().map(Node::start).collect();
    wait("the stranger is counted", || nodes[0].count("unknown_node") > 3);
    assert!(!nodes[1].sees_alive(1), "nobody talks to a stranger");
    nodes[0].ask(&format!("peers {}", serde_json::to_string(&all).unwrap()));
    let told = Instant::now();
    nodes[0].wait_until_sees(2, true);
    nodes[1].wait_until_sees(1, true);
    assert!(told.elapsed() < PROMISED, "{:?}", told.elapsed());
    nodes[0].ask("peers {}");
    wait("its peers are forgotten", || nodes[0].view()["peers"] == serde_json::json!({}));
    nodes[1].wait_until_sees(1, false);
}

#[test]
fn an_orderly_leave_shows_at_once() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(3, &directory);
    // So that it cannot be the deadline that tells the others.
    plans.iter_mut().for_each(|plan| plan.dead_ms = 30_000);
    let mut nodes = cluster(&plans);
    let left = Instant::now();
    assert_eq!(nodes[2].ask("leave"), "left");
    for node in &mut nodes[..2] {
        assert!(!node.sees_alive(3), "it returns when all have heard");
        assert_eq!(node.view()["peers"]["3"]["stopping"], true);
    }
    println!("an orderly leave is known after {:?}", left.elapsed());
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
    assert!(nodes[0].sees_alive(2) && nodes[1].sees_alive(1));
}

#[test]
fn the_actor_fails_and_nobody_dies_of_it() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut nodes = cluster(&plans(3, &directory));
    let changes: Vec<_> = nodes.iter_mut().map(|node| node.view()["changes"].clone()).collect();
    for failures in 1..=3 {
        let connects = nodes[1].view()["peers"]["1"]["connects"].as_u64().unwrap();
        nodes[0].ask("fail");
        wait("the actor is restarted", || nodes[0].view()["restarts"].as_u64() >= Some(failures));
        let again = |node: &mut Node| node.view()["peers"]["1"]["connects"].as_u64().unwrap() > connects;
        wait("the others are connected again", || again(&mut nodes[1]));
    }
    std::thread::sleep(Duration::from_secs(2));
    for (node, changes) in nodes.iter_mut().zip(changes) {
        assert_eq!(node.view()["changes"], changes, "a view changed at node {}", node.plan.node_id);
    }
    nodes[0].ask("announce after");
    wait("all hear each other", || nodes[2].ask("event")[1]["session"] == "after");
}

#[test]
fn an_announcement_reaches_every_node() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut nodes = cluster(&plans(3, &directory));
    nodes[1].ask("announce abc");
    for node in &mut nodes {
        let mut event = serde_json::Value::Null;
        wait("the event arrives", || {
            event = node.ask("event");
            !event.is_null()
        });
        assert_eq!(event, serde_json::json!([2, { "kind": "session_revoked", "session": "abc" }]));
        assert!(node.ask("event").is_null(), "once");
    }
}

#[test]
fn only_the_control_address_is_listened_on_and_silent_clients_are_shown_out() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let plans = plans(2, &directory);
    let mut nodes = cluster(&plans);
    let port = plans[0].listen.port();
    assert_eq!(nodes[0].listens_on(), [format!("0100007F:{port:04X}")]);
    let changes = nodes[0].view()["changes"].clone();
    let clients: Vec<_> = (0..200).map(|_| TcpStream::connect(plans[0].listen).unwrap()).collect();
    let opened = Instant::now();
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(client.read(&mut [0; 16]).unwrap_or(0), 0, "nothing is said to a stranger");
    }
    assert!(opened.elapsed() < PROMISED, "{:?}", opened.elapsed());
    assert_eq!(nodes[0].view()["changes"], changes);
    let taken = child::Plan { node_id: 3, data: directory.path().join("3"), ..plans[0].clone() };
    let mut refused = Node::start(&taken);
    let answer = refused.view();
    assert!(answer.as_str().is_some_and(|error| error.contains("choose another `control`")), "{answer}");
}

#[test]
fn an_idle_pair_costs_little() {
    let (_turn, directory) = (alone(), tempdir().unwrap());
    let mut plans = plans(2, &directory);
    plans.iter_mut().for_each(|plan| plan.at_once = false);
    let mut nodes: Vec<Node> = plans.iter().map(Node::start).collect();
    let without = percent_of_a_core(&nodes);
    for node in &mut nodes {
        assert_eq!(node.ask("start"), "running");
    }
    nodes[0].wait_until_sees(2, true);
    nodes[1].wait_until_sees(1, true);
    let with = percent_of_a_core(&nodes);
    println!("an idle node of a pair uses {with:.1} % of a core, {without:.1} % without the control plane");
    assert!(with - without < 3.0, "{without} % became {with} %");
}

/// What one node uses, measured over five seconds.
fn percent_of_a_core(nodes: &[Node]) -> f64 {
    let ticks = || nodes.iter().map(Node::cpu_ticks).sum::<u64>();
    let before = ticks();
    std::thread::sleep(Duration::from_secs(5));
    (ticks() - before) as f64 / nodes.len() as f64 / 5.0
}
