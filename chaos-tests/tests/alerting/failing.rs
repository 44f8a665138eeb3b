//! Receivers that are down, slow, busy, broken or silent, and the death of the node that tells them: each is left alone as it should
//! be, and is told in the end, once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::receivers::{HttpReceiver, Mood};
use serde_json::{Value, json};

use super::{TOLD_WITHIN, now_millis, put, sent};

const BACK_WITHIN: Duration = Duration::from_secs(120);
/// What the busy receiver asks for: more than the first pauses of its own accord.
const PEACE_SECS: u64 = 14;
/// What is due is sent twice a second.
const DRAINED_TWICE: Duration = Duration::from_millis(1_200);
/// Less than a sender waits.
const SLOW: Duration = Duration::from_secs(7);
/// The shortest there is.
const REPEAT_SECS: u64 = 60;

/// A receiver of its own for each channel, which has the name of the rule that tells it.
struct Receivers {
    broken: HttpReceiver,
    busy: HttpReceiver,
    hanging: HttpReceiver,
    slow: HttpReceiver,
    well: HttpReceiver,
}

impl Receivers {
    async fn start() -> Result<Receivers> {
        let receivers = Receivers {
            broken: HttpReceiver::start().await?,
            busy: HttpReceiver::start().await?,
            hanging: HttpReceiver::start().await?,
            slow: HttpReceiver::start().await?,
            well: HttpReceiver::start().await?,
        };
        receivers.broken.set(Mood::Answers(500));
        receivers.busy.set(Mood::Busy(PEACE_SECS));
        receivers.hanging.set(Mood::Hangs);
        receivers.slow.set(Mood::Slow(SLOW));
        Ok(receivers)
    }

