//! `insighthub alerts channels`.

use clap::Subcommand;
use insighthub_model::api::alerts::{Channels, ListedChannel, Tried};
use serde_json::json;

use super::json_of;
use crate::cli::asking::AnswerArgs;
use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::explore::{one_line, print_objects, print_table};
use crate::cli::terminal::{Terminal, note};

#[derive(Debug, Subcommand)]
pub(super) enum ChannelsCommand {
    /// List the channels, and how they do; secrets are not shown.
    List {
        #[command(flatten)]
        answer: AnswerArgs,
    },
    /// Make a channel, or replace it, from JSON.
    Set {
        name: String,
        /// A file, or - for standard input.
        file: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Remove a channel that no rule tells.
    Remove {
        name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Send a message now, and say what became of it.
    Test {
        name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

pub(super) async fn run(command: ChannelsCommand) -> Result<(), CliError> {
    match command {
        ChannelsCommand::List { answer } => list(answer).await,
        ChannelsCommand::Set { name, file, connection } => {
            let client = Client::new(&connection)?;
            let path = client.path(&["api", "alerts", "channels", &name])?;
            let _set: ListedChannel = client.put(&path, &json_of(&file)?).await?;
            note(&format!("the channel {name} is set; try it with `insighthub alerts channels test {name}`"));
            Ok(())
        }
        ChannelsCommand::Remove { name, connection } => {
            let client = Client::new(&connection)?;
            client.delete(&client.path(&["api", "alerts", "channels", &name])?).await?;
            note(&format!("the channel {name} is gone"));
            Ok(())
        }
        ChannelsCommand::Test { name, connection } => {
            let client = Client::new(&connection)?;
            let path = client.path(&["api", "alerts", "channels", &name, "test"])?;
            let tried: Tried = client.post(&path, &json!({})).await?;
            match tried.error {
                None => {
                    note(&format!("{name} has taken the message"));
                    Ok(())
                }
                Some(error) => Err(CliError::Check(format!("{name} has not taken the message: {error}"))),
            }
        }
    }
}

async fn list(answer: AnswerArgs) -> Result<(), CliError> {
    let client = Client::new(&answer.connection)?;
    let listed: Channels = client.get("/api/alerts/channels", &[]).await?;
    let mut terminal = Terminal::stdout();
    if !terminal.shows_text(answer.output) {
        return print_objects(&mut terminal, &listed.channels);
    }
    let row = |of: &ListedChannel| {
        let state =
            if of.channel.enabled { format!("{:?}", of.state).to_lowercase() } else { "off".to_owned() };
        vec![
            of.name.clone(),
            of.channel.kind_name().to_owned(),
            one_line(&of.receiver),
            state,
            of.waiting.to_string(),
            of.health.delivered.to_string(),
            one_line(of.health.last_error.as_deref().unwrap_or("")),
        ]
    };
    let head = ["NAME", "KIND", "RECEIVER", "STATE", "WAITING", "DELIVERED", "LAST ERROR"];
    print_table(&mut terminal, &head, listed.channels.iter().map(row).collect())
}
