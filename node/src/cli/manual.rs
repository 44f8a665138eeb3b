//! `insighthub man`: the manual, made from the same descriptions as `--help`.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::Cli;
use super::error::CliError;
use super::terminal::Terminal;

/// Print the manual page, or write a page for every command.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub man | man -l -
  insighthub man --to /usr/local/share/man/man1")]
pub struct ManArgs {
    /// An existing folder for insighthub.1, insighthub-query.1 and so on.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Result<(), CliError> {
    if let Some(folder) = &args.to {
        let problem =
            |error| CliError::Argument(format!("cannot write the manual into {}: {error}", folder.display()));
        return clap_mangen::generate_to(Cli::command(), folder).map_err(problem);
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    let mut terminal = Terminal::stdout();
    terminal.bytes(&page)?;
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_examples() {
        let folder = tempfile::tempdir().unwrap();
        run(&ManArgs { to: Some(folder.path().to_owned()) }).unwrap();
        for command in Cli::command().get_subcommands() {
            let path = folder.path().join(format!("insighthub-{}.1", command.get_name()));
            let page = std::fs::read_to_string(&path).unwrap();
            assert!(page.contains("Examples:"), "{}", path.display());
        }
        assert!(folder.path().join("insighthub.1").exists());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = run(&ManArgs { to: Some("/nowhere/man1".into()) }).unwrap_err().to_string();
        assert!(error.contains("/nowhere/man1"), "{error}");
    }
}
