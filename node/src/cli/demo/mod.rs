//! `insighthub demo`: sends the traffic of an invented shop, so that every screen has something to show.

#[cfg(test)]
mod alerting_tests;
mod deploys;
#[cfg(test)]
mod detection_tests;
mod incident;
mod nightly;
mod record;
mod request;
mod sender;
pub(crate) mod set;
mod shop;
mod stack_trace;
mod traffic;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use insighthub_model::Timestamp;
use insighthub_model::clock::Clock;

use self::incident::args::IncidentArgs;
use self::sender::Sender;
use self::set::args::SetArgs;
use self::set::file::{Written, write_lines_to};
use self::set::{RecordSet, SetPlan};
use self::traffic::Traffic;
use super::bench::{Target, send_set};
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

/// Send realistic traffic: a web shop of seven services.
///
/// Traces cross services, latencies are log-normal, and the shop has its day: most visitors in the afternoon,
/// deploys in working hours, a run of reports every night at two (UTC). Now and then something goes wrong for some
/// minutes: the first time three to five minutes after the start, then about twice an hour; in the past, every few
/// hours. With --incident you say what and when. The detectors know a service after a day: begin with --backfill 48h.
/// Its records have the rate of the live ones, as a jump of the rate would be an incident by itself.
///
/// With --records it makes a set of exactly so many records instead: one day of twelve services, the
/// same bytes for the same seed. It goes to the node as fast as that takes it, or with --file to a file.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("span").args(["records", "backfill"])))]
#[command(group(ArgGroup::new("closed").args(["records", "file"]).multiple(true)))]
#[command(mut_arg("until", |until| until.requires("closed")))]
#[command(after_long_help = "Examples:
  insighthub demo                              40 records a second until Ctrl-C
  insighthub demo --rate 10 --backfill 48h     fill the last two days first: the detectors are warm, then live
  insighthub demo --rate 500 --duration 10m --no-incidents
  insighthub demo --backfill 48h --incident latency-spike@+2m,silence@+20m      what goes wrong, and when
  insighthub demo --seed 7 --duration 1m       the same shop each time
  insighthub demo --backfill 7d --rate 2 --file week.ndjson.gz --until 2026-01-31 --incident error-burst@-1h
                                               a week for `insighthub score`, an incident in its last hour
  insighthub demo --records 1000000            send a day of a million records, over 4 connections
  insighthub demo --records 5000000 --seed 1 --file day.ndjson      write it instead; also .gz and .zst
  insighthub demo --records 1000 --file - | jq .message
  insighthub demo --records 100000 --until now the day that ends now
  insighthub demo --url http://127.0.0.1:8000,http://127.0.0.1:8001   goes on when a node dies")]
pub struct DemoArgs {
    /// Records per second, on average over a day.
    #[arg(long, value_name = "N", default_value_t = 40.0, value_parser = parse_rate, conflicts_with = "records")]
    rate: f64,

    /// Stop after this time; without it the demo runs until Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "closed")]
    duration: Option<Duration>,

    /// First send the traffic of this much time before now, as fast as the node takes it; with --file all there is.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    backfill: Option<Duration>,

    /// The same seed tells the same story [default: 1 for a set or file, else another each time].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Write the set, or the traffic of --backfill, as NDJSON to this file instead of sending it; compressed where
    /// it ends in .gz or .zst; `-` is stdout.
    #[arg(long, value_name = "FILE", requires = "span")]
    file: Option<PathBuf>,

    #[command(flatten)]
    incidents: IncidentArgs,

    #[command(flatten)]
    set: SetArgs,

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
    if let Some(records) = args.set.records {
        let plan = args.set.plan(records, args.seed.unwrap_or(1), started);
        return whole_set(&args, &plan).await;
    }
    if let Some(path) = &args.file {
        return traffic_file(&args, path, started);
    }
    // The time makes a good seed: two demos started one after the other differ.
    let mut traffic = traffic(&args, args.seed.unwrap_or(started.0.unsigned_abs()), started)?;
    let mut sender = Sender::new(Client::new(&args.connection)?, started);
    let end = args.duration.map(|length| plus(started, length));
    tokio::select! {
        outcome = play(&clock, &mut traffic, &mut sender, end) => outcome?,
        stopped = tokio::signal::ctrl_c() => stopped.map_err(CliError::Runtime)?,
    }
    note(&sender.progress(""));
    Ok(())
}

