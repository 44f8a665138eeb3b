//! `insighthub bench query`: asks a node eight questions about a known set, checks and times the answers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use insighthub_model::Timestamp;
use insighthub_model::api::cluster::Cluster;
use insighthub_model::clock::Clock;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{Answer, request};
use super::disk;
use super::expect::Expectations;
use super::feed::{Target, send_set};
use super::figures::Figures;
use super::ingest::rest;
use super::own_node::OwnNode;
use super::queries::{QUESTIONS, Question};
use super::query_figures::{Seen, comparison, rows, to_json};
use super::query_place::Place;
use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::demo::set::args::SetArgs;
use crate::cli::demo::set::{RecordSet, SetPlan, file};
use crate::cli::error::CliError;
use crate::cli::terminal::{Terminal, note, table};
use crate::system_clock::SystemClock;

/// Cold rounds: each question needs a start of the node of its own, so they are few.
const COLD_ROUNDS: usize = 3;

/// Ask a node eight questions about a set of logs, check the answers, and say how long they took.
///
/// The set is that of `insighthub demo --records`: a day of twelve services. It is in the node already,
/// or sent first with --load. The questions are a search for the last errors, counts per minute, a rare
/// phrase, a regular expression, quantiles, one trace, a substring, and a distinct count; each goes to
/// POST /api/query as text, in rounds, one question after the other. An answer that is not the expected
/// one is an error.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub bench query --spawn --records 1000000
      a node of its own, loaded, asked, and removed again
  insighthub demo --records 5000000 --seed 1 --file day.ndjson
  python3 node/benches/query_reference.py day.ndjson > expect.json
  insighthub bench query --data /data/bench --load --file day.ndjson --expect expect.json --json run1.json
      the same with a file, checked against answers that were computed elsewhere; the data is kept
  sudo insighthub bench query --data /data/bench --cold --expect expect.json --compare run1.json
      the kept data again, also with every cache empty; ratios against the earlier run
  insighthub bench query --url http://127.0.0.1:8000 --rounds 21
      a node that runs and holds the set")]
pub(crate) struct QueryBenchArgs {
    /// Start a node of its own on this data directory, made where it is missing; no other may run on it.
    #[arg(long, value_name = "DIR", conflicts_with = "spawn")]
    data: Option<PathBuf>,

    /// Start a node of its own in a directory that is removed at the end, and load the set into it.
    #[arg(long)]
    spawn: bool,

    /// Send the set first.
    #[arg(long)]
    load: bool,

    /// The set as a file of NDJSON, plain, .gz or .zst; sending it costs the machine less than making it.
    #[arg(long, value_name = "FILE", conflicts_with = "records")]
    file: Option<PathBuf>,

    /// The seed of the set.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "file")]
    seed: u64,

    /// Warm rounds; one more, not counted, comes before them.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: u16,

    /// Also ask with cold caches: before each question the node starts anew and, for root, the kernel
    /// forgets its files. Needs --data or --spawn.
    #[arg(long)]
    cold: bool,

    /// The right answers, as node/benches/query_reference.py writes them.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,

    /// Write all figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Print each figure as a ratio to that of an earlier run's --json.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,

    #[command(flatten)]
    set: SetArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The stretch of time every question is about.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: Timestamp,
    to: Timestamp,
}

