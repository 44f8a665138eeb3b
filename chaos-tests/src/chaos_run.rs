//! One run: a cluster, clients, a schedule of faults; then heal, wait, and reckon.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::alert_incidents::AlertIncidents;
use crate::checker::Findings;
use crate::cluster::Cluster;
use crate::cluster::node::Condition;
use crate::cluster::view::View;
use crate::nemesis::Nemesis;
use crate::nemesis::scenario::{Abilities, Scenario, Schedule};
use crate::run_options::RunOptions;
use crate::summary::{Count, Summary, Throughput};
use crate::verdict::Verdict;
use crate::workload::gaps::Quantiles;
use crate::workload::{Outcome, Workload};

/// I12: one leader for each partition so soon after the last fault.
const LEADERS_WITHIN: Duration = Duration::from_secs(5);
/// I12: equal replicas so soon after it.
const EQUAL_WITHIN: Duration = Duration::from_secs(30);
/// Past the bound the run goes on for so long, to tell slow from stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// I17: what is dead is reported dead, and what lives alive, so soon.
const WORD_WITHIN: Duration = Duration::from_secs(3);
/// A restarted debug node under load on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
const FLOWS_WITHIN: Duration = Duration::from_secs(20);
const LAST_BATCHES_WITHIN: Duration = Duration::from_secs(40);
/// Effects of a fault on clients that outlast it, such as an attempt that waits for its end.
const AFTERMATH: Duration = Duration::from_secs(1);

/// Runs it; an error means that it could not even be run.
pub async fn run(options: &RunOptions) -> Result<Summary> {
    let abilities = Nemesis::abilities();
    let cluster = Arc::new(Cluster::start(&options.cluster_options(abilities)).await?);
    let workload = Workload::start(&cluster, options.partitions, &options.workload, options.seed).await?;
    let alerts = match &options.alerts {
        Some(plan) => Some(AlertIncidents::start(workload.shared(), plan, options.seed).await?),
        None => None,
    };
    let mut run = Run {
        options,
        nemesis: Nemesis::new(Arc::clone(&cluster)),
        workload,
        alerts,
        cluster,
        findings: Findings::default(),
        leaders_after: Vec::new(),
        fault_gaps: Vec::new(),
        summary: Summary {
            scenario: options.scenario.name().to_owned(),
            seed: options.seed,
            nodes: options.nodes,
            partitions: options.partitions,
            ..Summary::default()
        },
    };
    let (started, terms_before) = (Instant::now(), terms(&run.cluster.views().await));
    let broken_off = match options.scenario {
        Scenario::OneDead => run.compare_throughput().await,
        _ => run.follow_schedule(abilities).await,
    };
    if let Err(error) = broken_off {
        run.findings.add("runs broken off", format!("{error:#}"));
    }
    run.heal().await?;
    let terms_after = terms(&run.cluster.views().await);
    run.summary.elections = terms_after.saturating_sub(terms_before);
    run.summary.seconds = started.elapsed().as_secs_f64();
    run.reckon(started).await
}

struct Run<'a> {
    options: &'a RunOptions,
    nemesis: Nemesis,
    workload: Workload,
    alerts: Option<AlertIncidents>,
    cluster: Arc<Cluster>,
    findings: Findings,
    leaders_after: Vec<Duration>,
    fault_gaps: Vec<Duration>,
    summary: Summary,
}

