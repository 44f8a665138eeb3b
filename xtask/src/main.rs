//! The project's own commands. This file parses and calls; one file per command does the work.

mod adapters_speed;
mod apt;
mod browser;
mod chaos;
mod checks;
mod cluster_file;
mod dashboard;
mod dashboard_speed;
mod failures;
mod fingerprint;
mod login_file;
mod measuring;
mod node_js;
mod node_process;
mod packaging;
mod python_tools;
mod readers;
mod readiness;
mod real_clients;
mod schemathesis;
mod screenshots;
mod sdk_js;
mod sdk_python;
mod sim;
mod step;
mod test_programs;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything one needs to run and check InsightHub from a fresh checkout.
///
/// Needs cargo. What else is missing (a browser, a compiler for WebAssembly) is installed with
/// apt-get on Debian, as root or through sudo; elsewhere the command says what to install.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_long_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  cargo xtask up            build everything, start three nodes and demo traffic, print the addresses
  cargo xtask up --fresh    the same, with nothing stored from earlier runs
  cargo xtask test          run every check that must pass before a change is merged
  cargo xtask chaos         break a cluster for two minutes and check that nothing is lost
  cargo xtask sim --seeds 2000                  run simulated clusters with faults by seed
  cargo xtask sim --first 41 --seeds 1 --trace  repeat one of them and print every event
  cargo xtask ui            rebuild the dashboard while working on it
  cargo xtask package       build the Debian package
  cargo xtask screenshots   take pictures of every page of the dashboard
  cargo xtask dashboard-speed                   measure it in a real browser
  cargo xtask adapters-speed                    measure how fast each protocol is taken
  cargo xtask clients                           send with clients of other systems and check what arrived";

#[derive(Debug, Subcommand)]
enum Command {
    /// Build and start what cluster.toml describes, with demo traffic, until Ctrl-C.
    ///
    /// Prints the dashboards' addresses and the admin login. Data and logs of the nodes lie in data/. A
    /// node that ends by itself is told with the command that starts it again; the others go on.
    Up(up::UpArguments),
    /// Run every check: format, lints, tests, the dashboard, crash tests, a real browser.
    ///
    /// Stops at the first check that fails and prints the command that repeats it alone.
    Test,
    Chaos(chaos::ChaosArguments),
    /// Run simulated clusters with faults by seed, and print what they came to.
    ///
    /// The same seed gives the same run. Ends with an error if anything was violated.
    Sim(sim::SimArguments),
    /// Build the Debian package, with the dashboard, manual and completions, into target/packaging.
    Package {
        /// Check everything in packaging/ instead, with the node that was built for tests.
        #[arg(long)]
        check: bool,
    },
    Screenshots(screenshots::ScreenshotsArguments),
    DashboardSpeed(dashboard_speed::DashboardSpeedArguments),
    AdaptersSpeed(adapters_speed::AdaptersSpeedArguments),
    /// Install clients of other systems and have them send to a cluster; every record must be there once, as it was.
    ///
    /// `docs/clients.md` says which ones, and in which versions.
    Clients,
    /// Build the dashboard for the browser into ui/dist, if its sources have changed.
    ///
    /// The node embeds that folder when it is built.
    Ui {
        /// Optimise for size, as `up` and `test` do. Without it the build is quick and large.
        #[arg(long)]
        release: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Up(arguments) => up::run(&arguments),
        Command::Test => checks::run(),
        Command::Chaos(arguments) => chaos::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Package { check: true } => packaging::check(),
        Command::Package { check: false } => packaging::run(),
        Command::Screenshots(arguments) => screenshots::run(&arguments),
        Command::DashboardSpeed(arguments) => dashboard_speed::run(&arguments),
        Command::AdaptersSpeed(arguments) => adapters_speed::run(&arguments),
        Command::Clients => checks::clients_alone(),
        Command::Ui { release } => dashboard::build(if release {
            dashboard::Profile::Release
        } else {
            dashboard::Profile::Development
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
