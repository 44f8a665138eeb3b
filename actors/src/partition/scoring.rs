//! The shards of a partition: started when a service first appears, found again by its name.

use std::collections::HashMap;
use std::sync::Arc;

use insighthub_detect::moving_average::MovingAverage;
use parking_lot::Mutex;
use ractor::{ActorRef, SupervisionEvent};

use super::heat::Heat;
use super::packing::Waiting;
use super::{PartitionMessage, Ticket};
use crate::detectors::{Detectors, rows_by_service};
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
    /// What is known of services whose shards have not started yet.
    restored: Detectors,
    /// Counts score requests: the age of a shard's last use.
    uses: u64,
}

#[derive(Debug)]
struct ShardHandle {
    mailbox: Mailbox<ShardMessage>,
    /// Where its next incarnation finds its detector.
    detector: Arc<Mutex<Option<MovingAverage>>>,
    last_use: u64,
}

impl Shards {
    pub(super) fn new(partition: Mailbox<PartitionMessage>, roster: Roster) -> Shards {
        Shards {
            partition,
            roster,
            children: Children::default(),
            by_service: HashMap::new(),
            restored: Detectors::default(),
            uses: 0,
        }
    }

    /// Starts over from what is stored: shards of an earlier leadership know less, or know what was lost.
    pub(super) fn restore(&mut self, detectors: Detectors) {
        for (_, shard) in std::mem::take(&mut self.by_service) {
            self.children.stop(&shard.mailbox.entry().name);
        }
        self.restored = detectors;
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
        for (service, rows) in rows_by_service(&batch) {
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

    /// Starts a shard that failed, with the detectors as they are stored.
    pub(super) async fn restart(
        &mut self,
        myself: &ActorRef<Queued<PartitionMessage>>,
        name: &str,
        mut stored: Detectors,
    ) {
        let failed = self.by_service.iter().find(|(_, shard)| shard.mailbox.entry().name == name);
        if let Some((service, shard)) = failed {
            *shard.detector.lock() = stored.take(service);
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
        let detector = Arc::new(Mutex::new(self.restored.take(service)));
        let arguments = ShardArguments { partition: self.partition.clone(), detector: Arc::clone(&detector) };
        let started =
            self.children.start(myself.get_cell(), &mailbox, move || (Shard, arguments.clone())).await;
        if let Err(error) = started {
            tracing::error!(service, %error, "a shard did not start; its records are stored without a score");
            return None;
        }
        let handle = ShardHandle { mailbox: mailbox.clone(), detector, last_use: self.uses };
        self.by_service.insert(service.to_owned(), handle);
        Some(mailbox)
    }

    fn stop_idle(&mut self) {
        let idle = self.by_service.iter().min_by_key(|(_, shard)| shard.last_use);
        let Some(service) = idle.map(|(service, _)| service.clone()) else { return };
        if let Some(shard) = self.by_service.remove(&service) {
            self.children.stop(&shard.mailbox.entry().name);
        }
    }
}
