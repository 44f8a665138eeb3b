//! Asks for what detectors found out, as many times as a page needs.

use std::time::Duration;

use insighthub_actors::detection::{self, EpisodesWanted};
use insighthub_model::detection::{Episode, EpisodeId, ServiceWindow, Verdict};
use insighthub_model::{PartitionId, Timestamp};
use insighthub_storage::cluster::Coverage;
use tokio::time::Instant;

use super::wanted::Wanted;
use super::{ApiError, AppState};

const DEADLINE: Duration = Duration::from_secs(30);
/// A page that takes only some of the incidents ends after so many looks, even where it is not full.
const LOOKS_MAX: usize = 20;
/// Minutes of a page: a day.
const WINDOWS_MAX: usize = 1_440;
/// What a service has at one moment, minutes or episodes: one in each partition.
const MOMENT_MAX: usize = 1_024;

/// One question under way, and what its answer rests on so far.
pub(super) struct Reading<'a> {
    node: &'a AppState,
    deadline: Instant,
    pub(super) coverage: Coverage,
}

#[derive(Debug, Default)]
pub(super) struct EpisodePage {
    /// Newest first.
    pub(super) episodes: Vec<(EpisodeId, Episode)>,
    /// The one the next page begins behind.
    pub(super) next: Option<EpisodeId>,
}

impl Reading<'_> {
    pub(super) fn begin(node: &AppState) -> Reading<'_> {
        Reading { node, deadline: Instant::now() + DEADLINE, coverage: Coverage::default() }
    }

    /// Up to `limit` episodes that are wanted, their templates in words.
    pub(super) async fn episodes(
        &mut self,
        wanted: &Wanted,
        limit: usize,
        verdict: impl Fn(&EpisodeId) -> Option<Verdict>,
    ) -> Result<EpisodePage, ApiError> {
        let mut page = self.page(wanted, limit, verdict).await?;
        detection::put_words(&self.node.cluster, &mut page.episodes, self.deadline).await;
        Ok(page)
    }

    async fn page(
        &mut self,
        wanted: &Wanted,
        limit: usize,
        verdict: impl Fn(&EpisodeId) -> Option<Verdict>,
    ) -> Result<EpisodePage, ApiError> {
        let mut asked = EpisodesWanted {
            service: wanted.service.clone(),
            from: wanted.from,
            to: wanted.to,
            before: wanted.after.clone(),
            limit: limit as u32 + 1,
        };
        let mut page = EpisodePage::default();
        for _ in 0..LOOKS_MAX {
            let found = self.ask(&asked).await?;
            let (count, last) = (found.len(), found.last().map(|(id, _)| id.clone()));
            for (id, episode) in found {
                if !wanted.fits(&episode, || verdict(&id)) {
                    continue;
                }
                if page.episodes.len() == limit {
                    page.next = page.episodes.last().map(|(id, _)| id.clone());
                    return Ok(page);
                }
                page.episodes.push((id, episode));
            }
            page.next = last.filter(|_| count > limit);
            if page.next.is_none() {
                break;
            }
            asked.before.clone_from(&page.next);
        }
        Ok(page)
    }

    /// One episode, if it is still kept.
    pub(super) async fn episode(&mut self, id: &EpisodeId) -> Result<Option<Episode>, ApiError> {
        let asked = EpisodesWanted {
            service: Some(id.service.clone()),
            from: Some(id.opened_at),
            to: Some(id.opened_at),
            before: None,
            limit: MOMENT_MAX as u32,
        };
        let found = self.ask(&asked).await?;
        Ok(found.into_iter().find(|(found, _)| found == id).map(|(_, episode)| episode))
    }

    /// Up to a day of a service's minutes, oldest first, and the moment the next page begins at.
    pub(super) async fn windows(
        &mut self,
        service: &str,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<(Vec<ServiceWindow>, Option<Timestamp>), ApiError> {
        let range = (from.unwrap_or(Timestamp(i64::MIN)), to.unwrap_or(Timestamp::MAX));
        let limit = (WINDOWS_MAX + MOMENT_MAX) as u32;
        let (found, coverage) =
            detection::windows(&self.node.cluster, service, range, limit, self.deadline).await?;
        self.coverage = coverage;
        Ok(cut(found.into_iter().map(|(_, window): (PartitionId, _)| window).collect()))
    }

    async fn ask(&mut self, asked: &EpisodesWanted) -> Result<Vec<(EpisodeId, Episode)>, ApiError> {
        let (found, coverage) = detection::episodes(&self.node.cluster, asked, self.deadline).await?;
        self.coverage.partitions = coverage.partitions;
        self.coverage.missing.extend(coverage.missing);
        self.coverage.stale.extend(coverage.stale);
        Ok(found)
    }
}

/// A page of what was found: all minutes of one moment are on one page, as a moment is where the next one begins.
fn cut(mut windows: Vec<ServiceWindow>) -> (Vec<ServiceWindow>, Option<Timestamp>) {
    let Some(end) = windows.get(WINDOWS_MAX).map(|next| next.end) else { return (windows, None) };
    windows.retain(|window| window.end < end);
    (windows, Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(end: i64) -> ServiceWindow {
        ServiceWindow {
            end: Timestamp(end),
            score: 0.0,
            is_warming_up: false,
            records: 1,
            latency_ms: None,
            rate_band: (0.0, 1.0),
            latency_due_ms: 1.0,
            channels: Vec::new(),
        }
    }

    #[test]
    fn the_minutes_of_one_moment_stay_together() {
        let few: Vec<_> = (0..WINDOWS_MAX as i64).map(window).collect();
        assert_eq!(cut(few.clone()), (few, None));
        // Two partitions: each moment comes twice, and the page would end between such two.
        let last = WINDOWS_MAX as i64 / 2;
        let twice: Vec<_> =
            [-1].into_iter().chain((0..=last).flat_map(|end| [end, end])).map(window).collect();
        let (page, next) = cut(twice);
        assert_eq!(next, Some(Timestamp(last - 1)));
        assert_eq!(page.len(), WINDOWS_MAX - 1);
        assert!(page.iter().all(|window| window.end.0 < last - 1));
    }
}