/// Traffic that begins as long before `now` as the backfill says.
fn traffic(args: &DemoArgs, seed: u64, now: Timestamp) -> Result<Traffic, CliError> {
    let start = Timestamp(now.0.saturating_sub(nanos(args.backfill.unwrap_or_default())));
    let incidents = args.incidents.incidents(seed, start, now)?;
    Ok(Traffic::new(seed, args.rate, start, incidents))
}

/// Writes the traffic up to the end that was asked for.
fn traffic_file(args: &DemoArgs, path: &Path, now: Timestamp) -> Result<(), CliError> {
    let started = Instant::now();
    let end = args.set.until.map_or(now, |until| until.resolve(now));
    let mut traffic = traffic(args, args.seed.unwrap_or(1), end)?;
    let Written { records, bytes } = write_lines_to(path, |text| traffic.next_line(end, text))?;
    note(&format!(
        "{records} records written, {bytes} bytes, {:.1} s; up to {end}",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Writes or sends a set and says how large it was.
async fn whole_set(args: &DemoArgs, plan: &SetPlan) -> Result<(), CliError> {
    let started = Instant::now();
    let sentence = |verb: &str, records: u64, bytes: u64| {
        let (secs, mean) = (started.elapsed().as_secs_f64(), bytes as f64 / records.max(1) as f64);
        format!(
            "{records} records {verb}, {bytes} bytes, {mean:.1} a record, {secs:.1} s; from {} to {}",
            plan.from(),
            plan.until
        )
    };
    if let Some(path) = &args.file {
        let written = set::file::write(plan, path)?;
        note(&sentence("written", written.records, written.bytes));
        return Ok(());
    }
    let mut records = RecordSet::new(plan).map_err(CliError::Argument)?;
    let target = Target::of(&args.connection)?;
    let sent = send_set(&target, move |text| Ok(records.next_line(text))).await?;
    note(&sentence("sent", sent.accepted, sent.raw_bytes));
    if sent.accepted == plan.records {
        return Ok(());
    }
    Err(CliError::Check(format!("{} of {} records were rejected", sent.rejected, plan.records)))
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
            let Some(last) = batch.last() else { break };
            sender.send(&batch).await?;
            if clock.now() >= next_progress {
                let past = Timestamp::from_millis(last.timestamp.millis());
                let is_past = plus(past, PROGRESS) < now;
                let news = if is_past { format!("; filling in {past}") } else { traffic.news(now) };
                note(&sender.progress(&news));
                next_progress = plus(clock.now(), PROGRESS);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: DemoArgs,
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for (words, complaint) in [
            (&["--file", "x.ndjson"][..], "--records"),
            (&["--file", "x.ndjson", "--backfill", "1h", "--duration", "1m"], "--duration"),
            (&["--until", "now"], "--file"),
            (&["--no-incidents", "--incident", "silence@now"], "--incident"),
            (&["--records", "10", "--no-incidents"], "--no-incidents"),
            (&["--records", "10", "--rate", "5"], "--rate"),
            (&["--records", "10", "--duration", "1m"], "--duration"),
            (&["--records", "10", "--backfill", "1h"], "--backfill"),
            (&["--records", "0"], "1..=1000000000"),
            (&["--records", "10", "--until", "soon"], "is no time"),
        ] {
            let error = Line::try_parse_from(["demo"].iter().chain(words)).unwrap_err().to_string();
            assert!(error.contains(complaint), "{words:?}: {error}");
        }
    }

    #[test]
    fn a_set_is_the_same_in_every_kind_of_file() {
        use std::io::Read;
        let args = Line::parse_from(["demo", "--records", "2500", "--until", "2026-02-01"]).args;
        let plan = args.set.plan(2_500, 1, Timestamp(0));
        let directory = tempfile::tempdir().unwrap();
        let bytes_of = |name: &str| {
            let path = directory.path().join(name);
            let written = set::file::write(&plan, &path).unwrap();
            (written, std::fs::read(path).unwrap())
        };
        let (written, plain) = bytes_of("day.ndjson");
        assert_eq!((written.records, written.bytes), (2_500, plain.len() as u64));
        let (_, zstd) = bytes_of("day.ndjson.zst");
        assert_eq!(zstd::decode_all(&zstd[..]).unwrap(), plain);
        let (_, gzip) = bytes_of("day.ndjson.gz");
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        assert!(zstd.len() * 3 < plain.len() && gzip.len() * 3 < plain.len());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let plan = SetPlan { records: 1, seed: 1, until: Timestamp(0) };
        let error = set::file::write(&plan, "/no/such/directory/x".as_ref()).unwrap_err().to_string();
        assert!(error.contains("/no/such/directory/x"), "{error}");
    }
}
