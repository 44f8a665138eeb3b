//! `insighthub health`: one node asked how it is, for whoever watches over its process.

use clap::{Args, ValueEnum};
use reqwest::StatusCode;
use serde::Deserialize;

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::terminal::note;

/// Ask one node how it is; exit code 1 and the reason where it is not well.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub health                      it takes logs in and answers
  insighthub health --ask alive          the process lives, whatever its peers do: for what restarts it
  insighthub health --url https://n2.example.com:8000")]
pub struct HealthArgs {
    /// What to ask for.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    ask: Question,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Question {
    /// Whether it takes logs in and answers.
    #[default]
    Ready,
    /// Whether its process lives.
    Alive,
}

impl Question {
    fn path(self) -> &'static str {
        match self {
            Question::Ready => "/readyz",
            Question::Alive => "/healthz",
        }
    }
}

/// What a node that is not ready says.
#[derive(Deserialize)]
struct Readiness {
    waiting_for: Vec<String>,
}

pub(crate) async fn run(args: HealthArgs) -> Result<(), CliError> {
    let (status, body) = Client::new(&args.connection)?.look(args.ask.path()).await?;
    if status.is_success() {
        note(match args.ask {
            Question::Ready => "ready",
            Question::Alive => "alive",
        });
        return Ok(());
    }
    Err(CliError::Check(unwell(status, &body)))
}

fn unwell(status: StatusCode, body: &[u8]) -> String {
    match serde_json::from_slice::<Readiness>(body) {
        Ok(readiness) => format!("not ready: {}", readiness.waiting_for.join("; ")),
        Err(_) => format!("not well: it answers with status {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_waits_for_is_said() {
        let body =
            br#"{"ready":false,"waiting_for":["partition 3 has no leader","control group has no leader"]}"#;
        let said = unwell(StatusCode::SERVICE_UNAVAILABLE, body);
        assert_eq!(said, "not ready: partition 3 has no leader; control group has no leader");
        assert!(unwell(StatusCode::BAD_GATEWAY, b"<html>").contains("502"));
    }
}
