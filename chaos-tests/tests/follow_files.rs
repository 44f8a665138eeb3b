//! `insighthub tail --file`: what is appended to files that are rotated in every way is stored once each, while the command
//! and nodes are killed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::command_line::{Ongoing, as_admin, insighthub};
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(90);
const ROUNDS: u64 = 8;
const LINES: u64 = 400;

fn append(path: &Path, lines: &str) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(file.write_all(lines.as_bytes())?)
}

/// Every other line is JSON.
fn numbered(from: u64, to: u64) -> String {
    let line = |number: u64| match number % 2 {
        0 => format!("{}\n", json!({ "service": "json", "message": format!("order {number}") })),
        _ => format!("order {number}\n"),
    };
    (from..to).map(line).collect()
}

async fn stored(api: &Api) -> Result<u64> {
    let answer = api.post_json("/api/query", &json!({ "query": "* | stats count() as n" })).await?;
    answer.expect(200)?;
    Ok(answer.json["rows"][0][0].as_u64().unwrap_or(0))
}

async fn wait_for(api: &Api, count: u64) -> Result<()> {
    wait_until(&format!("{count} records are stored"), WITHIN, || async {
        stored(api).await.is_ok_and(|stored| stored >= count)
    })
    .await
}

struct Files {
    folder: PathBuf,
    next: u64,
}

impl Files {
    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&mut self, name: &str) -> Result<()> {
        let from = self.next;
        self.next += LINES;
        append(&self.place(name), &numbered(from, self.next))
    }

    fn rename(&self, name: &str, round: u64) -> Result<()> {
        Ok(fs::rename(self.place(name), self.place(&format!("{name}.{round}")))?)
    }

    fn copy_and_empty(&self, name: &str, round: u64) -> Result<()> {
        fs::copy(self.place(name), self.place(&format!("{name}.{round}")))?;
        Ok(OpenOptions::new().write(true).open(self.place(name))?.set_len(0)?)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_line_is_stored_once_through_rotations_and_kills() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let urls: Vec<String> = cluster.nodes.iter().map(|node| node.url()).collect();
    let (url, api) = (urls.join(","), Api::patient(&urls[1], WITHIN)?);
    let mut files = Files { folder: directory.path().join("logs"), next: 0 };
    fs::create_dir_all(&files.folder)?;
    let pattern = files.place("*.log").display().to_string();
    let checkpoint = directory.path().join("follow.json").display().to_string();
    let words = ["tail", "--file", &pattern, "--service", "text", "--checkpoint", &checkpoint];
    let start = || Ongoing::start(&words, &as_admin(&url));
    // What is rotated away before anybody has ever seen it under its name is nobody's.
    for name in ["renamed.log", "emptied.log"] {
        files.write(name)?;
    }
    let mut follower = Some(start()?);
    wait_for(&api, files.next).await.context("before the first round")?;
    for round in 0..ROUNDS {
        for name in ["renamed.log", "emptied.log"] {
            files.write(name)?;
        }
        files.write(&format!("new-{round}.log"))?;
        if round % 2 == 0 {
            // Killed wherever it is just now: with nothing sent, with a batch under way, or with one not written down.
            follower = None;
        }
        // What was written just now is rotated away before or after it was read.
        files.rename("renamed.log", round)?;
        files.write("renamed.log")?;
        files.copy_and_empty("emptied.log", round)?;
        files.write("emptied.log")?;
        if round % 2 == 0 {
            follower = Some(start()?);
        }
        match round {
            2 => cluster.node(0)?.kill().await?,
            5 => cluster.node(0)?.launch().await?,
            _ => {}
        }
        wait_for(&api, files.next).await.with_context(|| format!("round {round}"))?;
    }
    drop(follower);
    each_once(&api, files.next).await?;
    println!(
        "{} lines in {ROUNDS} rounds of both rotations, {} kills of the follower, 1 of a node",
        files.next,
        ROUNDS / 2 + 1
    );
    Ok(())
}

async fn each_once(api: &Api, count: u64) -> Result<()> {
    let mut orders = vec![0u8; count as usize];
    for record in api.all_logs(&[]).await? {
        let number =
            record["message"].as_str().and_then(|message| message.strip_prefix("order ")?.parse().ok());
        let number: usize = number.with_context(|| format!("a record nobody wrote: {record}"))?;
        let service = if number.is_multiple_of(2) { "json" } else { "text" };
        ensure!(record["service"] == service, "{record}");
        orders[number] += 1;
    }
    let wrong: Vec<usize> = (0..orders.len()).filter(|number| orders[*number] != 1).collect();
    ensure!(wrong.is_empty(), "{} lines are not stored once: {:?}", wrong.len(), wrong.iter().take(5));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_is_killed_in_the_middle_of_a_long_file() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let (api, url) = (node.api()?, node.url());
    let mut files = Files { folder: directory.path().to_owned(), next: 0 };
    for _ in 0..100 {
        files.write("long.log")?;
    }
    let path = files.place("long.log").display().to_string();
    let checkpoint = files.place("follow.json");
    let shown = checkpoint.display().to_string();
    let words = ["tail", "--file", &path, "--service", "text", "--checkpoint", &shown];
    let mut seen = 0;
    let sequence = || -> Option<u64> {
        let state: Value = serde_json::from_slice(&fs::read(&checkpoint).ok()?).ok()?;
        state["sequence"].as_u64()
    };
    for _ in 0..3 {
        // Held at the moment at which a batch was written down, and killed there.
        let mut follower = Ongoing::start(&words, &[("INSIGHTHUB_URL", &url)])?;
        if !follower.hold_when(|| sequence().is_some_and(|now| now > seen))? {
            break;
        }
        drop(follower);
        seen = sequence().context("no checkpoint")?;
        // What comes meanwhile must not become part of the batch that is in doubt.
        files.write("long.log")?;
    }
    let _follower = Ongoing::start(&words, &[("INSIGHTHUB_URL", &url)])?;
    wait_for(&api, files.next).await?;
    each_once(&api, files.next).await?;
    let other = insighthub(&words, &[("INSIGHTHUB_URL", &url)])?.refused()?;
    assert!(other.contains("another process"), "{other}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_files_are_for_files() -> Result<()> {
    let said = insighthub(&["tail", "--pattern", "(?P<message>.*)"], &[])?.refused()?;
    assert!(said.contains("--file"), "{said}");
    let said = insighthub(&["tail", "--from-end"], &[])?.refused()?;
    assert!(said.contains("--file"), "{said}");
    Ok(())
}
