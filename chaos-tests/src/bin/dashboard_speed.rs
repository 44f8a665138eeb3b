//! Measures the dashboard in a real browser; `cargo xtask dashboard-speed` builds what it needs and runs it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use insighthub_chaos_tests::dashboard_speed::figures::Figures;
use insighthub_chaos_tests::dashboard_speed::live::Rush;
use insighthub_chaos_tests::dashboard_speed::{delay, live, paint};
use insighthub_chaos_tests::interrupted::interrupted;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};

/// Measure the dashboard: first paint, bytes, smoothness under load, delay.
#[derive(Debug, Parser)]
struct Arguments {
    /// Loads of the page with nothing cached.
    #[arg(long, default_value_t = 7)]
    loads: usize,
    /// Records a second while the live page is watched.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// How long it is watched.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Records whose way to the screen is timed.
    #[arg(long, default_value_t = 50)]
    posts: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    // Dropped on Ctrl-C, so that node and browser end too.
    let arguments = Arguments::parse();
    let done = tokio::select! {
        done = measure(&arguments) => done,
        error = interrupted() => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dashboard_speed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let (url, api) = (node.url(), node.admin_api()?);
    let mut figures = Figures::default();
    println!("first paint");
    paint::measure(&url, arguments.loads, &mut figures).await?;
    println!("from post to screen, {} records", arguments.posts);
    delay::measure(&url, &api, arguments.posts, &mut figures).await?;
    println!("live page at {} records a second", arguments.rate);
    let rush = Rush { records_per_sec: arguments.rate, length: Duration::from_secs(arguments.seconds) };
    live::measure(&url, &api, rush, &mut figures).await?;
    println!("\n{figures}");
    Ok(())
}
