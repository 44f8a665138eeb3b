//! `insighthub demo`: sends the traffic of an invented shop, so that every screen has something to show.

mod incident;
mod record;
mod request;
mod sender;
mod shop;
mod stack_trace;
mod traffic;

use std::time::Duration;

use clap::Args;
use insighthub_model::Timestamp;
use insighthub_model::clock::Clock;

use self::sender::Sender;
use self::traffic::Traffic;
use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::moment::parse_duration;
use super::terminal::note;
use crate::system_clock::SystemClock;

/// Records leave in batches this often: the screen moves smoothly and a batch is worth its request.
const TICK: Duration = Duration::from_millis(250);
/// How often a line of progress is printed.
const PROGRESS: Duration = Duration::from_secs(5);
/// A batch is cut at this many records, for when the past is filled in.
const BATCH_RECORDS_MAX: usize = 2_000;

/// Send realistic traffic: a web shop of six services.
///
/// Traces cross services, latencies are log-normal and follow the day, deploys are announced, and
/// every two minutes or so something goes wrong for 30 to 60 seconds: Stripe times out, a database
/// pool runs dry, queries turn slow, or a service falls silent.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub demo                              40 records a second until Ctrl-C
  insighthub demo --rate 500 --duration 10m
  insighthub demo --backfill 6h                fill the last six hours first
  insighthub demo --seed 7 --duration 1m       the same shop each time
  insighthub demo --url http://127.0.0.1:8000,http://127.0.0.1:8001   goes on when a node dies")]
pub struct DemoArgs {
    /// Records per second, on average over a day.
    #[arg(long, value_name = "N", default_value_t = 40.0, value_parser = parse_rate)]
    rate: f64,

    /// Stop after this time; without it the demo runs until Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,

    /// First send the traffic of this much time before now, as fast as the node takes it.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    backfill: Duration,

    /// The same seed tells the same story.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    // Above this the generator, not the node, would be what is measured: that is `bench ingest`.
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=20_000.0).contains(rate));
    rate.ok_or_else(|| format!("{text:?} is no rate: use 0.1 to 20000 records per second"))
}

pub(crate) async fn run(args: DemoArgs) -> Result<(), CliError> {
    let clock = SystemClock;
    let started = clock.now();
    // The time makes a good seed: two demos started one after the other differ.
    let seed = args.seed.unwrap_or(started.0.unsigned_abs());
    let mut sender = Sender::new(Client::new(&args.connection)?, started);
    let end = args.duration.map(|length| plus(started, length));
    let first = Timestamp(started.0.saturating_sub(nanos(args.backfill)));
    let mut traffic = Traffic::new(seed, args.rate, first);
    tokio::select! {
        outcome = play(&clock, &mut traffic, &mut sender, end) => outcome?,
        stopped = tokio::signal::ctrl_c() => stopped.map_err(CliError::Runtime)?,
    }
    note(&sender.progress(""));
    Ok(())
}

async fn play(
    clock: &dyn Clock,
    traffic: &mut Traffic,
    sender: &mut Sender,
    end: Option<Timestamp>,
) -> Result<(), CliError> {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut next_progress = clock.now();
    loop {
        tick.tick().await;
        let now = clock.now();
        let until = end.map_or(now, |end| end.min(now));
        loop {
            let batch = traffic.take_until(until, BATCH_RECORDS_MAX);
            if batch.is_empty() {
                break;
            }
            sender.send(&batch).await?;
        }
        if now >= next_progress {
            note(&sender.progress(&traffic.news(now)));
            next_progress = plus(now, PROGRESS);
        }
        if end.is_some_and(|end| now >= end) {
            return Ok(());
        }
    }
}

fn nanos(length: Duration) -> i64 {
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)
}

fn plus(moment: Timestamp, length: Duration) -> Timestamp {
    Timestamp(moment.0.saturating_add(nanos(length)))
}
