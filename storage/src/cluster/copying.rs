//! Copies for a backup: the state of a group as of now, and the block files it names, from whichever node has them.

use std::time::Duration;

use bytes::Bytes;
use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::Cluster;
use super::message::{Failure, Request, Response};
use super::service::BLOCK_PIECE_BYTES_MAX;
use crate::command::Command;
use crate::group::PartitionGroup;
use crate::raft::NodeId;
use crate::snapshot::{self, Snapshot, StoredSnapshot};
use crate::store::group_of;

/// A seal, its block and its snapshot take a second where the disk is busy.
const COPY_DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks whether a head has become a block.
const PAUSE: Duration = Duration::from_millis(20);
/// No copy by then: the seal met an empty head, or its block takes long. Another one does no harm.
const SEAL_AGAIN_AFTER: Duration = Duration::from_secs(1);
const CONTROL_DEADLINE: Duration = Duration::from_secs(5);
const PIECE_DEADLINE: Duration = Duration::from_secs(10);

impl Cluster {
    /// A partition's state with everything acknowledged before the call, as a snapshot's file holds it; its records are
    /// in the blocks it names.
    pub async fn copy_partition(&self, partition: PartitionId) -> Result<Bytes, Failure> {
        let deadline = Instant::now() + COPY_DEADLINE;
        let mut last = match self.whole(partition) {
            Ok(replica) => match self.copy_here(replica, deadline).await {
                Ok(copy) => return Ok(copy),
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        for node in self.holders_of(partition) {
            let request = Request::CopyPartition { partition };
            match self.ask(node, group_of(partition), &request, COPY_DEADLINE).await {
                Ok(Response::Copy(copy)) => return Ok(copy),
                Ok(_) => last = Failure::Unknown("a peer gave an answer of another kind".into()),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// The same from the replica on this node.
    pub(super) async fn copy_here(
        &self,
        replica: PartitionGroup,
        deadline: Instant,
    ) -> Result<Bytes, Failure> {
        let partition = replica.replica.partition();
        if !self.catch_up(std::slice::from_ref(&replica), deadline).await.is_empty() {
            return Err(Failure::Unavailable(format!(
                "partition {partition} has no leader that confirms it"
            )));
        }
        let since = replica.group.status().applied_index.unwrap_or(0);
        let mut sealed_at: Option<Instant> = None;
        loop {
            if let Some(copy) = replica.replica.copy_since(since) {
                return encode(&copy);
            }
            if sealed_at.is_none_or(|at| at.elapsed() > SEAL_AGAIN_AFTER) {
                self.propose_to(partition, Command::Seal).await?;
                sealed_at = Some(Instant::now());
            }
            if Instant::now() + PAUSE >= deadline {
                return Err(Failure::Unavailable(format!("partition {partition} does not seal its head")));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Users, tokens and settings, as a snapshot's file holds them.
    pub async fn copy_control(&self) -> Result<Bytes, Failure> {
        let control = &self.store.control;
        if !self.catch_up_control(Instant::now() + CONTROL_DEADLINE).await {
            return Err(Failure::Unavailable("the control group has no leader that confirms it".into()));
        }
        let index = control.group.status().applied_index.unwrap_or(0);
        let meta = openraft::SnapshotMeta {
            last_log_id: Some(openraft::LogId::new(openraft::CommittedLeaderId::new(0, 0), index)),
            ..openraft::SnapshotMeta::default()
        };
        let state = control.replica.read(crate::control::ControlState::portable);
        encode(&StoredSnapshot { meta, snapshot: Snapshot::Control(state) })
    }

    /// The next piece of a block's file; empty behind its end. `None` where no node that answers has it: it was merged
    /// or has expired since it was listed.
    pub async fn copy_block_piece(
        &self,
        partition: PartitionId,
        file_name: &str,
        offset: u64,
    ) -> Option<Bytes> {
        if let Some(piece) = self.block_piece_here(partition, file_name, offset).await {
            return Some(piece);
        }
        for node in self.holders_of(partition) {
            if let Some(piece) = self.block_piece_at(node, partition, file_name, offset).await {
                return Some(piece);
            }
        }
        None
    }

    async fn block_piece_here(&self, partition: PartitionId, file_name: &str, offset: u64) -> Option<Bytes> {
        let replica = self.whole(partition).ok()?.replica;
        let file_name = file_name.to_owned();
        let reading = move || replica.read_block_file(&file_name, offset, BLOCK_PIECE_BYTES_MAX);
        crate::simulation::spawn_blocking(reading).await.ok()?.ok()
    }

    async fn block_piece_at(
        &self,
        node: NodeId,
        partition: PartitionId,
        file_name: &str,
        offset: u64,
    ) -> Option<Bytes> {
        let file_name = file_name.to_owned();
        let request = Request::ReadBlock { partition, file_name, offset, bytes: BLOCK_PIECE_BYTES_MAX };
        match self.ask(node, group_of(partition), &request, PIECE_DEADLINE).await {
            Ok(Response::Block(piece)) => Some(piece),
            _ => None,
        }
    }
}

fn encode(copy: &StoredSnapshot) -> Result<Bytes, Failure> {
    let bytes = snapshot::encode(copy).map_err(|error| Failure::Invalid(error.to_string()))?;
    Ok(bytes.into())
}
