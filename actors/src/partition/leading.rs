//! What a partition does because it leads: takes chunks in, limits services, and continues with the detectors
//! where the last leader was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use insighthub_storage::control::{ControlCommand, TopologyCommand};
use insighthub_storage::group::PartitionGroup;
use insighthub_storage::raft::NodeId;
use tokio::time::Instant;

use super::pressure::Pressure;
use super::service_count::OneTooMany;
use super::{State, packing};
use crate::ingest::{ChunkWork, IngestError};
use crate::rate_limit::Demand;

/// A head may grow to this many times its limit while the one before is written.
const HEADS_BEHIND_MAX: usize = 4;
/// A new leader that cannot confirm that it leads within this time does not take chunks yet.
const CONFIRM_WITHIN: Duration = Duration::from_millis(500);

impl State {
    /// The chunks, if this node leads and they are within the limits; otherwise they are answered.
    pub(super) async fn admit(&mut self, chunks: Vec<ChunkWork>) -> Option<Vec<ChunkWork>> {
        let refused = match self.lead().await {
            Err(leader) => Err(IngestError::NotLeader { leader }),
            Ok(()) => self
                .has_room()
                .and_then(|()| self.count_services(&chunks))
                .and_then(|()| self.take_rate(&chunks)),
        };
        match refused {
            Ok(()) => Some(chunks),
            Err(error) => {
                chunks.into_iter().for_each(|chunk| chunk.answer(Err(error.clone())));
                None
            }
        }
    }

    /// Makes sure that this node leads and knows what the last leader knew; else says who leads.
    async fn lead(&mut self) -> Result<(), Option<NodeId>> {
        let group = &self.arguments.group.group;
        let status = group.leadership();
        if !status.leads {
            self.led_term = None;
            return Err(status.leader);
        }
        if self.led_term == Some(status.term) {
            return Ok(());
        }
        // Entries of the last leader may be committed and not yet applied here.
        let confirm_by = Instant::now() + CONFIRM_WITHIN;
        match tokio::time::timeout_at(confirm_by, group.read_index()).await {
            Ok(Ok(index)) if group.wait_applied(index, confirm_by).await => {}
            _ => return Err(None),
        }
        self.shards.start_over();
        self.led_term = Some(status.term);
        Ok(())
    }

    /// False while the sealer does not keep up with the disk: taking more would only grow the head.
    fn has_room(&self) -> Result<(), IngestError> {
        let head = self.arguments.group.replica.head_size();
        let head_bytes_max = self.arguments.seal_rule.head_bytes_max;
        if head.bytes > HEADS_BEHIND_MAX * head_bytes_max || self.pressure.is_too_high(head_bytes_max) {
            let error = "the partition is waiting for its disk; send again in 1 s".to_owned();
            return Err(IngestError::Unavailable(error));
        }
        Ok(())
    }

    /// Sees what waits in all partitions of this node.
    pub(super) fn look_at_pressure(&mut self) {
        let size =
            |partition: PartitionGroup| (partition.replica.head_size(), partition.group.leadership().leads);
        let store = &self.arguments.cluster.store;
        let look = || Pressure::of(store.partitions().into_iter().map(size));
        self.pressure = self.arguments.node_pressure.get(std::time::Instant::now(), look);
    }

    /// Refuses all chunks where they bring more services than a partition may have.
    fn count_services(&mut self, chunks: &[ChunkWork]) -> Result<(), IngestError> {
        let services = chunks.iter().flat_map(|chunk| chunk.batch().services.iter().map(String::as_str));
        let counted = self.service_count.take(services, self.arguments.clock.now());
        counted.map_err(|OneTooMany { service, services_max, retry_after_secs }| {
            IngestError::TooManyServices { service, services_max, retry_after_secs }
        })
    }

    /// Takes the records of all services from their limits, or of none.
    fn take_rate(&mut self, chunks: &[ChunkWork]) -> Result<(), IngestError> {
        if !self.rate_limit.is_on() {
            return Ok(());
        }
        let mut services: BTreeMap<&str, usize> = BTreeMap::new();
        for chunk in chunks {
            let batch = chunk.batch();
            for service in &batch.service {
                let name = batch.services.get(usize::from(*service)).map_or("", String::as_str);
                *services.entry(name).or_default() += 1;
            }
        }
        let demands: Vec<_> = self.arguments.cluster.topology(|topology| {
            let demand = |(service, records)| {
                let spread = topology.spread.get(service).copied().unwrap_or(1);
                Demand { service, records, spread }
            };
            services.into_iter().map(demand).collect()
        });
        self.rate_limit
            .take(&demands, self.arguments.clock.now())
            .map_err(|(service, retry_after_secs)| IngestError::RateLimited { service, retry_after_secs })
    }

    /// Lets a service that is more than this leader can take be spread over twice as many partitions.
    pub(super) fn look_at_heat(&mut self) {
        let is_saturated = self.proposals >= packing::PROPOSALS_MAX && !self.packing.is_empty();
        let Some(service) = self.heat.look(is_saturated) else { return };
        let cluster = Arc::clone(&self.arguments.cluster);
        let spread = cluster.topology(|topology| topology.spread.get(&service).copied().unwrap_or(1));
        let partitions = spread.saturating_mul(2).min(cluster.store.identity.partitions);
        if partitions <= spread {
            return;
        }
        tracing::info!(service, partitions, "one partition is too few for a service: it is spread wider");
        tokio::spawn(async move {
            let command = ControlCommand::Topology(TopologyCommand::Spread { service, partitions });
            if let Err(error) = cluster.propose_control(command).await {
                tracing::warn!(%error, "a service was not spread; it is tried again while it is too much");
            }
        });
    }
}
