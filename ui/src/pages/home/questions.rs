//! What Home asks the cluster, and how often.

use std::rc::Rc;

use yew::hook;

use crate::api::aggregates::Aggregates;
use crate::api::anomalies::{Anomalies, Incidents, MinutesByService, PatternDifference};
use crate::api::cluster::Cluster;
use crate::api::error::ApiError;
use crate::api::logs::Service as Sender;
use crate::browser::clock;
use crate::hooks::answer::{Asked, asking, use_answer};
use crate::network::requests::{aggregates, anomalies, cluster, logs, overview};
use crate::state::analytics::grid::{Grid, OfGrid};
use crate::state::home::figures::Figures;
use crate::state::range::Range;

/// Figures, incidents and the cluster.
const RENEW_MS: u32 = 10_000;
/// What changed in an hour changes little in less.
const CHANGES_RENEW_MS: u32 = 60_000;
/// What is usual changes little in minutes.
const USUAL_RENEW_MS: u32 = 300_000;
/// Steps of a chart of Home.
const STEPS_MAX: usize = 72;
const HOUR_MINUTES: usize = 60;
/// What is usual is what the day before the last hour was like.
const DAY_MINUTES: usize = 1_440;
/// Changes that are asked for; fewer are shown.
const CHANGES: u32 = 30;

/// The answers so far.
pub(super) struct Overview {
    pub(super) figures: Asked<Figures>,
    pub(super) usual: Asked<OfGrid<Aggregates>>,
    pub(super) episodes: Asked<Anomalies>,
    pub(super) alerts: Asked<Incidents>,
    pub(super) cluster: Asked<Cluster>,
    pub(super) changes: Asked<PatternDifference>,
}

#[hook]
pub(super) fn use_overview(range: Range) -> Overview {
    Overview {
        figures: use_answer(range, Some(RENEW_MS), |range| asking(figures(*range))),
        usual: use_answer((), Some(USUAL_RENEW_MS), |()| {
            let day = Grid::last_minutes(clock::now_ms(), DAY_MINUTES);
            asking(aggregates::by_service(day.earlier(HOUR_MINUTES as i64 * 60_000)))
        }),
        episodes: use_answer((), Some(RENEW_MS), |()| asking(anomalies::open())),
        alerts: use_answer((), Some(RENEW_MS), |()| asking(overview::firing())),
        cluster: use_answer((), Some(RENEW_MS), |()| asking(cluster::cluster())),
        changes: use_answer((), Some(CHANGES_RENEW_MS), |()| {
            asking(overview::changes("", Grid::last_minutes(clock::now_ms(), HOUR_MINUTES), CHANGES))
        }),
    }
}

async fn figures(range: Range) -> Result<Figures, ApiError> {
    let now_ms = clock::now_ms();
    let grid = Grid::over(range.at(now_ms), now_ms, STEPS_MAX);
    let hour = Grid::last_minutes(now_ms, HOUR_MINUTES);
    let (totals, recent) =
        futures_util::future::try_join(aggregates::by_service(grid), aggregates::by_service_and_time(hour))
            .await?;
    let course = if grid == hour { recent.clone() } else { aggregates::by_service_and_time(grid).await? };
    Ok(Figures { totals, course, recent })
}

/// Scores of these services over the range.
#[hook]
pub(super) fn use_scores(services: Vec<String>, range: Range) -> Asked<OfGrid<MinutesByService>> {
    use_answer((services, range), Some(RENEW_MS), |(services, range)| {
        let now_ms = clock::now_ms();
        let grid = Grid::over(range.at(now_ms), now_ms, STEPS_MAX);
        let services = services.clone();
        asking(async move { Ok(OfGrid { grid, value: anomalies::windows_of(services, grid).await? }) })
    })
}

/// Who has ever sent a record, as far as it is known.
#[hook]
pub(super) fn use_senders() -> Option<Rc<Vec<Sender>>> {
    use_answer((), Some(RENEW_MS), |()| asking(logs::services())).value().cloned()
}
