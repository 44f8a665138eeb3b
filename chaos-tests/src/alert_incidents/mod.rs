//! Incidents that are injected while nodes fail (workload W4), and what receivers were told of them.
//!
//! Knows nothing of the faults besides when they were: `storm` is told by who does them.

pub mod lanes;
pub mod reckoning;
pub mod told;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::task::JoinHandle;

use self::lanes::{LANES, Lane, burst, history, service, title};
use self::reckoning::{Injected, Storms, Tally, reckon};
use crate::api::{Api, Identity};
use crate::chaos_record::{ChaosRecord, now};
use crate::checker::Findings;
use crate::deadline::wait_until;
use crate::dice::Dice;
use crate::ledger::Judgement;
use crate::receivers::{HttpReceiver, MailServer, Mood};
use crate::workload::Shared;

/// As long as a receiver far away takes: who sends may be killed before it hears the answer.
const ANSWERED_AFTER: Duration = Duration::from_millis(150);
/// A node that does not answer by then is given up for this attempt.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// A burst that is not taken for so long ends the run.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// Histories of so many services are one request.
const HISTORIES_AT_ONCE: usize = 20;
/// A cluster installs its first rules by then.
const INSTALLED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What is told once too often comes soon after.
const LISTENS_ON: Duration = Duration::from_secs(3);
/// Beyond window and hold, the last messages have so long.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(30);

/// How many incidents, and how often.
#[derive(Debug, Clone)]
pub struct AlertPlan {
    pub incidents: u64,
    /// Mean time between two. Every sixth is of one channel, which is sent ten messages at once and then one every
    /// three seconds.
    pub every: Duration,
    pub window_secs: u64,
    /// Ends are told too, and waited for.
    pub tells_end: bool,
}

impl AlertPlan {
    /// One every two seconds for a length of time.
    pub fn of_length(length: Duration) -> AlertPlan {
        AlertPlan {
            incidents: (length.as_secs() / 2).max(6),
            every: Duration::from_secs(2),
            window_secs: 60,
            tells_end: true,
        }
    }

    /// Settings that nodes need to reach the receivers.
    pub fn environment() -> (String, String) {
        ("INSIGHTHUB_ALERTING__ALLOW_ADDRESSES".to_owned(), "127.0.0.1".to_owned())
    }
}

/// Incidents under way. Dropped, no more are injected.
#[derive(Debug)]
pub struct AlertIncidents {
    plan: AlertPlan,
    http: HttpReceiver,
    mail: MailServer,
    injected: Arc<Mutex<Vec<Injected>>>,
    storms: Storms,
    injecting: JoinHandle<Result<()>>,
}

impl AlertIncidents {
    /// Sets rules and channels, sends what is normal, and begins. What is sent stands in the ledger of the others too.
    pub async fn start(shared: &Arc<Shared>, plan: &AlertPlan, seed: u64) -> Result<AlertIncidents> {
        let cluster = &shared.cluster;
        let (http, mail) = (HttpReceiver::start().await?, MailServer::start().await?);
        http.set(Mood::Slow(ANSWERED_AFTER));
        let admin = cluster.node(0)?.admin();
        set_rules(admin, plan, &http, &mail).await?;
        let numbers: Vec<u64> = (0..plan.incidents).collect();
        for some in numbers.chunks(HISTORIES_AT_ONCE) {
            let batch: Vec<ChaosRecord> =
                some.iter().flat_map(|incident| history(*incident, now())).collect();
            shared.ledger().sending(&batch);
            let answer =
                admin.ingest(&[("content-type", "application/x-ndjson")], ChaosRecord::lines(&batch)).await?;
            let judgement = shared.ledger().judge(&answer, &batch);
            ensure!(matches!(judgement, Judgement::Promised { .. }), "{} {}", answer.status, answer.text);
        }
        let injected = Arc::new(Mutex::new(Vec::new()));
        let nodes = cluster.nodes.iter().map(|node| Api::patient(&node.url(), ATTEMPT_WITHIN));
        let injector = Injector {
            nodes: nodes.collect::<Result<_>>()?,
            shared: Arc::clone(shared),
            run: format!("alerts-{}", now().0),
            injected: Arc::clone(&injected),
        };
        let dice = Dice::new(seed).of_their_own(400);
        let injecting = tokio::spawn(inject_all(injector, plan.clone(), dice));
        Ok(AlertIncidents { plan: plan.clone(), http, mail, injected, storms: Storms::default(), injecting })
    }

    /// All are injected, or it was given up.
    pub fn are_injected(&self) -> bool {
        self.injecting.is_finished()
    }

    /// Nodes were down, or coming back.
    pub fn storm(&mut self, from: Instant, to: Instant) {
        self.storms.add(from, to);
    }

