//! The shards of a partition: started when a service first appears, found again by its name.

use std::collections::HashMap;
use std::sync::Arc;

use insighthub_storage::partition::PartitionReplica;
use parking_lot::Mutex;
use ractor::{ActorRef, SupervisionEvent};

use super::heat::Heat;
use super::packing::Waiting;
use super::{PartitionMessage, Ticket};
use crate::detection::{Detection, ShardScorer, rows_by_service};
use crate::mailbox::{Mailbox, Queued};
use crate::roster::Roster;
use crate::shard::{Shard, ShardArguments, ShardMessage};
use crate::supervision::Children;

/// Shards a partition keeps; beyond that the one that was idle for longest makes room.
const SHARDS_MAX: usize = 4_096;

#[derive(Debug)]
pub(super) struct Shards {
    partition: Mailbox<PartitionMessage>,
    roster: Roster,
    children: Children,
    by_service: HashMap<String, ShardHandle>,
    detection: Arc<Detection>,
    replica: Arc<PartitionReplica>,
    /// Counts score requests: the age of a shard's last use.
    uses: u64,
}

#[derive(Debug)]
struct ShardHandle {
    mailbox: Mailbox<ShardMessage>,
    /// Where its next incarnation finds what to score with.
    scorer: Arc<Mutex<Option<ShardScorer>>>,
    last_use: u64,
}

impl Shards {
    pub(super) fn new(
        partition: Mailbox<PartitionMessage>,
        roster: Roster,
        detection: Arc<Detection>,
        replica: Arc<PartitionReplica>,
    ) -> Shards {
        Shards {
            partition,
            roster,
            children: Children::default(),
            by_service: HashMap::new(),
            detection,
            replica,
            uses: 0,
        }
    }

    /// Starts over from what is stored: shards of an earlier leadership know less, or know what was lost.
    pub(super) fn start_over(&mut self) {
        for (_, shard) in std::mem::take(&mut self.by_service) {
            self.children.stop(&shard.mailbox.entry().name);
        }
    }

    /// Sends each service's rows of a chunk to its shard; those that cannot be sent stay unscored.
    pub(super) async fn score(
        &mut self,
        myself: &ActorRef<Queued<PartitionMessage>>,
        ticket: Ticket,
        waiting: &mut Waiting,
        heat: &mut Heat,
    ) {
        let batch = Arc::clone(waiting.work.batch());
        for (service, rows) in rows_by_service(&batch, 0..batch.len() as u32) {
            heat.count(service, rows.len());
            let Some(shard) = self.shard(myself, service).await else { continue };
            let message = ShardMessage::Score { ticket, batch: Arc::clone(&batch), rows };
            waiting.shards_missing += usize::from(shard.send(message).is_ok());
        }
    }

    pub(super) fn hear(&mut self, event: &SupervisionEvent) {
        let Some(restart) = self.children.hear(event) else { return };
        let partition = self.partition.clone();
        tokio::spawn(async move {
            tokio::time::sleep(restart.after).await;
            drop(partition.send(PartitionMessage::RestartShard(restart.name)));
        });
    }

    /// Starts a shard that failed, with what is known from the log.
    pub(super) async fn restart(&mut self, myself: &ActorRef<Queued<PartitionMessage>>, name: &str) {
        let failed = self.by_service.iter().find(|(_, shard)| shard.mailbox.entry().name == name);
        if let Some((service, shard)) = failed {
            let scorer = self.scorer(service).await;
            *shard.scorer.lock() = scorer;
        }
        if let Some(again) = self.children.restart(myself.get_cell(), name).await {
            let partition = self.partition.clone();
            tokio::spawn(async move {
                tokio::time::sleep(again.after).await;
                drop(partition.send(PartitionMessage::RestartShard(again.name)));
            });
        }
    }

    /// Makes the shard that was used last fail.
    pub(super) fn fail_one(&self) {
        let last = self.by_service.values().max_by_key(|shard| shard.last_use);
        if let Some(shard) = last {
            drop(shard.mailbox.send(ShardMessage::Fail));
        }
    }

    async fn shard(
        &mut self,
        myself: &ActorRef<Queued<PartitionMessage>>,
        service: &str,
    ) -> Option<Mailbox<ShardMessage>> {
        self.uses += 1;
        if let Some(shard) = self.by_service.get_mut(service) {
            shard.last_use = self.uses;
            return Some(shard.mailbox.clone());
        }
        if self.by_service.len() >= SHARDS_MAX {
            self.stop_idle();
        }
        let mailbox = Mailbox::new(&self.roster, "shard", format!("shard {service}"));
        let scorer = Arc::new(Mutex::new(self.scorer(service).await));
        let arguments = ShardArguments { partition: self.partition.clone(), scorer: Arc::clone(&scorer) };
        let started =
            self.children.start(myself.get_cell(), &mailbox, move || (Shard, arguments.clone())).await;
        if let Err(error) = started {
            tracing::error!(service, %error, "a shard did not start; its records are stored without a score");
            return None;
        }
        let handle = ShardHandle { mailbox: mailbox.clone(), scorer, last_use: self.uses };
        self.by_service.insert(service.to_owned(), handle);
        Some(mailbox)
    }

    /// What to score a service's records with, as of everything applied.
    async fn scorer(&self, service: &str) -> Option<ShardScorer> {
        let (detection, replica, service) =
            (Arc::clone(&self.detection), Arc::clone(&self.replica), service.to_owned());
        let reading = tokio::task::spawn_blocking(move || detection.record_scorer(&replica, &service));
        reading.await.inspect_err(|error| tracing::error!(%error, "records are stored without a score")).ok()
    }

    fn stop_idle(&mut self) {
        let idle = self.by_service.iter().min_by_key(|(_, shard)| shard.last_use);
        let Some(service) = idle.map(|(service, _)| service.clone()) else { return };
        if let Some(shard) = self.by_service.remove(&service) {
            self.children.stop(&shard.mailbox.entry().name);
        }
    }
}
