//! `insighthub config`: a configuration checked without a node, and the reference of its keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::error::CliError;
use super::terminal::{Terminal, note};
use crate::config::{Config, reference};

/// Check a configuration, and print what it may hold.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub config check /etc/insighthub/cluster.toml
  insighthub config reference | less")]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a file, with what the environment overrides, as a node does at its start.
    Check {
        /// The cluster's configuration.
        #[arg(value_name = "FILE", env = "INSIGHTHUB_CONFIG")]
        file: PathBuf,
    },
    /// Print every key with its meaning, default and range, in Markdown.
    Reference,
}

pub(crate) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    match &args.command {
        ConfigCommand::Check { file } => {
            let config = Config::load(Some(file)).map_err(|error| CliError::Check(error.to_string()))?;
            let names: Vec<_> = config.nodes.iter().map(|node| node.name.as_str()).collect();
            note(&format!(
                "{} is good: cluster {}, nodes {}",
                file.display(),
                config.cluster.name,
                names.join(", ")
            ));
            Ok(())
        }
        ConfigCommand::Reference => {
            let mut terminal = Terminal::stdout();
            terminal.bytes(reference().as_bytes())?;
            terminal.flush()
        }
    }
}
