//! `insighthub import`: files into the cluster, each record once, however often the import is interrupted.

mod checkpoint;
mod plan;
mod progress;
mod reading;
mod sending;
mod summary;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use clap::Args;
use glob::Pattern;
use insighthub_model::clock::Clock;
use serde::Serialize;

use self::checkpoint::{Ledger, Start};
use self::plan::Planned;
use self::progress::Progress;
use self::reading::Reading;
use self::sending::Sending;
use self::summary::Summary;
use super::asking::AnswerArgs;
use super::client::Client;
use super::error::CliError;
use super::files::delivery::Patience;
use super::files::form::FormArg;
use super::files::shaping::Shaper;
use super::files::shaping_args::ShapingArgs;
use super::moment::parse_duration;
use super::terminal::{Terminal, note};
use crate::system_clock::SystemClock;

/// Batches read ahead of those under way.
const READ_AHEAD: usize = 4;

/// Send files of logs to the cluster.
///
/// Reads one JSON object a line, JSON arrays, CSV and plain text, as they are or compressed with gzip or zstd. A record
/// is stored once: an import that was interrupted goes on where it was when the same command is given again, and what
/// was imported is not imported again.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub import app.log                                      JSON lines, to the node on this machine
  insighthub import /var/log/archive --include '*.gz' --service checkout
  insighthub import orders.csv --service orders --timestamp-field at --message-field what --set region=eu
  insighthub import access.log --pattern combined --service web
  insighthub import app.log --service api --start-pattern '^\\d{4}-' --timestamp-format '%F %T,%f' \\
      --pattern '^(?P<timestamp>\\S+ \\S+) (?P<level>\\w+) (?P<message>(?s:.*))$'
  kubectl logs deploy/api | insighthub import - --service api")]
pub struct ImportArgs {
    /// Files and folders; - is what comes in.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// Of folders only files whose name, or way from the folder, is of this form; may be repeated.
    #[arg(long, value_name = "GLOB", value_parser = parse_glob)]
    include: Vec<Pattern>,

    /// What files hold.
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    format: FormArg,

    /// What stands between the cells of CSV; `\t` is a tab. Found by the first line if not given.
    #[arg(long, value_name = "CHARACTER", value_parser = parse_delimiter)]
    delimiter: Option<u8>,

    /// The service of records that do not name theirs.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,

    #[command(flatten)]
    shaping: ShapingArgs,

    /// Where is kept how far the import has come; a file in ~/.local/state/insighthub if not given.
    #[arg(long, value_name = "FILE", help_heading = "Going on")]
    checkpoint: Option<PathBuf>,

    /// Import everything anew, whatever was imported before.
    #[arg(long, help_heading = "Going on")]
    again: bool,

    /// Give up when no node has taken anything for so long.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10m", help_heading = "Going on")]
    patience: Duration,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// What a program reads.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    files: usize,
    checkpoint: String,
}

fn parse_glob(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|error| error.to_string())
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("\\t" | "tab", _) => Ok(b'\t'),
        (_, [one]) => Ok(*one),
        _ => Err(format!("{text:?} is not one ASCII character")),
    }
}

impl ImportArgs {
    /// With a pattern lines are text, whatever the first of them looks like.
    fn form(&self) -> FormArg {
        let says_text = self.format == FormArg::Auto && self.shaping.speaks_of_text();
        if says_text { FormArg::Text } else { self.format }
    }
}

pub(crate) async fn run(args: ImportArgs) -> Result<(), CliError> {
    let client = Client::new(&args.answer.connection)?;
    let rules = args.shaping.rules(args.service.clone())?;
    let options = rules.fingerprint(&format!("{:?} {:?}", args.form(), args.delimiter));
    let path = args.checkpoint.clone();
    let path = path.unwrap_or_else(|| checkpoint::default_path(&args.paths, &args.answer.connection.url));
    let (mut ledger, start) =
        Ledger::open(path, &options, plan::find(&args.paths, &args.include)?, args.again)?;
    greet(start, &ledger);
    let left = ledger.plan.iter().skip(ledger.checkpoint.file);
    let (files, total) = (left.clone().count(), left.map(|file| file.bytes).sum());
    let read = Arc::new(AtomicU64::new(0));
    let mut progress = Progress::new(total, Arc::clone(&read));
    let reading = Reading {
        plan: ledger.plan.clone(),
        form: args.form(),
        delimiter: args.delimiter,
        shaper: Shaper::new(rules, SystemClock.now()),
        sequence: ledger.checkpoint.sequence,
        file: ledger.checkpoint.file,
        place: ledger.checkpoint.place,
        read,
    };
    let (sender, batches) = tokio::sync::mpsc::channel(READ_AHEAD);
    // A thread that nobody waits for: it may hang on a pipe when all else is over.
    std::thread::spawn(move || reading.run(&sender));
    let patience = Patience::For(args.patience);
    let sent = Sending { client: &client, patience, ledger: &mut ledger, progress: &mut progress }
        .run(batches)
        .await;
    progress.clear();
    if sent.is_err() {
        note("the import is interrupted: the same command goes on where it was");
    }
    sent?;
    finish(&args, &ledger, files, &progress)
}

fn greet(start: Start, ledger: &Ledger) {
    match start {
        Start::New => {}
        Start::GoesOn => {
            let Ledger { checkpoint, plan, .. } = ledger;
            let (file, count) = (checkpoint.file + 1, plan.len());
            note(&format!("going on at line {} of file {file} of {count}", checkpoint.place.line + 1));
        }
        Start::After { new, changed } => {
            note(&format!(
                "imported before, see {}; {new} files are new or were not read to the end",
                ledger.path().display()
            ));
            if changed > 0 {
                note(&format!(
                    "{changed} files have changed since and are left alone: --again imports all anew"
                ));
            }
        }
    }
}

fn finish(args: &ImportArgs, ledger: &Ledger, files: usize, progress: &Progress) -> Result<(), CliError> {
    let summary = &ledger.checkpoint.summary;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(args.answer.output) {
        for line in summary.sentences() {
            terminal.line(&super::terminal::neutralise(&line))?;
        }
        let bytes = ledger.plan.iter().map(|file: &Planned| file.bytes).sum();
        let secs = progress.elapsed().as_secs_f64();
        terminal.line(&format!("{files} files, {} in all, {secs:.1} s", progress::bytes(bytes)))?;
    } else {
        let checkpoint = ledger.path().display().to_string();
        let answer = serde_json::to_string(&Answer { summary, files, checkpoint });
        terminal.line(&answer.map_err(|error| CliError::Check(error.to_string()))?)?;
    }
    terminal.flush()?;
    match (summary.rejected, summary.unreadable.len()) {
        (0, 0) => Ok(()),
        (rejected, 0) => Err(CliError::Check(format!("{rejected} records were rejected"))),
        (rejected, unreadable) => Err(CliError::Check(format!(
            "{rejected} records were rejected, {unreadable} files were not read to the end"
        ))),
    }
}
