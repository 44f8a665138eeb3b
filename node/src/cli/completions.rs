//! `insighthub completions`: what a shell must know to complete this command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::error::CliError;
use super::terminal::Terminal;

/// Print the completions of a shell.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub completions bash > /usr/share/bash-completion/completions/insighthub
  insighthub completions zsh > ~/.zfunc/_insighthub
  insighthub completions fish > ~/.config/fish/completions/insighthub.fish")]
pub struct CompletionsArgs {
    /// The shell that shall know them.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "insighthub", &mut script);
    let mut terminal = Terminal::stdout();
    terminal.bytes(&script)?;
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_knows_every_command() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "insighthub", &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