    fn named(&self) -> [(&'static str, &HttpReceiver); 5] {
        [
            ("broken", &self.broken),
            ("busy", &self.busy),
            ("hanging", &self.hanging),
            ("slow", &self.slow),
            ("well", &self.well),
        ]
    }
}

async fn set_rules(api: &Api, receivers: &Receivers) -> Result<()> {
    super::tell(api, &[]).await?;
    for (name, receiver) in receivers.named() {
        let hook = json!({ "kind": { "webhook": { "url": receiver.url("/hook") } } });
        put(api, &format!("/api/alerts/channels/{name}"), hook).await?;
        let rule = json!({
            "title": format!("rule {name}"), "filter": format!("service:{name}-*"), "channels": [name],
            "condition": { "query": { "value": "count()", "is": ">", "threshold": 0 } },
            // It fires for as long as the test runs.
            "window_secs": 600, "repeat_secs": if name == "well" { REPEAT_SECS } else { 0 },
        });
        put(api, &format!("/api/alerts/rules/{name}"), rule).await?;
    }
    Ok(())
}

/// One record of each service, whose message shares no word with the others'.
async fn fail(api: &Api, services: &[&str]) -> Result<()> {
    let line = |service: &&str| {
        let message = format!("{service}-is-broken {service}-again");
        let record =
            json!({ "timestamp": now_millis(), "service": service, "level": "ERROR", "message": message });
        format!("{record}\n")
    };
    sent(api, services.iter().map(line).collect()).await
}

async fn channel(api: &Api, name: &str) -> Result<Value> {
    let answer = api.get(&format!("/api/alerts/channels/{name}"), &[]).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    Ok(answer.json)
}

async fn is_open(api: &Api) -> bool {
    channel(api, "broken").await.is_ok_and(|channel| channel["state"] == "open")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_that_fail_are_told_in_the_end_whoever_leads_by_then() -> Result<()> {
    let receivers = Receivers::start().await?;
    let mut options = ClusterOptions::default();
    let allowed = ("INSIGHTHUB_ALERTING__ALLOW_ADDRESSES".to_owned(), "127.0.0.1".to_owned());
    options.environment.push(allowed);
    let cluster = Cluster::start(&options).await?;
    set_rules(cluster.node(0)?.admin(), &receivers).await?;
    let broken = ["broken-amber", "broken-birch", "broken-cedar", "broken-delta", "broken-ember"];
    fail(
        cluster.node(0)?.admin(),
        &[&broken[..], &["busy-fjord", "hanging-grove", "slow-haven", "well-inlet"]].concat(),
    )
    .await?;
    let began = Instant::now();
    wait_until("the breaker opens", TOLD_WITHIN, || is_open(cluster.node(0).unwrap().admin())).await?;
    wait_until("the busy one is asked", TOLD_WITHIN, || async { !receivers.busy.all("/hook").is_empty() })
        .await?;
    // One more for who asked for peace: it waits with the other.
    fail(cluster.node(0)?.admin(), &["busy-jetty"]).await?;
    let api = cluster.node(0)?.admin();
    let both_wait = || async { channel(api, "busy").await.is_ok_and(|channel| channel["waiting"] == 2) };
    wait_until("the other waits too", TOLD_WITHIN, both_wait).await?;
    tokio::time::sleep(DRAINED_TWICE).await;
    ensure!(receivers.busy.all("/hook").len() == 1, "asked again in its peace");
    wait_until("the slow one is asked", TOLD_WITHIN, || async { !receivers.slow.all("/hook").is_empty() })
        .await?;
    let before = channel(cluster.node(0)?.admin(), "broken").await?;
    let (attempts, leader) =
        (receivers.broken.all("/hook").len(), cluster.control_leader().await.context("no control leader")?);
    cluster.node(leader)?.kill().await?;
    println!(
        "breaker open and control leader killed after {:?}; {attempts} attempts at the broken one",
        began.elapsed()
    );
    let other = *cluster.up().first().context("no node is left")?;
    let api = cluster.node(other)?.admin();
    let has_another = || async { cluster.control_leader().await.is_some_and(|now| now != leader) };
    wait_until("another leads the control group", TOLD_WITHIN, has_another).await?;
    let after = channel(api, "broken").await?;
    ensure!(after["state"] == "open", "the breaker is forgotten: {after}");
    ensure!(after["health"]["breaker"] == before["health"]["breaker"], "{before} became {after}");
    let open_until = after["health"]["breaker"]["open_until"].as_str().context("no end")?.to_owned();
    let all_attempts: Vec<Instant> =
        receivers.broken.all("/hook").iter().map(|received| received.at).collect();
    ensure!(all_attempts.len() == attempts, "an open breaker was tried: {}", all_attempts.len());
    receivers.broken.set(Mood::Well);
    receivers.busy.set(Mood::Well);
    receivers.hanging.set(Mood::Well);
    check_all_told(api, &receivers, broken.len()).await?;
    check_peace(&receivers)?;
    check_first_probe(&receivers, attempts, &open_until)?;
    let closes = || async { channel(api, "broken").await.is_ok_and(|channel| channel["state"] == "closed") };
    wait_until("the breaker closes", BACK_WITHIN, closes).await?;
    check_repeat(&receivers).await?;
    println!("all told and repeated after {:?}", began.elapsed());
    Ok(())
}

/// Everybody is told of everything, nothing is taken under two keys, and under one key only what was under way in the killed node.
async fn check_all_told(api: &Api, receivers: &Receivers, broken: usize) -> Result<()> {
    for ((name, receiver), due) in receivers.named().into_iter().zip([broken, 2, 1, 1, 1]) {
        let services = || {
            let bodies: Vec<Value> = receiver.taken("/hook").iter().map(|received| received.json()).collect();
            let also = bodies.iter().flat_map(|body| body["also"].as_array().cloned().unwrap_or_default());
            let fired = also.chain(bodies.clone()).filter(|notice| notice["kind"] == "fired");
            let pair = |notice: Value| (notice["group"]["service"].to_string(), notice["incident"].as_u64());
            fired.map(pair).collect::<std::collections::BTreeSet<_>>()
        };
        let is_told = || async { services().len() >= due };
        wait_until("all is told", BACK_WITHIN, is_told)
            .await
            .with_context(|| format!("{name}: {:?}", services()))?;
        ensure!(services().len() == due, "{name}: {:?}", services());
    }
    for (name, receiver) in receivers.named() {
        let mut keys: Vec<String> =
            receiver.taken("/hook").iter().map(|taken| taken.header("idempotency-key").to_owned()).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        // The slow one was being asked when who asked it was killed.
        ensure!(all - keys.len() <= usize::from(name == "slow"), "{name} took {all}, {keys:?}");
    }
    let waiting = || async {
        let channels = api.get("/api/alerts/channels", &[]).await;
        channels.is_ok_and(|answer| {
            answer.json["channels"].as_array().is_some_and(|all| all.iter().all(|one| one["waiting"] == 0))
        })
    };
    wait_until("nothing waits any more", BACK_WITHIN, waiting).await
}

/// A message that was answered 429 comes again when it was asked to, whoever leads by then.
fn check_peace(receivers: &Receivers) -> Result<()> {
    let all = receivers.busy.all("/hook");
    let first = all.first().context("never asked")?;
    let key = first.header("idempotency-key");
    let again = all.iter().skip(1).find(|received| received.header("idempotency-key") == key);
    let after = again.context("never asked again")?.at - first.at;
    // The receiver's answer and the node's clock are not the same moment.
    ensure!(
        after >= Duration::from_secs(PEACE_SECS) - Duration::from_millis(200),
        "asked again after {after:?}"
    );
    println!("429 asked for {PEACE_SECS} s, the message came again after {after:?}");
    Ok(())
}

/// The breaker's pause goes on where it was; then one message tries.
fn check_first_probe(receivers: &Receivers, attempts: usize, open_until: &str) -> Result<()> {
    let all = receivers.broken.all("/hook");
    let probe = all.get(attempts).context("no probe")?;
    let body = probe.json();
    let sent_at: i64 = probe.header("x-insighthub-timestamp").parse()?;
    let until = insighthub_model::Timestamp::parse(open_until).map_err(|error| anyhow::anyhow!("{error}"))?;
    ensure!(sent_at >= until.millis() / 1_000, "tried at {sent_at}, open until {open_until}");
    ensure!(body["also"] == json!([]), "half open, one message tries: {body}");
    Ok(())
}

async fn check_repeat(receivers: &Receivers) -> Result<()> {
    let kinds = || -> Vec<String> {
        let taken = receivers.well.taken("/hook");
        taken.iter().map(|received| received.json()["kind"].as_str().unwrap_or_default().to_owned()).collect()
    };
    wait_until("it is told again", BACK_WITHIN, || async { kinds().len() >= 2 }).await?;
    let taken = receivers.well.taken("/hook");
    let after = taken[1].at - taken[0].at;
    ensure!(kinds()[..2] == ["fired", "repeated"], "{:?}", kinds());
    ensure!(after >= Duration::from_secs(REPEAT_SECS - 1), "repeated after {after:?}");
    println!("repeated after {after:?}");
    Ok(())
}
