//! `insighthub token`: service tokens, with which services send logs.

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::terminal::{Colour, OutputFormat, Terminal, neutralise, note, table};

/// Create, list and revoke service tokens.
///
/// Changes need an admin: give --user and --password, or INSIGHTHUB_USER and INSIGHTHUB_PASSWORD.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub token create --service checkout --name 'checkout in production'
  insighthub token list
  insighthub token revoke 7f3a9c")]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Create a token; it is shown once and only its hash is kept.
    Create {
        /// The service whose logs the token may send.
        #[arg(long, value_name = "SERVICE")]
        service: String,
        /// What to call it in lists.
        #[arg(long, value_name = "NAME")]
        name: String,
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

#[derive(Deserialize)]
struct CreatedToken {
    id: String,
    token: String,
}

pub(crate) async fn run(args: TokenArgs) -> Result<(), CliError> {
    match args.command {
        TokenCommand::Create { service, name, connection } => {
            let body = json!({ "service": service, "name": name });
            let created: CreatedToken = Client::new(&connection)?.post("/api/tokens", &body).await?;
            // The token alone on stdout: `TOKEN=$(insighthub token create ...)` works.
            let mut terminal = Terminal::stdout();
            terminal.line(&neutralise(&created.token))?;
            terminal.flush()?;
            note(&format!("Token {} for {service}. It is shown only this once.", created.id));
            Ok(())
        }
        TokenCommand::List { output, connection } => {
            let answer: Value = Client::new(&connection)?.get("/api/tokens", &[]).await?;
            list(&answer, output)
        }
        TokenCommand::Revoke { id, connection } => {
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            {
                return Err(CliError::Argument(format!(
                    "{id:?} is no token id: see `insighthub token list`"
                )));
            }
            Client::new(&connection)?.delete(&format!("/api/tokens/{id}")).await?;
            note(&format!("Token {id} is revoked."));
            Ok(())
        }
    }
}

fn list(answer: &Value, output: OutputFormat) -> Result<(), CliError> {
    let tokens = answer.get("tokens").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(output) {
        for token in tokens {
            terminal.line(&token.to_string())?;
        }
        return terminal.flush();
    }
    let columns = ["id", "service", "name", "created_at"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for token in tokens {
        rows.push(columns.map(|column| cell(token.get(column))).to_vec());
    }
    for (number, line) in table(&rows).iter().enumerate() {
        let line = if number == 0 { terminal.paint(line, Colour::Bold) } else { line.into() };
        terminal.line(&line)?;
    }
    terminal.flush()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => neutralise(text).replace('\n', " "),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}