pub(super) async fn run(args: QueryBenchArgs) -> Result<(), CliError> {
    check(&args)?;
    // What cannot be read should say so now, not after the set was loaded.
    let expectations = args.expect.as_deref().map(Expectations::read).transpose()?;
    let before = args.compare.as_deref().map(read_json).transpose()?;
    let plan = args.set.plan(args.set.records.unwrap_or(0), args.seed, SystemClock.now());
    let stretch = Stretch { from: plan.from(), to: plan.until };
    let mut place = Place::open(&args.connection, args.data.as_deref(), args.spawn).await?;
    let loaded = match args.load || args.spawn {
        true => Some(load(&args, &plan, &place).await?),
        false => None,
    };
    if let (Some(loaded), Some(expectations)) = (&loaded, &expectations)
        && loaded.sent != expectations.records
    {
        let (of, sent) = (expectations.records, loaded.sent);
        return Err(CliError::Argument(format!("--expect is of {of} records, the set has {sent}")));
    }
    let process = Target::of(place.connection())?.process();
    if let Some(process) = process {
        rest(process).await;
    }
    let mut seen = QUESTIONS.map(|question| (question, Seen::default()));
    let client = Client::new(place.connection())?;
    warm(&client, stretch, args.rounds.into(), expectations.as_ref(), &mut seen).await?;
    let peak_memory_mib = process.and_then(|process| process.peak_memory_mib());
    let storage = storage(&client, &place).await;
    if args.cold {
        place = cold(place, stretch, expectations.as_ref(), &mut seen).await?;
    }
    place.close().await?;
    let figures = json!({
        "set": { "records": loaded.as_ref().map(|figures| figures.accepted), "seed": args.seed, "from": stretch.from, "to": stretch.to },
        "ingest": loaded.as_ref().map(Figures::json),
        "storage": storage,
        "peak_memory_mib": peak_memory_mib,
        "queries": to_json(&seen),
    });
    print(&seen, loaded.as_ref(), &figures, before.as_ref())?;
    if let Some(path) = &args.json {
        std::fs::write(path, format!("{figures:#}\n"))?;
    }
    verdict(&seen)
}

fn check(args: &QueryBenchArgs) -> Result<(), CliError> {
    let loads = args.load || args.spawn;
    if loads && args.file.is_none() && args.set.records.is_none() {
        let what = "what is to be loaded? name it with --records N or --file FILE";
        return Err(CliError::Argument(what.to_owned()));
    }
    if args.cold && args.data.is_none() && !args.spawn {
        let what =
            "--cold starts the node anew for each question, so it must be its own: use --data or --spawn";
        return Err(CliError::Argument(what.to_owned()));
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Value, CliError> {
    let unusable = |cause: String| CliError::Argument(format!("{}: {cause}", path.display()));
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))
}

async fn load(args: &QueryBenchArgs, plan: &SetPlan, place: &Place) -> Result<Figures, CliError> {
    let target = Target::of(place.connection())?;
    note("loading the set");
    let mut figures = match &args.file {
        Some(path) => send_set(&target, file::lines(path)?).await?,
        None => {
            let mut set = RecordSet::new(plan).map_err(CliError::Argument)?;
            send_set(&target, move |text| Ok(set.next_line(text))).await?
        }
    };
    if figures.accepted != figures.sent {
        let Figures { sent, accepted, rejected, .. } = figures;
        return Err(CliError::Check(format!(
            "{sent} records sent, {accepted} accepted, {rejected} rejected"
        )));
    }
    // The answers below are what shows that they are there.
    figures.counted = figures.accepted;
    Ok(figures)
}

async fn ask(client: &Client, question: &Question, stretch: Stretch) -> Result<(Duration, Answer), CliError> {
    let body = request(question.text, stretch.from, stretch.to);
    let started = Instant::now();
    let text: Box<RawValue> = client.post("/api/query", &body).await?;
    let elapsed = started.elapsed();
    let unreadable = |cause| CliError::Unreadable { url: format!("/api/query ({})", question.name), cause };
    Ok((elapsed, Answer::parse(text.get()).map_err(unreadable)?))
}

/// Asks and keeps all but the time; the first wrong answer of a question stays.
async fn ask_and_check(
    client: &Client,
    question: &Question,
    stretch: Stretch,
    expectations: Option<&Expectations>,
    seen: &mut Seen,
) -> Result<Duration, CliError> {
    let (elapsed, answer) = ask(client, question, stretch).await?;
    (seen.rows, seen.first) = (answer.len(), answer.first());
    seen.scanned_records = answer.stats.scanned_records;
    seen.node_ms = answer.stats.elapsed_ms;
    let is_part = answer.coverage.partitions > 0 && !answer.coverage.complete;
    let verdict = match expectations {
        _ if is_part => Some(Err("the answer is incomplete: a partition did not answer".to_owned())),
        Some(expectations) => Some(expectations.check(question.name, &answer)),
        None => None,
    };
    if !matches!(seen.verdict, Some(Err(_))) {
        seen.verdict = verdict;
    }
    Ok(elapsed)
}