impl Run<'_> {
    async fn follow_schedule(&mut self, abilities: Abilities) -> Result<()> {
        let RunOptions { scenario, partitions, seed, length, .. } = *self.options;
        let mut schedule = Schedule::new(scenario, partitions, abilities, seed);
        let started = Instant::now();
        self.workload.flows(100, FLOWS_WITHIN).await.context("before the first fault")?;
        while self.goes_on(started.elapsed() < length) {
            let step = schedule.next_step();
            tokio::time::sleep(step.calm).await;
            let tally = &self.workload.shared().tally;
            tally.set_stormy(true);
            let begun = Instant::now();
            let strikes = self.nemesis.fire(&step.faults).await;
            for strike in strikes {
                for violation in &strike.violations {
                    self.findings.add("faults badly borne", format!("{}: {violation}", strike.kind));
                }
                self.summary.count(&strike);
                self.summary.strikes.push(strike);
            }
            self.recover().await?;
            tokio::time::sleep(AFTERMATH).await;
            if let Some(alerts) = &mut self.alerts {
                alerts.storm(begun, Instant::now());
            }
            let gaps = self.workload.shared().gaps().worst_between(begun, Instant::now());
            self.fault_gaps.extend(gaps.into_values());
            self.workload.shared().tally.set_stormy(false);
        }
        Ok(())
    }

    /// Where incidents are injected, until all are.
    fn goes_on(&self, is_in_time: bool) -> bool {
        self.alerts.as_ref().map_or(is_in_time, |alerts| !alerts.are_injected())
    }

    /// After the last fault: leaders, readiness and writes come back in time, or at all.
    async fn recover(&mut self) -> Result<()> {
        match self.cluster.wait_for_leaders(LEADERS_WITHIN).await {
            Ok(after) => self.leaders_after.push(after),
            Err(error) => {
                self.findings.add("leaders too late", format!("{error:#}"));
                let later = self.cluster.wait_for_leaders(STUCK_AFTER).await.context("no leaders at all")?;
                self.leaders_after.push(LEADERS_WITHIN + later);
            }
        }
        for node in self.cluster.nodes.iter().filter(|node| node.condition() == Condition::Up) {
            if let Err(error) = node.wait_until_ready(READY_WITHIN).await {
                self.findings.add("nodes not ready in time", format!("{}: {error:#}", node.name));
            }
        }
        for number in self.cluster.up() {
            if let Err(error) = self.cluster.wait_for_word_of(number, true, WORD_WITHIN).await {
                self.findings.add("living nodes reported dead", format!("{error:#}"));
            }
        }
        self.workload.flows(20, FLOWS_WITHIN).await.map(drop).context("writes do not go on after a fault")
    }

    /// Half of the time with all nodes, half of it with one dead.
    async fn compare_throughput(&mut self) -> Result<()> {
        let half = self.options.length / 2;
        self.workload.flows(100, FLOWS_WITHIN).await.context("before the first fault")?;
        let healthy_per_sec = self.rate(half).await;
        let victim = self.cluster.leader(0).await.context("partition 0 has no leader")?;
        let node = self.cluster.node(victim)?;
        let tally = &self.workload.shared().tally;
        tally.set_stormy(true);
        node.kill().await?;
        let word = self.cluster.wait_for_word_of(victim, false, WORD_WITHIN).await;
        let others = self.cluster.wait_for_leaders_without(victim, LEADERS_WITHIN).await;
        tokio::time::sleep(AFTERMATH).await;
        let not_whole = || {
            tally.reads_incomplete.load(Ordering::Relaxed) + tally.reads_unanswered.load(Ordering::Relaxed)
        };
        let (before, reads_before) = (not_whole(), tally.reads.load(Ordering::Relaxed));
        tally.set_stormy(false);
        let one_dead_per_sec = self.rate(half).await;
        tally.set_stormy(true);
        let (broken, reads) = (not_whole() - before, tally.reads.load(Ordering::Relaxed) - reads_before);
        if let Err(error) = others {
            self.findings.add("leaders too late", format!("{error:#}"));
        }
        if let Err(error) = word {
            self.findings.add("dead nodes reported alive", format!("{error:#}"));
        }
        if broken > 0 {
            self.findings.add("queries not whole with one node dead", format!("{broken} of {reads}"));
        }
        self.summary.throughput = Some(Throughput { healthy_per_sec, one_dead_per_sec });
        self.summary.faults.insert("node dead".to_owned(), Count { tried: 1, fired: 1 });
        node.launch().await?;
        self.recover().await
    }

    /// Records acknowledged per second over a time.
    async fn rate(&self, length: Duration) -> f64 {
        let (before, started) = (self.workload.acknowledged(), Instant::now());
        tokio::time::sleep(length).await;
        (self.workload.acknowledged() - before) as f64 / started.elapsed().as_secs_f64()
    }

    /// Whatever a fault that failed half-way left behind is taken back.
    async fn heal(&mut self) -> Result<()> {
        self.workload.shared().tally.set_stormy(true);
        self.cluster.links.heal();
        for node in &self.cluster.nodes {
            match node.condition() {
                Condition::Paused => node.resume().await?,
                Condition::Down => node.launch().await?,
                Condition::Up if node.ended().await?.is_some() => {
                    let output = node.last_output().await;
                    let last: Vec<&str> = output.lines().rev().take(5).collect();
                    self.findings.add("nodes that ended by themselves", format!("{}: {last:?}", node.name));
                    node.launch().await?;
                }
                Condition::Up | Condition::Absent => {}
            }
        }
        if let Err(error) = self.recover().await {
            self.findings.add("no recovery", format!("{error:#}"));
        }
        Ok(())
    }

    async fn reckon(self, started: Instant) -> Result<Summary> {
        let Run {
            options,
            workload,
            alerts,
            cluster,
            mut findings,
            leaders_after,
            fault_gaps,
            mut summary,
            ..
        } = self;
        if let Some(alerts) = alerts {
            summary.alerts = Some(alerts.finish(&mut findings).await);
        }
        let shared = Arc::clone(workload.shared());
        let outcome = match workload.finish(LAST_BATCHES_WITHIN).await {
            Ok(outcome) => outcome,
            Err(error) => {
                findings.add("clients that do not finish", format!("{error:#}"));
                Outcome { ledger: std::mem::take(&mut *shared.ledger()), followed: Vec::new() }
            }
        };
        match cluster.wait_for_equality(EQUAL_WITHIN).await {
            Ok(after) => summary.equal_after_ms = u64::try_from(after.as_millis()).ok(),
            Err(error) => findings.add("replicas not equal in time", format!("{error:#}")),
        }
        let verdict = Verdict::on(&cluster, &outcome).await;
        findings.join(verdict.findings);
        (summary.read_back, summary.error_lines) = (verdict.read_back, verdict.error_lines);
        let tally = &shared.tally;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        summary.reads = count(&tally.reads);
        summary.reads_incomplete = count(&tally.reads_incomplete);
        summary.reads_unanswered = count(&tally.reads_unanswered);
        summary.tail_resumes = count(&tally.tail_resumes);
        summary.tail_skipped = outcome.followed.iter().map(|followed| followed.skipped).sum();
        summary.calm_ok_rate = tally.calm_ok_rate();
        let ledger = &outcome.ledger;
        (summary.acknowledged, summary.rejected) = (ledger.acknowledged, ledger.rejected);
        (summary.retries, summary.duplicates) = (ledger.retries, ledger.duplicates);
        summary.gaps = shared.gaps().all();
        summary.longest_gap = shared
            .gaps()
            .longest()
            .map(|(end, partition, _)| (partition, end.saturating_duration_since(started).as_secs_f64()));
        summary.gaps_by_fault = Quantiles::of(fault_gaps);
        summary.leaders_after = Quantiles::of(leaders_after);
        summary.lost = findings.count("acknowledged but lost");
        summary.doubled = findings.count("stored more than once");
        summary.findings = findings.lines();
        summary.void = options.gates.trouble(&summary);
        if (options.keep_files || !summary.passed())
            && let Some(place) = cluster.keep_files()
        {
            println!("configuration and output of the nodes stay in {}", place.display());
        }
        Ok(summary)
    }
}

fn terms(views: &[View]) -> u64 {
    views.iter().map(View::terms).max().unwrap_or(0)
}
