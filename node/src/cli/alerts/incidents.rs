//! `insighthub alerts incidents`.

use clap::Subcommand;
use insighthub_model::alerts::{Incident, Remark, shown_number};
use insighthub_model::api::alerts::Incidents;
use serde_json::json;

use crate::cli::asking::AnswerArgs;
use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::explore::{one_line, print_objects, print_table};
use crate::cli::terminal::{Terminal, note};

#[derive(Debug, Subcommand)]
pub(super) enum IncidentsCommand {
    /// List incidents, newest first.
    List {
        /// Only what fires now.
        #[arg(long)]
        firing: bool,
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        answer: AnswerArgs,
    },
    /// Say that somebody looks after it: it is not repeated.
    Acknowledge {
        id: u64,
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

pub(super) async fn run(command: IncidentsCommand) -> Result<(), CliError> {
    match command {
        IncidentsCommand::List { firing, service, limit, answer } => {
            let mut parameters = vec![("limit", limit.to_string())];
            parameters.extend(firing.then(|| ("state", "firing".to_owned())));
            parameters.extend(service.map(|service| ("service", service)));
            list(&parameters, answer).await
        }
        IncidentsCommand::Acknowledge { id, note: text, connection } => {
            let client = Client::new(&connection)?;
            let path = client.path(&["api", "alerts", "incidents", &id.to_string(), "acknowledge"])?;
            let remark: Remark = client.post(&path, &json!({ "note": text })).await?;
            note(&format!("incident {id} is acknowledged by {}", remark.by));
            Ok(())
        }
    }
}

async fn list(parameters: &[(&str, String)], answer: AnswerArgs) -> Result<(), CliError> {
    let client = Client::new(&answer.connection)?;
    let listed: Incidents = client.get("/api/alerts/incidents", parameters).await?;
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(answer.output) {
        return print_objects(&mut terminal, &listed.incidents);
    }
    let head = ["ID", "STATE", "SEVERITY", "RULE", "GROUP", "BEGAN", "ENDED", "OBSERVED", "NORMAL", "CAUSE"];
    print_table(&mut terminal, &head, listed.incidents.iter().map(row).collect())?;
    if listed.more {
        note("there are more: use a larger --limit");
    }
    Ok(())
}

fn row(of: &Incident) -> Vec<String> {
    let group: Vec<&str> = of.group.iter().map(|(_, value)| value.as_str()).collect();
    let state = match (of.is_firing(), &of.acknowledged) {
        (true, None) => "firing",
        (true, Some(_)) => "acknowledged",
        (false, _) => "resolved",
    };
    vec![
        of.id.to_string(),
        state.to_owned(),
        format!("{:?}", of.severity).to_lowercase(),
        of.rule.clone(),
        one_line(&group.join(" ")),
        of.opened_at.to_string(),
        of.resolved_at.map_or_else(String::new, |ended| ended.to_string()),
        shown_number(of.evidence.observed),
        of.evidence.normal.map_or_else(String::new, shown_number),
        one_line(of.evidence.cause.as_deref().unwrap_or("")),
    ]
}
