//! The transport in a simulated network: the same seed gives the same run, crashes and partitions included.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

/// The one that whole clusters are simulated on; a dependency on that crate would be a circle.
#[path = "../../simulation/src/network.rs"]
mod network;
mod transport_nodes;

use std::sync::Arc;
use std::time::Duration;

use insighthub_storage::transport::{Dice, Lane, TransportOptions};
use network::SimulatedNetwork;
use parking_lot::Mutex;
use transport_nodes::{Node, echo, options, start};

/// Dice of a seed (a linear congruential generator: nobody attacks a simulation).
fn dice(seed: u64) -> Dice {
    let state = Mutex::new(seed);
    Arc::new(move |bytes: &mut [u8]| {
        let mut state = state.lock();
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (*state >> 56) as u8;
        }
    })
}

async fn node(id: u64) -> Node {
    let listen = "0.0.0.0:7000".parse().unwrap();
    let options = TransportOptions { dice: dice(id), ..options(id, listen) };
    start(options, Arc::new(SimulatedNetwork), Some(id)).await
}

/// Calls each 20 ms through a crash and a partition; when each call ended, and how.
fn trace(seed: u64) -> Vec<String> {
    let trace = Arc::new(Mutex::new(Vec::new()));
    let mut simulation = turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(Duration::from_secs(60))
        .max_message_latency(Duration::from_millis(5))
        .build();
    simulation.host("n2", || async {
        let _node = node(2).await;
        futures::future::pending().await
    });
    let written = trace.clone();
    simulation.client("n1", async move {
        let caller = node(1).await;
        caller.knows(&[(2, "n2:7000")]);
        for step in 0..200 {
            match step {
                60 => turmoil::partition("n1", "n2"),
                120 => turmoil::repair("n1", "n2"),
                _ => {}
            }
            let answer =
                caller.transport.call(2, Lane::Urgent, echo(vec![0; 50]), Duration::from_millis(50)).await;
            let at = turmoil::elapsed().as_millis();
            let outcome = answer.map(|bytes| bytes.len());
            written.lock().push(format!("{step} {at} {outcome:?}"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        caller.transport.close().await;
        Ok(())
    });
    let mut crashed = false;
    while !simulation.step().unwrap() {
        if !crashed && trace.lock().len() == 30 {
            simulation.crash("n2");
            simulation.bounce("n2");
            crashed = true;
        }
    }
    Arc::into_inner(trace).map(Mutex::into_inner).unwrap_or_default()
}

#[test]
fn a_seed_gives_one_run_that_heals() {
    let first = trace(7);
    assert_eq!(first.len(), 200);
    let good = |from: usize, to: usize| first[from..to].iter().filter(|line| line.contains("Ok(50)")).count();
    assert!(good(0, 30) >= 28, "{first:#?}");
    assert!(good(40, 60) >= 15, "it does not come back after a crash: {first:#?}");
    assert_eq!(good(62, 120), 0, "calls pass a partition");
    assert!(good(160, 200) >= 38, "it does not come back after a partition: {first:#?}");
    assert_eq!(trace(7), first, "the same seed gives another run");
    assert_ne!(trace(8), first, "the seed has no effect");
}
