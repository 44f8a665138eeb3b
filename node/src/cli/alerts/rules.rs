//! `insighthub alerts rules`.

use clap::Subcommand;
use insighthub_model::alerts::shown_number;
use insighthub_model::api::alerts::{ListedRule, Preview, PreviewFiring, Rules};
use insighthub_model::clock::Clock;
use serde_json::json;

use super::json_of;
use crate::cli::asking::{AnswerArgs, RangeArgs};
use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::explore::{one_line, print_objects, print_table};
use crate::cli::terminal::{Terminal, neutralise, note};
use crate::system_clock::SystemClock;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List the rules, and what of them fires.
    List {
        #[command(flatten)]
        answer: AnswerArgs,
    },
    /// Print a rule as JSON, as `set` takes it.
    Show {
        name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Make a rule, or replace it, from JSON.
    Set {
        name: String,
        /// A file, or - for standard input.
        file: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Remove a rule; what it has under way ends without a message.
    Remove {
        name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Show when a rule would have fired; nothing is kept.
    Preview {
        /// A file, or - for standard input.
        file: String,
        #[command(flatten)]
        range: RangeArgs,
        #[command(flatten)]
        answer: AnswerArgs,
    },
}

pub(super) async fn run(command: RulesCommand) -> Result<(), CliError> {
    match command {
        RulesCommand::List { answer } => list(answer).await,
        RulesCommand::Show { name, connection } => {
            let client = Client::new(&connection)?;
            let listed: ListedRule = client.get(&path(&client, &name)?, &[]).await?;
            let text = serde_json::to_string_pretty(&listed.rule).unwrap_or_default();
            let mut terminal = Terminal::stdout();
            for line in text.lines() {
                terminal.line(&neutralise(line))?;
            }
            terminal.flush()
        }
        RulesCommand::Set { name, file, connection } => {
            let client = Client::new(&connection)?;
            let _set: ListedRule = client.put(&path(&client, &name)?, &json_of(&file)?).await?;
            note(&format!("the rule {name} is in force"));
            Ok(())
        }
        RulesCommand::Remove { name, connection } => {
            let client = Client::new(&connection)?;
            client.delete(&path(&client, &name)?).await?;
            note(&format!("the rule {name} is gone"));
            Ok(())
        }
        RulesCommand::Preview { file, range, answer } => preview(&file, &range, &answer).await,
    }
}

fn path(client: &Client, name: &str) -> Result<String, CliError> {
    client.path(&["api", "alerts", "rules", name])
}

async fn list(answer: AnswerArgs) -> Result<(), CliError> {
    let client = Client::new(&answer.connection)?;
    let listed: Rules = client.get("/api/alerts/rules", &[]).await?;
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(answer.output) {
        return print_objects(&mut terminal, &listed.rules);
    }
    let row = |of: &ListedRule| {
        let state = match (of.rule.enabled, of.firing, of.pending) {
            (false, ..) => "off".to_owned(),
            (true, 0, 0) => "ok".to_owned(),
            (true, 0, pending) => format!("{pending} pending"),
            (true, firing, _) => format!("{firing} firing"),
        };
        let severity = format!("{:?}", of.rule.severity).to_lowercase();
        vec![of.name.clone(), state, severity, one_line(&of.rule.title), of.rule.channels.join(",")]
    };
    let head = ["NAME", "STATE", "SEVERITY", "TITLE", "CHANNELS"];
    print_table(&mut terminal, &head, listed.rules.iter().map(row).collect())
}

async fn preview(file: &str, range: &RangeArgs, answer: &AnswerArgs) -> Result<(), CliError> {
    let client = Client::new(&answer.connection)?;
    let [from, to] = range.ends(SystemClock.now());
    let body = json!({ "rule": json_of(file)?, "from": from, "to": to });
    let preview: Preview = client.post("/api/alerts/rules/preview", &body).await?;
    let mut terminal = Terminal::stdout();
    if terminal.shows_text(answer.output) {
        let row = |of: &PreviewFiring| {
            let ended = of.resolved_at.map_or_else(|| "still".to_owned(), |ended| ended.to_string());
            let normal = of.evidence.normal.map_or_else(String::new, shown_number);
            let observed = shown_number(of.evidence.observed);
            vec![of.fired_at.to_string(), ended, one_line(&of.heading), observed, normal]
        };
        let head = ["FIRES", "ENDS", "WHAT", "OBSERVED", "NORMAL"];
        print_table(&mut terminal, &head, preview.firings.iter().map(row).collect())?;
    } else {
        print_objects(&mut terminal, &preview.firings)?;
    }
    let complete = if preview.coverage.complete { "" } else { "; not every partition answered" };
    let count = preview.firings.len();
    note(&format!("it would have fired {count} times from {} to {}{complete}", preview.from, preview.to));
    Ok(())
}
