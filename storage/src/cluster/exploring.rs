//! What a range of records looks like, asked of all partitions: every replica looks, this node puts together.

use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::Cluster;
use super::message::{Request, Response};
use super::questions::{filter, refusal};
use super::scatter::{Coverage, Question, Refusal};
use crate::group::PartitionGroup;
use crate::partition::ReadView;
use crate::query::exploring::{Seen, Wanted, explore};
use crate::query::pipeline::Counts;
use crate::query::{Budget, Conditions};

/// What is to be seen of every partition.
#[derive(Clone, Debug)]
pub struct ExploreQuestion {
    /// Stages of its query are not looked at.
    pub conditions: Conditions,
    pub wanted: Wanted,
}

/// The whole answer.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    pub seen: Seen,
    pub counts: Counts,
    pub coverage: Coverage,
}

impl Question for ExploreQuestion {
    type Part = (Seen, Counts);

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        let (conditions, wanted) = (self.conditions.clone(), self.wanted.clone());
        Request::Explore { partitions, conditions, wanted, deadline_ms }
    }

    fn part(response: Response) -> Option<(Self::Part, Vec<PartitionId>)> {
        match response {
            Response::Explore { seen, counts, stale } => Some(((*seen, counts), stale)),
            _ => None,
        }
    }

    fn response((seen, counts): Self::Part, stale: Vec<PartitionId>) -> Response {
        Response::Explore { seen: Box::new(seen), counts, stale }
    }

    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<Self::Part, Refusal> {
        let filter = filter(&self.conditions)?;
        let views: Vec<ReadView> = replicas.iter().map(|replica| replica.replica.view()).collect();
        let sources: Vec<_> = views.iter().flat_map(ReadView::sources).collect();
        explore(&sources, &filter, &self.wanted, budget).map_err(refusal)
    }
}

impl Cluster {
    /// Looks at the records the conditions mean. Times before now must have been made exact.
    pub async fn explore(
        &self,
        conditions: Conditions,
        wanted: Wanted,
        deadline: Instant,
    ) -> Result<Explored, Refusal> {
        let question = ExploreQuestion { conditions, wanted };
        let gathered = self.scatter(&question, self.store.all_partitions(), deadline).await?;
        let (parts, coverage) = (gathered.parts, gathered.coverage);
        // Thousands of values of many fields are no work for a thread that others wait for.
        let merging = crate::simulation::spawn_blocking(move || {
            let (mut seen, mut counts) = (Seen::default(), Counts::default());
            for (part, cost) in parts {
                counts.add(cost);
                seen.merge(part, &question.wanted).map_err(refusal)?;
            }
            Ok((seen, counts))
        });
        let (seen, counts) = merging.await.map_err(|error| Refusal::Internal(error.to_string()))??;
        Ok(Explored { seen, counts, coverage })
    }
}
