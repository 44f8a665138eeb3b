//! Fetches a backup from a running cluster: partition by partition, block by block, at most one piece in memory.
//!
//! A node that is gone is passed over and asked again later; a block that is gone makes its partition be listed anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use insighthub_model::PartitionId;
use insighthub_model::clock::Clock;
use insighthub_storage::backup::{ControlCopy, PartitionCopy};
use insighthub_storage::block::BlockMeta;
use reqwest::Method;
use serde::Deserialize;

use super::super::client::{Client, ConnectionArgs};
use super::super::error::CliError;
use super::super::terminal::note;
use super::{on_a_thread, say, summary};
use crate::backup::{BackupFault, FileEntry, Folder, Manifest, PartitionEntry};
use crate::system_clock::SystemClock;

/// Trouble that lasts longer than an election and the restart of a node ends the backup; it can be continued.
const TROUBLE_MAX: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(250);
/// A partition whose blocks are merged faster than they are fetched is given up after so many lists.
const LISTS_MAX: u32 = 20;
/// Of a group's state; no codec reads more.
const STATE_BYTES_MAX: u64 = 257 << 20;
/// A replica with another codec may send a longer file than was listed, but not any length.
const BLOCK_GROWTH_MAX: u64 = 4;
const SAY_EVERY: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Source {
    cluster_id: String,
    partitions: u16,
}

pub(super) async fn run(to: &Path, connection: &ConnectionArgs) -> Result<(), CliError> {
    let begun_at = SystemClock.now();
    let client = Client::new(connection)?;
    let source: Source = repeated(&client, async || client.get("/api/backup", &[]).await).await?;
    let folder = Folder::create(to)?;
    let known = known_blocks(&folder, &source.cluster_id)?;
    let mut fetcher = Fetcher {
        client,
        folder: Arc::new(folder),
        known,
        fetched: 0,
        bytes: 0,
        found: 0,
        said: Instant::now(),
    };
    let mut partitions = Vec::new();
    for number in 0..source.partitions {
        partitions.push(fetcher.partition(PartitionId(number)).await?);
        note(&format!("partition {} of {}: {}", number + 1, source.partitions, fetcher.progress()));
    }
    // After the partitions: what they know of spread services, the control state knows as well.
    let copy = fetcher.state(Method::GET, "/api/backup/control").await?;
    let control = ControlCopy::decode(&copy).map_err(BackupFault::from)?;
    let manifest = Manifest {
        cluster_id: source.cluster_id,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        begun_at,
        finished_at: SystemClock.now(),
        users: control.users(),
        tokens: control.tokens(),
        control: fetcher.folder.put_state("control", &copy)?,
        partitions,
    };
    fetcher.folder.finish(&manifest)?;
    say(&format!("Backup in {}: {}; {}.", to.display(), summary(&manifest), fetcher.progress()))
}

/// The blocks of the backup that is there.
fn known_blocks(folder: &Folder, cluster_id: &str) -> Result<BTreeMap<String, FileEntry>, BackupFault> {
    let Some(manifest) = folder.manifest()? else { return Ok(BTreeMap::new()) };
    if manifest.cluster_id != cluster_id {
        let (path, ours) = (folder.path().into(), cluster_id.to_owned());
        return Err(BackupFault::OtherCluster { path, theirs: manifest.cluster_id, ours });
    }
    let blocks = manifest.partitions.into_iter().flat_map(|partition| partition.blocks);
    Ok(blocks.map(|file| (file.name.clone(), file)).collect())
}

struct Fetcher {
    client: Client,
    folder: Arc<Folder>,
    known: BTreeMap<String, FileEntry>,
    fetched: u64,
    bytes: u64,
    found: u64,
    said: Instant,
}

