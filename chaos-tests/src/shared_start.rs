//! Several checks on one start: what takes long to start is started once, and one check that fails does not hide the next.

use std::future::Future;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::browser::Browser;

/// What came of the checks so far.
#[derive(Debug, Default)]
pub struct Checks {
    passed: usize,
    failed: Vec<String>,
}

impl Checks {
    /// Runs one, and says on stdout how it went. `name` states the fact that holds if it passes.
    pub async fn check(&mut self, name: &str, check: impl Future<Output = Result<()>>) {
        let began = Instant::now();
        let outcome = check.await;
        let secs = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                println!("  ok      {secs:5.1} s  {name}");
                self.passed += 1;
            }
            Err(error) => {
                // Whole at the end; this is for who ends the run before.
                let first = format!("{error:#}").lines().find(|line| !line.is_empty()).map(str::to_owned);
                println!("  FAILED  {secs:5.1} s  {name}: {}", first.unwrap_or_default());
                self.failed.push(format!("{name}: {error:#}"));
            }
        }
    }

    /// What holds after every run of pages: no error on the console, and no request to anybody but the node.
    pub async fn end_well(&mut self, browser: &Browser, url: &str) {
        self.check("nothing is wrong on the console", async {
            let errors = browser.console_errors().await?;
            ensure!(errors.is_empty(), "{errors:#?}");
            Ok(())
        })
        .await;
        self.check("no request left the node", async { browser.ensure_asked_only(url).await.map(drop) })
            .await;
    }

    /// Fails if one has failed, or none was run.
    pub fn finish(self) -> Result<()> {
        ensure!(
            self.failed.is_empty(),
            "{} checks failed:\n\n{}",
            self.failed.len(),
            self.failed.join("\n\n")
        );
        ensure!(self.passed > 0, "nothing was checked");
        println!("{} checks passed", self.passed);
        Ok(())
    }
}
