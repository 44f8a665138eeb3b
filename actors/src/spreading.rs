//! Where the records of services go that are spread over several partitions, request by request.
//!
//! Which services those are is control state. For a request that a retry may repeat, the service's home partition
//! decides first (`model::spread_plan`); plans are asked for once in some hundred batches and remembered here.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use insighthub_model::PartitionId;
use insighthub_model::routing::{Route, Routes, partition_of, partitions_of};
use insighthub_model::spread_plan::SpreadPlan;
use insighthub_storage::cluster::Cluster;
use insighthub_storage::cluster::message::Failure;
use insighthub_storage::command::{Applied, Command, PlanSpread};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::ingest::IngestError;

/// Plans remembered; more are asked for again.
const PLANS_MAX: usize = 50_000;
/// Before a home partition that does not answer is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// The producer of a request and the number it gave it.
pub type Source = (String, u64);

/// What this node knows of spread services.
#[derive(Debug, Clone)]
pub struct Spreading {
    cluster: Arc<Cluster>,
    plans: Arc<Mutex<Plans>>,
    /// Whose turn it is among the partitions of a service, for requests without a number of their own.
    turns: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Plans {
    by_service: HashMap<String, HashMap<String, SpreadPlan>>,
    count: usize,
}

impl Spreading {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Spreading {
        Spreading { cluster, plans: Arc::default(), turns: Arc::default() }
    }

    /// The routes of one request.
    pub fn routes<'a>(&'a self, source: Option<&'a Source>) -> RequestRoutes<'a> {
        RequestRoutes { spreading: self, source, turn: self.turns.fetch_add(1, Ordering::Relaxed) }
    }

    /// The routes of a request that is known by what it holds: a retry takes the same.
    pub fn routes_of_content(&self, digest: u128) -> RequestRoutes<'_> {
        RequestRoutes { spreading: self, source: None, turn: digest as u64 }
    }

    /// Asks the home partitions of services where this batch's records belong; from then on the routes know.
    pub async fn decide(
        &self,
        source: &Source,
        services: &BTreeSet<String>,
        deadline: Instant,
    ) -> Result<(), IngestError> {
        for service in services {
            let plan = self.ask_home(source, service, deadline).await?;
            self.plans.lock().remember(service, &source.0, plan);
        }
        Ok(())
    }

    /// Forgets what was decided for a producer: a partition said that it is otherwise.
    pub fn forget(&self, producer: &str) {
        self.plans.lock().forget(producer);
    }

    async fn ask_home(
        &self,
        source: &Source,
        service: &str,
        deadline: Instant,
    ) -> Result<SpreadPlan, IngestError> {
        let (producer, sequence) = source;
        let home = partition_of(service, self.partitions());
        let plan = PlanSpread {
            producer: producer.clone(),
            service: service.to_owned(),
            sequence: *sequence,
            partitions: self.spread_of(service).unwrap_or(1),
        };
        loop {
            match self.cluster.propose_to(home, Command::PlanSpread(plan.clone())).await {
                Ok(Applied::SpreadPlanned(plan)) => return Ok(plan),
                Ok(other) => return Err(IngestError::Unavailable(format!("the log answered {other:?}"))),
                Err(Failure::Invalid(reason)) => return Err(IngestError::Unavailable(reason)),
                // Deciding twice decides the same.
                Err(failure) if Instant::now() + PAUSE >= deadline => {
                    return Err(IngestError::Unavailable(failure.to_string()));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn partitions(&self) -> u16 {
        self.cluster.store.identity.partitions
    }

    fn spread_of(&self, service: &str) -> Option<u16> {
        self.cluster.topology(|topology| topology.spread.get(service).copied())
    }
}

impl Plans {
    fn get(&self, service: &str, producer: &str) -> Option<&SpreadPlan> {
        self.by_service.get(service)?.get(producer)
    }

    fn remember(&mut self, service: &str, producer: &str, plan: SpreadPlan) {
        if self.count >= PLANS_MAX {
            *self = Plans::default();
        }
        let of_service = self.by_service.entry(service.to_owned()).or_default();
        if of_service.insert(producer.to_owned(), plan).is_none() {
            self.count += 1;
        }
    }

    fn forget(&mut self, producer: &str) {
        for of_service in self.by_service.values_mut() {
            self.count -= usize::from(of_service.remove(producer).is_some());
        }
    }
}

/// See [`Spreading::routes`].
#[derive(Debug)]
pub struct RequestRoutes<'a> {
    spreading: &'a Spreading,
    source: Option<&'a Source>,
    turn: u64,
}

impl Routes for RequestRoutes<'_> {
    fn route(&self, service: &str) -> Route {
        let partitions = self.spreading.partitions();
        let home = || Route::Shared(partition_of(service, partitions));
        let Some(spread) = self.spreading.spread_of(service) else { return home() };
        let Some((producer, sequence)) = self.source else {
            return Route::Shared(turn_of(&partitions_of(service, partitions, spread), self.turn));
        };
        let plans = self.spreading.plans.lock();
        match plans.get(service, producer) {
            Some(plan) if plan.is_decided(*sequence) => {
                plan.partition_at(*sequence, service, partitions).map_or_else(home, Route::Apart)
            }
            _ => Route::Undecided,
        }
    }
}

fn turn_of(spread: &[PartitionId], turn: u64) -> PartitionId {
    let at = turn % spread.len().max(1) as u64;
    spread.get(at as usize).copied().unwrap_or(PartitionId(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_bounded_and_forgotten_by_producer() {
        let mut plans = Plans::default();
        for producer in 0..PLANS_MAX {
            plans.remember("pay", &producer.to_string(), SpreadPlan::default());
        }
        plans.remember("mail", "7", SpreadPlan::default());
        assert_eq!(plans.count, 1, "a full memory starts over");
        plans.remember("pay", "7", SpreadPlan::default());
        plans.remember("pay", "8", SpreadPlan::default());
        plans.forget("7");
        assert!(plans.get("mail", "7").is_none() && plans.get("pay", "7").is_none());
        assert!(plans.get("pay", "8").is_some());
        assert_eq!(plans.count, 1);
    }
}
