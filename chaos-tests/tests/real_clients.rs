//! Clients that exist, against three real nodes: each is configured as its page in `docs/clients/` says and sends a thousand
//! records; every one is there once, with every field as it was. `cargo xtask test` installs the clients.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::join_all;
use insighthub_chaos_tests::real_clients::client::{Client, OnFailure};
use insighthub_chaos_tests::real_clients::tools::Tools;
use insighthub_chaos_tests::real_clients::trial::Trial;
use insighthub_chaos_tests::real_clients::{clients, table};
use insighthub_chaos_tests::shared_start::Checks;
use tokio::sync::Semaphore;

/// Each takes a core for a moment: more at once take longer, not shorter.
const AT_ONCE: usize = 5;
/// Datagrams that come faster than they are read are dropped by the kernel.
const BETWEEN_DATAGRAMS: Duration = Duration::from_millis(20);
/// Twenty times in a run: it goes on for so long that a node can die within it.
const BETWEEN_BATCHES: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_of_every_client_is_there_once_and_as_it_was() -> Result<()> {
    let trial = Trial::start(Tools::find()?).await?;
    let began = Instant::now();
    let (turns, all) = (Semaphore::new(AT_ONCE), chosen());
    let (shared, turns) = (&trial, &turns);
    let outcomes = join_all(all.iter().enumerate().map(|(number, client)| async move {
        let _turn = turns.acquire().await?;
        let pause = if client.name.ends_with("udp") { BETWEEN_DATAGRAMS } else { Duration::ZERO };
        let place = shared.place_at(number % shared.cluster.nodes.len(), client).await?;
        let mut sending = shared.send(client, &place, pause).await?;
        sending.end(shared).await
    }));
    let outcomes = outcomes.await;
    let mut checks = Checks::default();
    for (client, outcome) in all.iter().zip(outcomes) {
        checks.check(&format!("all of {}, once and as it was", client.name), async { outcome }).await;
    }
    println!("{} clients in {:.1} s", all.len(), began.elapsed().as_secs_f64());
    checks.finish()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_loses_nothing_that_clients_send_again_and_doubles_no_batch() -> Result<()> {
    let trial = Trial::start(Tools::find()?).await?;
    let began = Instant::now();
    let mut all = chosen();
    all.retain(|client| client.on_failure != OnFailure::Loses);
    let mut sending = Vec::new();
    for client in &all {
        let place = trial.place_behind_relays(client).await?;
        sending.push(trial.send(client, &place, BETWEEN_BATCHES).await?);
    }
    for under_way in &sending {
        under_way.wait_until_begun(&trial).await?;
    }
    let before = join_all(sending.iter().map(|under_way| under_way.stored(&trial))).await;
    trial.cluster.node(0)?.kill().await?;
    println!("killed a node after {:.1} s", began.elapsed().as_secs_f64());
    let mut checks = Checks::default();
    let outcomes = join_all(sending.iter_mut().map(|under_way| under_way.end(&trial))).await;
    for ((client, outcome), before) in all.iter().zip(outcomes).zip(before) {
        let fact = format!("all of {}, once and as it was, through the death of a node", client.name);
        checks.check(&fact, async { before.and_then(|before| before.ensure_is_part()).and(outcome) }).await;
    }
    println!("{} clients in {:.1} s", all.len(), began.elapsed().as_secs_f64());
    checks.finish()
}

#[test]
fn the_table_names_what_was_tested() -> Result<()> {
    let faults = table::faults(&clients(), &Tools::find()?)?;
    ensure!(faults.is_empty(), "docs/clients.md:\n  {}", faults.join("\n  "));
    Ok(())
}

/// All of them, or those whose names are in the variable `CLIENTS`, with commas between them.
fn chosen() -> Vec<Client> {
    let named = std::env::var("CLIENTS").unwrap_or_default();
    let mut all = clients();
    all.retain(|client| named.is_empty() || named.split(',').any(|name| name == client.name));
    all
}
