//! Commands and scripts of the documentation that need no client of their own, taken out of it and run.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::configuration::{documented, has_word, replace_words};

/// Each sends a few records at most.
const ENDED_WITHIN: Duration = Duration::from_secs(60);

/// A block of a page, ready to run.
#[derive(Debug, Clone)]
pub struct Documented {
    name: String,
    text: String,
}

impl Documented {
    /// The block with this mark of a page below `docs/`. Each word must stand in it, and is replaced.
    pub fn take(page: &str, name: &str, words: &[(&str, &str)]) -> Result<Documented> {
        let mut text = documented(page, name)?;
        for (word, real) in words {
            ensure!(has_word(&text, word), "{name} has no {word} to replace");
            text = replace_words(&text, word, real);
        }
        Ok(Documented { name: name.to_owned(), text })
    }

    /// What a reader would write below it.
    #[must_use]
    pub fn followed_by(mut self, text: &str) -> Documented {
        self.text.push('\n');
        self.text.push_str(text);
        self
    }

    /// Gives it to a program, such as `sh`, that finds those of a folder first; answers what was printed.
    pub async fn run(&self, program: &str, first: Option<&Path>) -> Result<String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = first.map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
        let mut command = Command::new(program);
        command.env("PATH", std::env::join_paths(folders)?).arg("-").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
        let mut input = child.stdin.take().context("no input")?;
        input.write_all(self.text.as_bytes()).await?;
        drop(input);
        let ended = tokio::time::timeout(ENDED_WITHIN, child.wait_with_output()).await;
        let output = ended.with_context(|| format!("{} does not end", self.name))??;
        let (printed, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{} ended with {}: {printed}{complaint}", self.name, output.status);
        Ok(printed.into_owned())
    }
}
