//! `insighthub bench ingest`: loads a node over keep-alive connections and checks that nothing is missing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use clap::Args;
use insighthub_model::Timestamp;
use insighthub_model::api::services::Aggregates;
use insighthub_model::clock::Clock;

use super::corpus::{CorpusPlan, requests_of, service_name};
use super::figures::Figures;
use super::loader::load;
use super::prepared::{BodyFormat, Encoding, PreparedRequest, RequestForm, head_lines, socket_address};
use super::server_process::ServerProcess;
use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::moment::parse_duration;
use crate::cli::terminal::{OutputFormat, Terminal, note, table};
use crate::system_clock::SystemClock;

/// A node is at rest when it used less than this share of a core over a pause.
const REST_SHARE: f64 = 0.05;
const REST_PAUSE: Duration = Duration::from_millis(500);
/// A node that is not at rest by then has something else to do.
const REST_WAIT_MAX: Duration = Duration::from_secs(60);

/// Load a node with generated records and count them afterwards.
///
/// All requests are made before the clock starts, so the generator's cost is not measured.
/// Prints the rate, the time to acknowledge, and what it cost the node when that runs on this
/// machine. Fails when the node does not hold exactly what it accepted.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub bench ingest
  insighthub bench ingest --records 5000000 --connections 4 --encoding zstd
  insighthub bench ingest --format json --batch 100 --services 40
  insighthub bench ingest --output ndjson >> figures.ndjson")]
pub(crate) struct IngestArgs {
    /// Records to send.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,

    /// Connections that load at the same time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    connections: u64,

    /// Records in one request.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    batch: u64,

    /// Form of a request's body.
    #[arg(long, value_enum, default_value = "ndjson")]
    format: BodyFormat,

    /// Compression of a request's body.
    #[arg(long, value_enum, default_value = "none")]
    encoding: Encoding,

    /// Services the records are spread over.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    services: u64,

    /// Timestamps are spread over this time before now.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    span: Duration,

    /// The same seed makes the same records.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// The node's process; found by its port when it runs on this machine.
    #[arg(long)]
    pid: Option<u32>,

    /// How the figures are printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    output: OutputFormat,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(super) async fn run(args: IngestArgs) -> Result<(), CliError> {
    let client = Client::new(&args.connection)?;
    let address = socket_address(&args.connection)?;
    let plan = plan(&args, SystemClock.now())?;
    let before = count(&client, &plan).await?;
    note(&format!("preparing {} records", plan.records));
    let prepared = prepare(&plan).await?;
    let process = find_process(&args, &address);
    let spent = || process.and_then(ServerProcess::processor_secs);

    let (spent_before, started) = (spent(), Instant::now());
    let mut figures = load_all(&address, prepared).await?;
    figures.elapsed = started.elapsed();
    figures.loading_secs = difference(spent_before, spent());
    figures.sent = plan.records;
    if let Some(process) = process {
        rest(process).await;
    }
    figures.resting_secs = difference(spent_before, spent());
    figures.peak_memory_mib = process.and_then(ServerProcess::peak_memory_mib);
    figures.counted = count(&client, &plan).await?.saturating_sub(before);
    print(&figures, args.output)?;
    if figures.add_up() {
        return Ok(());
    }
    let Figures { sent, accepted, rejected, counted, .. } = figures;
    Err(CliError::Check(format!(
        "the counts differ: {sent} sent, {accepted} accepted and {rejected} rejected as answered, {counted} counted in the node"
    )))
}

fn plan(args: &IngestArgs, now: Timestamp) -> Result<CorpusPlan, CliError> {
    let span_nanos = i64::try_from(args.span.as_nanos()).unwrap_or(i64::MAX);
    Ok(CorpusPlan {
        records: args.records,
        batch: args.batch,
        connections: args.connections,
        form: RequestForm {
            format: args.format,
            encoding: args.encoding,
            producer: run_name("bench", now),
            head_lines: head_lines(&args.connection)?,
        },
        services: args.services,
        seed: args.seed,
        from: Timestamp(now.0.saturating_sub(span_nanos)),
        to: now,
    })
}

/// Without the time in it, a second run would be taken for a retry of the first.
pub(super) fn run_name(kind: &str, now: Timestamp) -> String {
    format!("{kind}-{:x}-{:x}", now.0, std::process::id())
}

/// Makes the requests of each connection on a thread of its own.
async fn prepare(plan: &CorpusPlan) -> Result<Vec<Vec<PreparedRequest>>, CliError> {
    let threads = (0..plan.connections).map(|connection| {
        let plan = plan.clone();
        tokio::task::spawn_blocking(move || requests_of(&plan, connection))
    });
    let mut prepared = Vec::new();
    for made in futures::future::join_all(threads).await {
        prepared.push(made.map_err(|error| CliError::Runtime(error.into()))??);
    }
    Ok(prepared)
}

async fn load_all(address: &str, prepared: Vec<Vec<PreparedRequest>>) -> Result<Figures, CliError> {
    let mut figures = Figures::default();
    for request in prepared.iter().flatten() {
        figures.raw_bytes += request.raw_bytes;
        figures.wire_bytes += request.bytes.len() as u64;
    }
    let connections = prepared.iter().map(|requests| load(address, futures::stream::iter(requests)));
    for outcome in futures::future::try_join_all(connections).await? {
        figures.add(outcome);
    }
    Ok(figures)
}

/// The records of the benchmark's services in the plan's time, by the node's minute aggregates.
async fn count(client: &Client, plan: &CorpusPlan) -> Result<u64, CliError> {
    // Whole minutes around the span: a bucket belongs to the answer as a whole.
    let from = Timestamp::from_minute(plan.from.minute()).to_string();
    let to = Timestamp::from_minute(plan.to.minute() + 1).to_string();
    let answer: Aggregates = client.get("/api/aggregates", &[("from", from), ("to", to)]).await?;
    let mut by_service: HashMap<String, u64> = HashMap::new();
    for aggregate in answer.aggregates {
        *by_service.entry(aggregate.service).or_default() += aggregate.total_logs;
    }
    Ok((0..plan.services).filter_map(|number| by_service.get(&service_name(number))).sum())
}

fn find_process(args: &IngestArgs, address: &str) -> Option<ServerProcess> {
    let process = args.pid.map(|pid| ServerProcess { pid }).or_else(|| ServerProcess::behind(address));
    if process.is_none() {
        note(
            "the node's process is not found on this machine: its CPU and memory are not measured (see --pid)",
        );
    }
    process
}

/// Waits until the node has done what it put off while it was loaded.
pub(super) async fn rest(process: ServerProcess) {
    let started = Instant::now();
    let mut before = process.processor_secs().unwrap_or(0.0);
    while started.elapsed() < REST_WAIT_MAX {
        tokio::time::sleep(REST_PAUSE).await;
        let now = process.processor_secs().unwrap_or(0.0);
        if now - before < REST_SHARE * REST_PAUSE.as_secs_f64() {
            return;
        }
        before = now;
    }
}

pub(super) fn difference(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    Some(after? - before?)
}

fn print(figures: &Figures, output: OutputFormat) -> Result<(), CliError> {
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(output) {
        terminal.line(&figures.json().to_string())?;
        return terminal.flush();
    }
    for line in table(&figures.rows()) {
        terminal.line(&line)?;
    }
    terminal.flush()
}
