//! `insighthub token`: service tokens, with which services send logs and programs read them.

use clap::{Args, Subcommand};
use insighthub_model::api::tokens::{TokenMade, TokenRotated};
use serde_json::{Value, json};

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::listing;
use super::terminal::{OutputFormat, Terminal, neutralise, note};

/// Create, list, rotate and revoke service tokens.
///
/// Changes need an admin: give --user and --password, or INSIGHTHUB_USER and INSIGHTHUB_PASSWORD.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub token create --service checkout --name 'checkout in production'
  insighthub token create --name 'the collector' --scope write
  insighthub token create --name Grafana --scope read --expires-in-days 90
  insighthub token list
  insighthub token rotate 7f3a9c --overlap-secs 86400
  insighthub token revoke 7f3a9c")]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Create a token; it is shown once and only its hash is kept.
    Create {
        /// The only service whose logs the token may send; left out: every service.
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// What the token opens: write (send logs), read (what a viewer sees), metrics (/metrics alone). May be given
        /// several times.
        #[arg(long = "scope", value_name = "SCOPE", default_value = "write", value_parser = ["write", "read", "metrics"])]
        scopes: Vec<String>,
        /// What to call it in lists.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Days until it opens nothing any more; left out: until it is revoked.
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u64>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Make a token that takes the place of one; both open for a while.
    Rotate {
        /// The id that `token list` shows.
        id: String,
        /// How long the old one still opens, seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
        overlap_secs: u64,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// List the tokens, without their secrets.
    List {
        /// How tokens are printed.
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        output: OutputFormat,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Revoke a token: from now on it is refused.
    Revoke {
        /// The id that `token list` shows.
        id: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

pub(crate) async fn run(args: TokenArgs) -> Result<(), CliError> {
    match args.command {
        TokenCommand::Create { service, scopes, name, expires_in_days, connection } => {
            let body = json!({
                "service": service, "scopes": scopes, "name": name, "expires_in_days": expires_in_days,
            });
            let TokenMade { id, token, .. } = Client::new(&connection)?.post("/api/tokens", &body).await?;
            let service = service.unwrap_or_else(|| "every service".to_owned());
            tell(&id, &token, &format!("for {service} ({})", scopes.join(", ")))
        }
        TokenCommand::Rotate { id, overlap_secs, connection } => {
            let client = Client::new(&connection)?;
            let path = client.path(&["api", "tokens", &id, "rotate"])?;
            let made: TokenRotated = client.post(&path, &json!({ "overlap_secs": overlap_secs })).await?;
            tell(&made.id, &made.token, &format!("in place of {id}, which opens for {overlap_secs} s more"))
        }
        TokenCommand::List { output, connection } => {
            let answer: Value = Client::new(&connection)?.get("/api/tokens", &[]).await?;
            let columns = ["id", "service", "scopes", "name", "created_at", "expires_at", "last_used"];
            listing::print(&answer, "tokens", &columns, output)
        }
        TokenCommand::Revoke { id, connection } => {
            let client = Client::new(&connection)?;
            client.delete(&client.path(&["api", "tokens", &id])?).await?;
            note(&format!("Token {id} is revoked."));
            Ok(())
        }
    }
}

/// The token alone on stdout: `TOKEN=$(insighthub token create ...)` works.
fn tell(id: &str, token: &str, what: &str) -> Result<(), CliError> {
    let mut terminal = Terminal::stdout();
    terminal.line(&neutralise(token))?;
    terminal.flush()?;
    note(&format!("Token {id} {what}. It is shown only this once."));
    Ok(())
}
