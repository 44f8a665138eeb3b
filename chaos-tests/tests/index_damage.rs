//! The index is never the only copy of anything: whatever happens to its files, the node rebuilds it from blocks and
//! log and answers as before.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::checker::check_node;
use insighthub_chaos_tests::load::{Load, LoadPlan};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::Value;

const WITHIN: Duration = Duration::from_secs(30);
/// Several seals of several partitions, and heads that are in the log only.
const RECORDS: u64 = 12_000;

#[derive(Debug, Clone, Copy)]
enum Harm {
    CutInTheMiddle,
    OverwriteTheMiddle,
    DeleteTheDatabase,
    DeleteEverything,
}

impl Harm {
    const EVERY: [Harm; 4] =
        [Harm::CutInTheMiddle, Harm::OverwriteTheMiddle, Harm::DeleteTheDatabase, Harm::DeleteEverything];

    /// `index` is the index's folder of a node that does not run.
    fn strike(self, index: &Path) -> Result<()> {
        let log = index.join("sled").join("db");
        let length = || Ok::<_, anyhow::Error>(fs::metadata(&log)?.len());
        match self {
            Harm::CutInTheMiddle => Ok(OpenOptions::new().write(true).open(&log)?.set_len(length()? / 2)?),
            Harm::OverwriteTheMiddle => {
                let (length, noise) = (length()?, vec![0xa5; 8_192]);
                Ok(OpenOptions::new().write(true).open(&log)?.write_all_at(&noise, length / 2)?)
            }
            Harm::DeleteTheDatabase => Ok(fs::remove_dir_all(index.join("sled"))?),
            Harm::DeleteEverything => Ok(fs::remove_dir_all(index)?),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_index_is_rebuilt_and_answers_as_before() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut node =
        NodeProcess::start(NodeOptions::in_directory(directory.path())?.sealing_all_the_time()).await?;
    let load = Load::start(&node.url(), &LoadPlan::default())?;
    load.flows(RECORDS, WITHIN).await?;
    let ledger = load.finish(WITHIN).await?;
    let api = node.api()?;
    // Merges may leave few.
    ensure!(api.blocks().await? > 0, "no block: nothing would be rebuilt");
    let before = answers(&api).await?;
    let index = directory.path().join("data").join("index");
    for harm in Harm::EVERY {
        for is_graceful in [true, false] {
            let what = format!("{harm:?} after {}", if is_graceful { "SIGTERM" } else { "kill -9" });
            if is_graceful {
                node.stop_gracefully(WITHIN).await?;
            } else {
                node.kill_nine()?;
            }
            harm.strike(&index).with_context(|| what.clone())?;
            node.restart().await.with_context(|| what.clone())?;
            ensure!(answers(&api).await? == before, "{what}: it answers otherwise than before");
            check_node(&api, &ledger).await.with_context(|| what.clone())?;
        }
    }
    let complaints = node.complaints()?;
    ensure!(complaints.is_empty(), "{complaints:#?}");
    Ok(())
}

/// What the index answers: services, minutes, refused records.
async fn answers(api: &Api) -> Result<(Value, Vec<Value>, Vec<Value>)> {
    let services = api.get("/api/services", &[]).await?;
    ensure!(services.status == 200, "{}", services.text);
    let mut dead_letters = api.all_dead_letters().await?;
    dead_letters.sort_by_key(Value::to_string);
    ensure!(!dead_letters.is_empty(), "nothing was refused");
    Ok((services.json, api.aggregates(&[]).await?, dead_letters))
}