/// Rounds over all questions, so that a slow moment of the machine meets each of them alike.
async fn warm(
    client: &Client,
    stretch: Stretch,
    rounds: usize,
    expectations: Option<&Expectations>,
    seen: &mut [(Question, Seen)],
) -> Result<(), CliError> {
    for round in 0..=rounds {
        for (question, seen) in &mut *seen {
            let elapsed = ask_and_check(client, question, stretch, expectations, seen).await?;
            if round > 0 {
                seen.warm.push(elapsed);
            }
        }
    }
    Ok(())
}

/// Each question to a node that has just started and, for root, whose files are in no memory.
async fn cold(
    mut place: Place,
    stretch: Stretch,
    expectations: Option<&Expectations>,
    seen: &mut [(Question, Seen)],
) -> Result<Place, CliError> {
    let drops = disk::can_drop_page_cache();
    if !drops {
        note(
            "only root can drop the page cache: cold figures are those of a node just started, its files in memory",
        );
    }
    for _ in 0..COLD_ROUNDS {
        for (question, seen) in &mut *seen {
            // Started, then forgotten: what is measured is the question, not the start.
            place = place.restart().await?;
            if drops {
                disk::drop_page_cache().map_err(CliError::Runtime)?;
            }
            let client = Client::new(place.connection())?;
            // The connection is made before the clock starts, as it is for warm rounds.
            client.get::<Cluster>("/api/cluster", &[]).await.map(drop)?;
            let elapsed = ask_and_check(&client, question, stretch, expectations, seen).await?;
            seen.cold.push(elapsed);
        }
    }
    Ok(place)
}

/// Bytes of one replica of everything, and what is not in blocks yet; what cannot be known is null.
async fn storage(client: &Client, place: &Place) -> Value {
    let cluster = client.get::<Cluster>("/api/cluster", &[]).await.ok();
    let sum = |of: fn(&insighthub_model::api::cluster::Partition) -> u64| {
        cluster.as_ref().map(|cluster| cluster.partitions.iter().map(of).sum::<u64>())
    };
    json!({
        "block_bytes_per_replica": sum(|partition| partition.block_bytes),
        "blocks": sum(|partition| partition.blocks),
        "records": sum(|partition| partition.records),
        "records_not_in_blocks": sum(|partition| partition.head_records),
        "data_directory_bytes": place.own().map(OwnNode::data).map(disk::allocated_bytes),
    })
}

fn print(
    seen: &[(Question, Seen)],
    loaded: Option<&Figures>,
    figures: &Value,
    before: Option<&Value>,
) -> Result<(), CliError> {
    let mut terminal = Terminal::stdout();
    let mut lines = loaded.map(|figures| table(&figures.rows())).unwrap_or_default();
    let fact = |name: &str, value: &Value| vec![name.to_owned(), value.to_string()];
    let storage = figures.get("storage").and_then(Value::as_object);
    let mut facts: Vec<_> = storage.into_iter().flatten().map(|(name, value)| fact(name, value)).collect();
    facts.extend(figures.get("peak_memory_mib").map(|value| fact("peak_memory_mib", value)));
    lines.extend(table(&facts));
    lines.extend(table(&rows(seen)));
    lines.extend(before.map(|before| table(&comparison(before, figures))).unwrap_or_default());
    for line in lines {
        terminal.line(&crate::cli::terminal::neutralise(&line))?;
    }
    terminal.flush()
}

fn verdict(seen: &[(Question, Seen)]) -> Result<(), CliError> {
    let faults: Vec<String> = seen
        .iter()
        .filter_map(|(question, seen)| match &seen.verdict {
            Some(Err(fault)) => Some(format!("{}: {fault}", question.name)),
            _ => None,
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(CliError::Check(format!("wrong answers: {}", faults.join("; "))))
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
