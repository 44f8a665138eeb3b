//! `simulate`: runs seeds on every processor and prints what they came to.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use insighthub_simulation::{Kind, Mutation, Outcome, RunOptions, run_seed};

/// Runs simulated clusters with faults by seed.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Break this on purpose and stop at the first seed that notices.
    #[arg(long, value_enum, default_value_t)]
    mutation: Mutation,
    /// Print every event.
    #[arg(long)]
    trace: bool,
    /// Run each seed twice and compare the traces.
    #[arg(long)]
    twice: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.trace {
        let log =
            tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env());
        log.with_writer(std::io::stdout).without_time().init();
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let started = Instant::now();
    let next = AtomicU64::new(arguments.first);
    let end = AtomicU64::new(arguments.first + arguments.seeds);
    let outcomes = Mutex::new(Vec::new());
    let threads = if arguments.trace { 1 } else { std::thread::available_parallelism()?.get() };
    let options = RunOptions { mutation: arguments.mutation, prints: arguments.trace };
    std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let mut outcome = run_seed(seed, options)?;
                if arguments.twice && run_seed(seed, options)?.trace_hash != outcome.trace_hash {
                    outcome.violations.push("the same seed gave another trace".into());
                }
                for violation in &outcome.violations {
                    println!("seed {seed}: {violation}");
                }
                if arguments.mutation != Mutation::None && !outcome.violations.is_empty() {
                    end.store(0, Ordering::Relaxed);
                }
                outcomes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(outcome);
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a worker panicked")))
        })
    })?;
    let outcomes = outcomes.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    summary(&outcomes, started.elapsed().as_secs_f64());
    let violated = outcomes.iter().filter(|outcome| !outcome.violations.is_empty()).count();
    match (arguments.mutation, violated) {
        (Mutation::None, 0) => Ok(()),
        (Mutation::None, _) => anyhow::bail!("{violated} seeds found violations"),
        (_, 0) => anyhow::bail!("nobody noticed {:?}", arguments.mutation),
        (_, _) => Ok(()),
    }
}

fn summary(outcomes: &[Outcome], seconds: f64) {
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    let mut faults: BTreeMap<Kind, u64> = BTreeMap::new();
    for (kind, count) in outcomes.iter().flat_map(|outcome| &outcome.faults) {
        *faults.entry(*kind).or_default() += count;
    }
    let simulated: f64 = outcomes.iter().map(|outcome| outcome.simulated.as_secs_f64()).sum();
    println!("seeds        {} in {seconds:.1} s, {simulated:.0} simulated s", outcomes.len());
    println!(
        "acknowledged {} records, {} batches retried, {} answered as duplicates, {} records of others left out",
        sum(|outcome| outcome.counts.acknowledged),
        sum(|outcome| outcome.counts.retried),
        sum(|outcome| outcome.counts.duplicates),
        sum(|outcome| outcome.counts.known)
    );
    println!(
        "reads        {}, of which {} said that they may be incomplete",
        sum(|outcome| outcome.counts.reads),
        sum(|outcome| outcome.counts.uncertain_reads)
    );
    println!(
        "groups       {} elections, {} seals, {} merged blocks, {} deletions, {} control changes, {} committed entries compared",
        sum(|outcome| outcome.counts.elections),
        sum(|outcome| outcome.counts.seals),
        sum(|outcome| outcome.counts.merged_blocks),
        sum(|outcome| outcome.counts.deletions),
        sum(|outcome| outcome.counts.control_changes),
        sum(|outcome| outcome.counts.entries_compared)
    );
    println!("faults       {faults:?}, {} logs failed", sum(|outcome| outcome.failed_logs));
    let violated: Vec<u64> = outcomes
        .iter()
        .filter(|outcome| !outcome.violations.is_empty())
        .map(|outcome| outcome.seed)
        .collect();
    println!("violations   {} seeds {violated:?}", violated.len());
}
