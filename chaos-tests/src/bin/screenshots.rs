//! Takes pictures of every page of the dashboard, light and dark, on a desktop and on a phone, on a cluster with a day of demo
//! traffic. `cargo xtask screenshots` builds what it needs and runs it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use insighthub_chaos_tests::browser::{Browser, Size, Theme};
use insighthub_chaos_tests::dashboard::{self, PAGES, Page};
use insighthub_chaos_tests::demo_cluster::{ADMIN, DemoCluster, Past};
use insighthub_chaos_tests::interrupted::interrupted;

/// Pictures are part of the checkout, so they stay small: the first quality that does it is taken.
const BYTES_MAX: usize = 100 * 1024;
const QUALITIES: [u8; 4] = [70, 60, 50, 40];

/// Take pictures of the dashboard's pages.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where PAGE-THEME-SIZE.webp is written.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Only this page; may be given several times.
    #[arg(long = "page", value_name = "NAME")]
    pages: Vec<String>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    // Dropped on Ctrl-C, so that nodes and browser end too.
    let arguments = Arguments::parse();
    let done = tokio::select! {
        done = take_all(&arguments) => done,
        error = interrupted() => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("screenshots: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn take_all(arguments: &Arguments) -> Result<()> {
    let pages = chosen(&arguments.pages)?;
    std::fs::create_dir_all(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    println!("starting three nodes, with {} of traffic", Past::LONG.backfill);
    let demo = DemoCluster::start(Past::LONG).await?;
    let (browser, url) = (Browser::start_unwatched().await?, demo.url()?);
    dashboard::let_in(&browser, &url, ADMIN).await?;
    let count = pages.len() * Size::ALL.len() * Theme::ALL.len();
    let mut taken = 0;
    for size in Size::ALL {
        browser.set_size(size).await?;
        for theme in Theme::ALL {
            browser.set_theme(theme).await?;
            for page in &pages {
                let name = format!("{}-{}-{}.webp", page.name, theme.name(), size.name);
                let bytes =
                    take(&browser, page, &url, &arguments.out.join(&name)).await.context(name.clone())?;
                taken += 1;
                println!("[{taken}/{count}] {name}  {} KB", bytes.div_ceil(1024));
            }
        }
    }
    println!("{taken} pictures in {}", arguments.out.display());
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<Page>> {
    let known = PAGES.map(|page| page.name).join(", ");
    for name in names {
        ensure!(PAGES.iter().any(|page| page.name == name), "there is no page {name:?}; there are {known}");
    }
    let is_chosen = |page: &Page| names.is_empty() || names.iter().any(|name| name == page.name);
    Ok(PAGES.into_iter().filter(is_chosen).collect())
}

/// Writes one picture; says how large it is.
async fn take(browser: &Browser, page: &Page, url: &str, path: &Path) -> Result<usize> {
    page.open(browser, url).await?;
    dashboard::ensure_well(browser).await?;
    for quality in QUALITIES {
        let picture = browser.webp(quality).await?;
        if picture.len() <= BYTES_MAX {
            std::fs::write(path, &picture)?;
            return Ok(picture.len());
        }
    }
    anyhow::bail!("larger than {} KB even at quality {}", BYTES_MAX / 1024, QUALITIES[QUALITIES.len() - 1])
}
