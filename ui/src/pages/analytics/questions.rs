//! What Analytics asks the cluster, and how often.

use yew::hook;

use crate::api::aggregates::Aggregates;
use crate::api::anomalies::{Anomalies, Heatmap, MinutesByService};
use crate::browser::clock;
use crate::hooks::answer::{Asked, asking, use_answer};
use crate::network::requests::{aggregates, anomalies};
use crate::state::analytics::grid::{Grid, OfGrid};
use crate::state::range::Range;

/// A range that follows the clock.
const RENEW_MS: u32 = 15_000;
const STEPS_MAX: usize = 96;
const DAY_MS: i64 = 86_400_000;
/// Scores of all services are read for at most so long: they come minute by minute.
pub(super) const SCORES_OF_ALL_SECS: u64 = 86_400;

/// What was is not asked again.
fn renewal(range: Range) -> Option<u32> {
    range.follows_now().then_some(RENEW_MS)
}

fn grid(range: Range) -> Grid {
    let now_ms = clock::now_ms();
    Grid::over(range.at(now_ms), now_ms, STEPS_MAX)
}

/// Each service, step by step.
#[hook]
pub(super) fn use_by_service(range: Range) -> Asked<OfGrid<Aggregates>> {
    use_answer(range, renewal(range), |range| asking(aggregates::by_service_and_time(grid(*range))))
}

/// Now, and the same a day before.
pub(super) type Course = (OfGrid<Aggregates>, OfGrid<Aggregates>);

/// One service or all together.
#[hook]
pub(super) fn use_course(service: &str, range: Range) -> Asked<Course> {
    use_answer((service.to_owned(), range), renewal(range), |(service, range)| {
        let (service, grid) = (service.clone(), grid(*range));
        asking(async move {
            let before = grid.earlier(DAY_MS);
            futures_util::future::try_join(
                aggregates::by_time(&service, grid),
                aggregates::by_time(&service, before),
            )
            .await
        })
    })
}

#[hook]
pub(super) fn use_heatmap(service: &str, range: Range) -> Asked<Heatmap> {
    use_answer((service.to_owned(), range), renewal(range), |(service, range)| {
        let (service, grid) = (service.clone(), grid(*range));
        asking(async move { aggregates::heatmap(&service, grid).await })
    })
}

/// The minutes of each of these services.
#[hook]
pub(super) fn use_windows(services: Vec<String>, range: Range) -> Asked<OfGrid<MinutesByService>> {
    use_answer((services, range), renewal(range), |(services, range)| {
        if services.is_empty() {
            return None;
        }
        let (services, grid) = (services.clone(), grid(*range));
        asking(async move { Ok(OfGrid { grid, value: anomalies::windows_of(services, grid).await? }) })
    })
}

/// Incidents that were going on in the range.
#[hook]
pub(super) fn use_episodes(service: &str, range: Range) -> Asked<Anomalies> {
    use_answer((service.to_owned(), range), renewal(range), |(service, range)| {
        let (service, grid) = (service.clone(), grid(*range));
        asking(async move { anomalies::during(&service, grid).await })
    })
}
