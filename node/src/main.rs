//! The `insighthub` binary: reads the command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use insighthub_node::cli::{self, Cli, Command};
use insighthub_node::{boot, logging, private};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Client(command) => cli::run(command),
        Command::Serve(args) => match serve(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("insighthub: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn serve(args: &cli::ServeArgs) -> anyhow::Result<()> {
    let plan = boot::Plan::new(args)?;
    logging::start(&plan.config.log)?;
    private::write_for_the_owner_only();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(boot::serve(plan));
    // Blocking work that is still under way (a long search) must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}
