//! `insighthub alerts silences`.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use insighthub_model::api::alerts::{ListedSilence, Silences};
use insighthub_model::clock::Clock;
use serde_json::json;

use crate::cli::asking::AnswerArgs;
use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::explore::{one_line, print_objects, print_table};
use crate::cli::moment::{Moment, parse_duration, parse_moment};
use crate::cli::terminal::{Terminal, note};
use crate::system_clock::SystemClock;

#[derive(Debug, Subcommand)]
pub(super) enum SilencesCommand {
    /// List silences and maintenance windows.
    List {
        #[command(flatten)]
        answer: AnswerArgs,
    },
    /// Tell nobody for a time; without --service and --rule, of nothing.
    Add {
        name: String,
        /// How long: 30m, 2h.
        #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
        length: Duration,
        /// When it begins; now where nothing is said.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment)]
        starts: Option<Moment>,
        /// A maintenance window comes again.
        #[arg(long, value_enum, value_name = "HOW", default_value = "never")]
        again: Again,
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        #[arg(long, value_name = "RULE")]
        rule: Option<String>,
        /// Shown to whoever looks for an alert.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// End a silence; what still fires is told.
    Remove {
        name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Again {
    Never,
    Daily,
    Weekly,
}

pub(super) async fn run(command: SilencesCommand) -> Result<(), CliError> {
    match command {
        SilencesCommand::List { answer } => list(answer).await,
        SilencesCommand::Add { name, length, starts, again, service, rule, reason, connection } => {
            let now = SystemClock.now();
            let starts_at = starts.map_or(now, |moment| moment.resolve(now));
            let again = match again {
                Again::Never => "never",
                Again::Daily => "daily",
                Again::Weekly => "weekly",
            };
            let body = json!({
                "matches": { "service": service, "rule": rule },
                "starts_at": starts_at,
                "ends_at": starts_at.plus_secs(length.as_secs()),
                "again": again,
                "reason": reason,
            });
            let client = Client::new(&connection)?;
            let path = client.path(&["api", "alerts", "silences", &name])?;
            let set: ListedSilence = client.put(&path, &body).await?;
            note(&format!("nobody is told until {}", set.silence.ends_at));
            Ok(())
        }
        SilencesCommand::Remove { name, connection } => {
            let client = Client::new(&connection)?;
            client.delete(&client.path(&["api", "alerts", "silences", &name])?).await?;
            note(&format!("the silence {name} has ended"));
            Ok(())
        }
    }
}

async fn list(answer: AnswerArgs) -> Result<(), CliError> {
    let client = Client::new(&answer.connection)?;
    let listed: Silences = client.get("/api/alerts/silences", &[]).await?;
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(answer.output) {
        return print_objects(&mut terminal, &listed.silences);
    }
    let row = |of: &ListedSilence| {
        let matches = &of.silence.matches;
        vec![
            of.name.clone(),
            if of.active { "active" } else { "" }.to_owned(),
            of.silence.starts_at.to_string(),
            of.silence.ends_at.to_string(),
            one_line(matches.service.as_deref().unwrap_or("*")),
            one_line(matches.rule.as_deref().unwrap_or("*")),
            one_line(&of.silence.reason),
        ]
    };
    let head = ["NAME", "", "STARTS", "ENDS", "SERVICE", "RULE", "REASON"];
    print_table(&mut terminal, &head, listed.silences.iter().map(row).collect())
}