impl Fetcher {
    async fn partition(&mut self, partition: PartitionId) -> Result<PartitionEntry, CliError> {
        for _ in 0..LISTS_MAX {
            let bytes = self.state(Method::POST, &format!("/api/backup/partitions/{}", partition.0)).await?;
            let copy = PartitionCopy::decode(partition, &bytes).map_err(BackupFault::from)?;
            if let Some(blocks) = self.blocks(partition, &copy).await? {
                let state = self.folder.put_state(&format!("partition-{:04}", partition.0), &bytes)?;
                return Ok(PartitionEntry { records: copy.records(), state, blocks });
            }
        }
        Err(CliError::Check(format!(
            "blocks of partition {partition} vanish faster than they are fetched: run the command again, it goes on \
             where it was"
        )))
    }

    /// `None` when one of them is gone.
    async fn blocks(
        &mut self,
        partition: PartitionId,
        copy: &PartitionCopy,
    ) -> Result<Option<Vec<FileEntry>>, CliError> {
        let mut entries = Vec::with_capacity(copy.blocks().len());
        for meta in copy.blocks() {
            let entry = match self.folder.find_block(meta, &self.known)? {
                Some(entry) => {
                    self.found += 1;
                    entry
                }
                None => match self.fetched_block(partition, meta).await? {
                    Some(entry) => entry,
                    None => return Ok(None),
                },
            };
            entries.push(entry);
            if self.said.elapsed() > SAY_EVERY {
                self.said = Instant::now();
                note(&format!("... {}", self.progress()));
            }
        }
        Ok(Some(entries))
    }

    async fn fetched_block(
        &mut self,
        partition: PartitionId,
        meta: &BlockMeta,
    ) -> Result<Option<FileEntry>, CliError> {
        let path = format!("/api/backup/partitions/{}/blocks/{}", partition.0, meta.file_name);
        let (client, folder) = (&self.client, &self.folder);
        let most = meta.bytes.saturating_mul(BLOCK_GROWTH_MAX).saturating_add(1 << 20);
        let fetched = repeated(client, async || {
            let mut draft = folder.draft_block()?;
            read_whole(client, Method::GET, &path, most, |piece| Ok(draft.write(piece)?)).await?;
            Ok(draft)
        });
        let draft = match fetched.await {
            Ok(draft) => draft,
            Err(CliError::Refused { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.fetched += 1;
        self.bytes += draft.bytes();
        let (folder, meta) = (Arc::clone(&self.folder), meta.clone());
        match on_a_thread(move || folder.put_block(&draft, &meta)).await {
            Err(CliError::Backup(BackupFault::Copy(error))) => Err(CliError::Check(format!(
                "what the node sent is damaged: {error}; ask another node with --url, or run the command again when \
                 the node has mended it"
            ))),
            stored => stored.map(Some),
        }
    }

    /// The state of a group.
    async fn state(&self, method: Method, path: &str) -> Result<Vec<u8>, CliError> {
        repeated(&self.client, async || {
            let mut content = Vec::new();
            read_whole(&self.client, method.clone(), path, STATE_BYTES_MAX, |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })
            .await?;
            Ok(content)
        })
        .await
    }

    fn progress(&self) -> String {
        format!("{} blocks fetched ({} bytes), {} were there", self.fetched, self.bytes, self.found)
    }
}

/// Asks again, the next node if there is one, until it is answered or the trouble lasts too long.
async fn repeated<T>(
    client: &Client,
    mut attempt: impl AsyncFnMut() -> Result<T, CliError>,
) -> Result<T, CliError> {
    let started = Instant::now();
    loop {
        match attempt().await {
            Err(error) if error.is_passing() && started.elapsed() < TROUBLE_MAX => {
                client.try_next_node();
                tokio::time::sleep(error.retry_after().unwrap_or(PAUSE).min(TROUBLE_MAX)).await;
            }
            result => return result,
        }
    }
}

async fn read_whole(
    client: &Client,
    method: Method,
    path: &str,
    bytes_max: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut response = client.open(method, path).await?;
    let mut bytes = 0;
    while let Some(piece) = client.next_part(&mut response).await? {
        bytes += piece.len() as u64;
        if bytes > bytes_max {
            return Err(CliError::Check(format!("{path} is longer than the node said: {bytes_max} bytes")));
        }
        take(&piece)?;
    }
    Ok(())
}
