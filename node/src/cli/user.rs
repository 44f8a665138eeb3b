//! `insighthub user`: who can sign in.

use std::io::Read;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::listing;
use super::terminal::{OutputFormat, Terminal, note};
use crate::access::hex;

/// Characters of a password that is made up: 96 random bits in hex.
const RANDOM_BYTES: usize = 12;
const PASSWORD_BYTES_MAX: u64 = 1_024;

/// List, add, change and remove users.
///
/// Needs an admin: give --user and --password, or INSIGHTHUB_USER and INSIGHTHUB_PASSWORD. A new password is made up and
/// shown once, unless it is given on stdin.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub user list
  insighthub user add eve --role viewer
  pass show insighthub/eve | insighthub user add eve --role viewer --password-stdin
  insighthub user set-role eve admin
  insighthub user set-password eve
  insighthub user remove eve
A change ends the user's sessions on every node.")]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Everything.
    Admin,
    /// Looks at everything and changes nothing.
    Viewer,
}

impl RoleName {
    const fn name(self) -> &'static str {
        match self {
            RoleName::Admin => "admin",
            RoleName::Viewer => "viewer",
        }
    }
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// List the users.
    List {
        /// How users are printed.
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        output: OutputFormat,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Add a user.
    Add {
        name: String,
        #[arg(long, value_enum)]
        role: RoleName,
        /// Read the password from stdin.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Give a user another role.
    SetRole {
        name: String,
        #[arg(value_enum)]
        role: RoleName,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Give a user another password.
    SetPassword {
        name: String,
        /// Read the password from stdin.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Remove a user.
    Remove {
        name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

pub(crate) async fn run(args: UserArgs) -> Result<(), CliError> {
    match args.command {
        UserCommand::List { output, connection } => {
            let answer: Value = Client::new(&connection)?.get("/api/users", &[]).await?;
            listing::print(&answer, "users", &["name", "role", "created_at", "sessions"], output)
        }
        UserCommand::Add { name, role, password_stdin, connection } => {
            let client = Client::new(&connection)?;
            let password = Password::take(password_stdin)?;
            let body = json!({ "name": name, "role": role.name(), "password": password.text });
            let _: Value = client.post("/api/users", &body).await?;
            password.tell(&name)
        }
        UserCommand::SetRole { name, role, connection } => {
            let client = Client::new(&connection)?;
            client.patch(&path_of(&client, &name)?, &json!({ "role": role.name() })).await?;
            note(&format!("{name} is {} from now on, and has to sign in again.", role.name()));
            Ok(())
        }
        UserCommand::SetPassword { name, password_stdin, connection } => {
            let client = Client::new(&connection)?;
            let password = Password::take(password_stdin)?;
            client.patch(&path_of(&client, &name)?, &json!({ "password": password.text })).await?;
            password.tell(&name)
        }
        UserCommand::Remove { name, connection } => {
            let client = Client::new(&connection)?;
            client.delete(&path_of(&client, &name)?).await?;
            note(&format!("{name} is removed, and signed out everywhere."));
            Ok(())
        }
    }
}

fn path_of(client: &Client, name: &str) -> Result<String, CliError> {
    client.path(&["api", "users", name])
}

/// A new password, and whether it was made up here.
struct Password {
    text: String,
    is_made_up: bool,
}

impl Password {
    fn take(from_stdin: bool) -> Result<Password, CliError> {
        if from_stdin {
            let mut text = String::new();
            let mut stdin = std::io::stdin().take(PASSWORD_BYTES_MAX + 2);
            stdin
                .read_to_string(&mut text)
                .map_err(|error| CliError::Argument(format!("no password on stdin: {error}")))?;
            let text = text.trim_end_matches(['\r', '\n']).to_owned();
            return Ok(Password { text, is_made_up: false });
        }
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| CliError::Argument(format!("no random bytes for a password: {error}")))?;
        Ok(Password { text: hex(&random), is_made_up: true })
    }

    /// Alone on stdout, for whoever passes it on.
    fn tell(self, name: &str) -> Result<(), CliError> {
        if !self.is_made_up {
            note(&format!("{name} has the password that was given."));
            return Ok(());
        }
        let mut terminal = Terminal::stdout();
        terminal.line(&self.text)?;
        terminal.flush()?;
        note(&format!("The password of {name}. It is shown only this once."));
        Ok(())
    }
}
