//! `insighthub score`: what the detectors of a node say of a file, without a node.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use insighthub_evaluation::{logs::Runner, plot, reports, reports::Reports, series_csv, table};

use super::error::CliError;
use super::record_reading::read_record;
use super::terminal::note;

/// Score a file of records or a series offline, or measure the detectors against labelled data.
///
/// The detectors are those of a node; time is the time in the file, nothing is read ahead. Files whose names end in
/// .gz are inflated.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub score --series cpu.csv --out scored.csv --plot cpu.svg
  insighthub score --logs app.ndjson --out records.csv --windows windows.csv --episodes episodes.csv
  insighthub score --logs app.ndjson --out records.csv --mask 'tenant=\\S+' --mask '[A-Z]{3}-[A-Z]{3}'
  insighthub score --evaluate ./data")]
#[command(group(ArgGroup::new("input").required(true).args(["series", "logs", "evaluate"])))]
#[command(group(ArgGroup::new("result").multiple(true).args(["out", "plot"])))]
pub struct ScoreArgs {
    /// A CSV of timestamp,value; writes timestamp,value,score,is_anomaly.
    #[arg(long, value_name = "FILE", requires = "result")]
    series: Option<PathBuf>,

    /// Records, one JSON object a line: timestamp, service, level, message, latency_ms.
    #[arg(long, value_name = "FILE", requires = "out")]
    logs: Option<PathBuf>,

    /// Where the scores go: of the series' values, or of the records.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Where a picture of the series goes: values, the band they are due in, surprise, episodes. SVG.
    #[arg(long, value_name = "FILE", requires = "series")]
    plot: Option<PathBuf>,

    /// Where the scores of windows go, one every ten seconds and service.
    #[arg(long, value_name = "FILE", requires = "logs")]
    windows: Option<PathBuf>,

    /// Where the episodes go, one line per incident.
    #[arg(long, value_name = "FILE", requires = "logs")]
    episodes: Option<PathBuf>,

    /// A regular expression whose matches are variable parts of messages; may be given again.
    #[arg(long = "mask", value_name = "REGEX", requires = "logs")]
    masks: Vec<String>,

    /// A folder with nab, synthetic, mscloud, loghub, asd or hdfs: prints what is measured on them.
    #[arg(long, value_name = "DIR")]
    evaluate: Option<PathBuf>,
}

pub(super) fn run(args: &ScoreArgs) -> Result<(), CliError> {
    if let Some(folder) = &args.evaluate {
        let rows = table::measure(folder, &read_record).map_err(|error| unreadable(folder, &error))?;
        std::io::stdout().write_all(table::text(&rows).as_bytes())?;
    } else if let Some(series) = &args.series {
        score_series(series, args)?;
    } else if let Some(logs) = &args.logs {
        score_logs(logs, args)?;
    } else {
        return Err(CliError::Argument("name what to score: --series, --logs or --evaluate".to_owned()));
    }
    Ok(())
}

fn score_series(series: &Path, args: &ScoreArgs) -> Result<(), CliError> {
    let samples = series_csv::read(series).map_err(|error| CliError::Argument(error.to_string()))?;
    if args.out.is_some() {
        reports::series(&samples, create(args.out.as_deref())?)?;
    }
    if args.plot.is_some() {
        let title = series.file_name().unwrap_or_default().to_string_lossy();
        plot::series(&samples, &title, create(args.plot.as_deref())?)?;
    }
    Ok(())
}

fn score_logs(logs: &Path, args: &ScoreArgs) -> Result<(), CliError> {
    let lines = series_csv::lines(logs).map_err(|error| CliError::Argument(error.to_string()))?;
    let (records, windows, episodes) =
        (create(args.out.as_deref())?, create(args.windows.as_deref())?, create(args.episodes.as_deref())?);
    let mut runner =
        Runner::new(&read_record, &args.masks).map_err(|error| CliError::Argument(error.to_string()))?;
    let mut reports = Reports::new(records, windows, episodes)?;
    let progress = |records: u64| note(&format!("{records} records"));
    let records = runner.run(lines, &mut reports, progress).map_err(|error| unreadable(logs, &error))?;
    reports.finish()?;
    note(&format!("{records} records scored"));
    Ok(())
}

/// A file to write, or nowhere.
fn create(path: Option<&Path>) -> Result<Box<dyn Write>, CliError> {
    let Some(path) = path else { return Ok(Box::new(std::io::sink())) };
    let file = File::create(path)
        .map_err(|error| CliError::Argument(format!("cannot write {}: {error}", path.display())))?;
    Ok(Box::new(BufWriter::new(file)))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::Argument(format!("{}: {error}", path.display()))
}