    /// Waits for the last messages and reckons.
    pub async fn finish(mut self, findings: &mut Findings) -> Tally {
        match (&mut self.injecting).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => findings.add("incidents not injected", format!("{error:#}")),
            Err(error) => findings.add("incidents not injected", error.to_string()),
        }
        let hold = if self.plan.tells_end { self.plan.window_secs + 10 } else { 0 };
        let injected: Vec<Injected> = self.injected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kinds: &[&str] = if self.plan.tells_end { &["fired", "resolved"] } else { &["fired"] };
        let all_told = || async {
            tokio::time::sleep(LOOK_EVERY).await;
            let told = told::all(&self.http, &self.mail);
            let said: BTreeSet<(&str, &str)> =
                told.iter().map(|told| (told.title.as_str(), told.kind.as_str())).collect();
            let is_told = |of: &Injected| kinds.iter().all(|kind| said.contains(&(of.title.as_str(), *kind)));
            injected.iter().all(is_told)
        };
        let within = Duration::from_secs(hold) + LAST_WORDS_WITHIN;
        // What is missing then is found by the reckoning.
        drop(wait_until("the last messages", within, all_told).await);
        tokio::time::sleep(LISTENS_ON).await;
        let told = told::all(&self.http, &self.mail);
        reckon(&injected, &told, &self.storms, self.plan.tells_end, findings)
    }
}

impl Drop for AlertIncidents {
    fn drop(&mut self) {
        self.injecting.abort();
    }
}

async fn set_rules(admin: &Api, plan: &AlertPlan, http: &HttpReceiver, mail: &MailServer) -> Result<()> {
    let is_installed = || async {
        admin.get("/api/alerts/rules/anomaly", &[]).await.is_ok_and(|answer| answer.status == 200)
    };
    wait_until("the first rules", INSTALLED_WITHIN, is_installed).await?;
    // They would see the same incidents, and be parts of them.
    for name in ["error-spike", "slow", "anomaly"] {
        admin.delete(&format!("/api/alerts/rules/{name}")).await?;
    }
    for lane in LANES {
        put(admin, &format!("/api/alerts/channels/{}", lane.name), &lane.channel(http, mail)).await?;
        let rule = lane.rule(plan.window_secs, plan.tells_end);
        put(admin, &format!("/api/alerts/rules/{}", lane.name), &rule).await?;
    }
    Ok(())
}

async fn put(admin: &Api, path: &str, body: &Value) -> Result<()> {
    let answer = admin.put_json(path, body).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text);
    Ok(())
}

#[derive(Debug, Clone)]
struct Injector {
    shared: Arc<Shared>,
    nodes: Vec<Api>,
    run: String,
    injected: Arc<Mutex<Vec<Injected>>>,
}

async fn inject_all(injector: Injector, plan: AlertPlan, mut dice: Dice) -> Result<()> {
    let millis = u64::try_from(plan.every.as_millis()).unwrap_or(u64::MAX);
    let mut under_way = Vec::new();
    for incident in 0..plan.incidents {
        tokio::time::sleep(dice.millis(millis / 2, millis + millis / 2)).await;
        let first = usize::try_from(dice.below(injector.nodes.len() as u64)).unwrap_or(0);
        let injector = injector.clone();
        // One that waits for a leader does not hold up the next.
        under_way.push(tokio::spawn(async move { injector.inject(incident, first).await }));
    }
    for one in under_way {
        one.await.context("an injector panicked")??;
    }
    Ok(())
}

impl Injector {
    async fn inject(&self, incident: u64, first: usize) -> Result<()> {
        let identity = Identity { producer: format!("{}-{incident}", self.run), sequence: 1 };
        let batch = burst(incident, now());
        self.shared.ledger().sending(&batch);
        let sent_at = Instant::now();
        let mut last = String::new();
        for node in self.nodes.iter().cycle().skip(first) {
            ensure!(sent_at.elapsed() < TAKEN_WITHIN, "{} is not taken: {last}", Lane::of(incident).name);
            match node.ingest_as(&identity, &[], ChaosRecord::lines(&batch)).await {
                Ok(answer) => {
                    let acked_at = Instant::now();
                    last = format!("{} {}", answer.status, answer.text);
                    if let Judgement::Promised { .. } = self.shared.ledger().judge(&answer, &batch) {
                        let injected = Injected { title: title(&service(incident)), sent_at, acked_at };
                        self.injected.lock().unwrap_or_else(PoisonError::into_inner).push(injected);
                        return Ok(());
                    }
                }
                Err(error) => last = format!("{error:#}"),
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
        Ok(())
    }
}
