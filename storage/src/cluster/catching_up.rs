//! A replica that lags too far for entries gets a snapshot: the list of blocks. It fetches the blocks it
//! lacks from the leader, piece by piece, and checks each before it counts as there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::Cluster;
use super::message::{Request, Response};
use super::service::BLOCK_PIECE_BYTES_MAX;
use crate::block::BlockMeta;
use crate::group::PartitionGroup;
use crate::raft::NodeId;
use crate::raft::service::SnapshotMessage;
use crate::snapshot::Snapshot;
use crate::store::{group_of, partition_of_group};
use crate::wal::GroupId;

/// One piece; a peer that does not send it by then is tried again by the leader.
const PIECE_DEADLINE: Duration = Duration::from_secs(10);

/// Brings every block here that the snapshot names.
pub(super) async fn fetch_blocks(
    cluster: &Arc<Cluster>,
    from: NodeId,
    group: GroupId,
    message: &SnapshotMessage,
) -> Result<(), String> {
    let Some(partition) = partition_of_group(group) else { return Ok(()) };
    let replica = cluster.store.partition(partition).ok_or("the replica is gone")?;
    cluster.fetch_missing(from, &replica, message.snapshot()).await
}

impl Cluster {
    /// The same for a replica.
    pub(super) async fn fetch_missing(
        &self,
        from: NodeId,
        replica: &PartitionGroup,
        snapshot: &Snapshot,
    ) -> Result<(), String> {
        let Snapshot::Partition(snapshot) = snapshot else { return Ok(()) };
        let partition = replica.replica.partition();
        let (looking, wanted) = (Arc::clone(&replica.replica), snapshot.clone());
        let missing = crate::simulation::spawn_blocking(move || looking.missing_blocks(&wanted));
        let missing = missing.await.map_err(|error| error.to_string())?;
        if !missing.is_empty() {
            let bytes: u64 = missing.iter().map(|meta| meta.bytes).sum();
            tracing::info!(%partition, blocks = missing.len(), bytes, from, "fetching blocks from a peer");
        }
        for meta in missing {
            self.fetch_block(from, replica, &meta).await?;
        }
        Ok(())
    }

    /// Fetches one block of a partition from a peer and puts it in place once it is found whole.
    async fn fetch_block(
        &self,
        from: NodeId,
        replica: &PartitionGroup,
        meta: &BlockMeta,
    ) -> Result<(), String> {
        let content = self.read_peers_block(from, replica.replica.partition(), meta).await?;
        let (replica, meta) = (Arc::clone(&replica.replica), meta.clone());
        let storing = crate::simulation::spawn_blocking(move || replica.store_fetched(&meta, &content));
        storing.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// The bytes of a peer's block file, piece by piece, within the bound for transfers.
    pub(super) async fn read_peers_block(
        &self,
        from: NodeId,
        partition: PartitionId,
        meta: &BlockMeta,
    ) -> Result<Bytes, String> {
        let mut content = Vec::with_capacity(usize::try_from(meta.bytes).unwrap_or(0));
        loop {
            let started = Instant::now();
            let request = Request::ReadBlock {
                partition,
                file_name: meta.file_name.clone(),
                offset: content.len() as u64,
                bytes: BLOCK_PIECE_BYTES_MAX,
            };
            let answer = self.ask(from, group_of(partition), &request, PIECE_DEADLINE).await;
            match answer.map_err(|failure| failure.to_string())? {
                // The peer's file may be longer or shorter than ours was: another codec, the same content.
                Response::Block(piece) if piece.is_empty() => return Ok(content.into()),
                Response::Block(piece) => {
                    content.extend_from_slice(&piece);
                    self.hold_back(piece.len() as u64, started).await;
                }
                _ => return Err(format!("the peer does not send block {}", meta.file_name)),
            }
        }
    }

    /// Keeps what replicas moving here take within its bound.
    async fn hold_back(&self, bytes: u64, since: Instant) {
        let nanos = bytes.saturating_mul(1_000_000_000) / self.limits.transfer_bytes_per_sec.max(1);
        tokio::time::sleep_until(since + Duration::from_nanos(nanos)).await;
    }
}
