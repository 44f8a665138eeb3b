//! `insighthub audit`: what people did to the cluster.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use insighthub_model::api::audit::{Audit, AuditEntry, verify};

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::explore::{print_objects, print_table};
use super::terminal::{OutputFormat, Terminal, note};

/// See what people did to the cluster, keep a copy, and check a copy.
///
/// Each entry's hash covers the one before: a copy from which something was taken or in which something was changed does not
/// hold together. Needs an admin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub audit list
  insighthub audit list --by eve --action token.create
  insighthub audit export > audit.ndjson
  insighthub audit verify audit.ndjson")]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Show the newest entries.
    List {
        /// Only what this user did.
        #[arg(long, value_name = "USER")]
        by: Option<String>,
        /// Only this, as token.create.
        #[arg(long, value_name = "ACTION")]
        action: Option<String>,
        /// How many to show.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// How entries are printed.
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        output: OutputFormat,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Print every entry that is kept, one JSON object a line, oldest first.
    Export {
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Check that an export holds together.
    Verify {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(crate) async fn run(args: AuditArgs) -> Result<(), CliError> {
    match args.command {
        AuditCommand::List { by, action, limit, output, connection } => {
            let mut parameters = vec![("limit", limit.to_string())];
            parameters.extend(by.map(|by| ("user", by)));
            parameters.extend(action.map(|action| ("action", action)));
            let answer: Audit = Client::new(&connection)?.get("/api/audit", &parameters).await?;
            let mut terminal = Terminal::stdout();
            if !terminal.shows_text(output) {
                return print_objects(&mut terminal, &answer.entries);
            }
            let head = ["NUMBER", "AT", "NODE", "USER", "ACTION", "TARGET", "DETAIL", "OUTCOME"];
            print_table(&mut terminal, &head, answer.entries.iter().map(row).collect())
        }
        AuditCommand::Export { connection } => export(&Client::new(&connection)?).await,
        AuditCommand::Verify { file } => {
            let entries = read(&file)?;
            verify(&entries)
                .map_err(|tampered| CliError::Check(format!("{}: {tampered}", file.display())))?;
            let numbers = entries.first().zip(entries.last());
            note(&match numbers {
                None => "There is no entry.".to_owned(),
                Some((first, last)) => format!("Entries {} to {} hold together.", first.number, last.number),
            });
            Ok(())
        }
    }
}

fn row(entry: &AuditEntry) -> Vec<String> {
    vec![
        entry.number.to_string(),
        entry.at.to_string(),
        entry.node.clone(),
        entry.user.clone(),
        entry.action.clone(),
        entry.target.clone(),
        entry.detail.clone(),
        entry.outcome.name().to_owned(),
    ]
}

/// Checks as it goes: what a node has changed is not passed on in silence.
async fn export(client: &Client) -> Result<(), CliError> {
    let mut terminal = Terminal::stdout();
    let (mut next, mut last) = (Some(0), None::<AuditEntry>);
    while let Some(from) = next {
        let page: Audit = client.get("/api/audit", &[("from", from.to_string())]).await?;
        let chain: Vec<AuditEntry> = last.into_iter().chain(page.entries.iter().cloned()).collect();
        verify(&chain).map_err(|tampered| CliError::Check(format!("{tampered}; it is not printed")))?;
        print_objects(&mut terminal, &page.entries)?;
        (next, last) = (page.next, chain.into_iter().next_back());
    }
    Ok(())
}

fn read(path: &PathBuf) -> Result<Vec<AuditEntry>, CliError> {
    let problem = |reason: String| CliError::Check(format!("{}: {reason}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| problem(error.to_string()))?;
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| problem(error.to_string()))?;
        let entry = serde_json::from_str(&line)
            .map_err(|error| problem(format!("line {number} is no entry of the trail: {error}")))?;
        entries.push(entry);
    }
    Ok(entries)
}
