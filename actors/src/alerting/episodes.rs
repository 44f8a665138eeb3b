//! Episodes of anomalies, as the detectors of all partitions tell them, judged by a rule.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{AnomalyCount, Rule};
use insighthub_model::detection::{Episode, EpisodeId};
use insighthub_storage::cluster::{Cluster, Coverage, Refusal};
use tokio::time::Instant;

use super::cause;
use super::judging::{Figures, Judgement, Window, evidence};
use super::looking::Judged;
use crate::detection::{EpisodesWanted, episodes, put_words};

/// Episodes of one window: more are a storm, and the newest tell of it.
const EPISODES_MAX: u32 = 500;

pub(super) async fn judge(
    cluster: &Cluster,
    rule: &Rule,
    of: &AnomalyCount,
    window: Window,
    deadline: Instant,
) -> Result<Judged, Refusal> {
    let (mut found, coverage) = read(cluster, rule, window, deadline).await?;
    found.retain(|(_, episode)| is_loud(episode, of) && is_open_in(episode, window));
    put_words(cluster, &mut found, deadline).await;
    let judgements = judged(rule, of, window, &found);
    Ok(Judged { judgements, is_complete: coverage.is_complete() })
}

/// Episodes that were open at some time of the window.
pub(super) async fn read(
    cluster: &Cluster,
    rule: &Rule,
    window: Window,
    deadline: Instant,
) -> Result<(Vec<(EpisodeId, Episode)>, Coverage), Refusal> {
    let wanted = EpisodesWanted {
        service: rule.service_of_filter(),
        from: Some(window.from),
        to: Some(window.to),
        before: None,
        limit: EPISODES_MAX,
    };
    episodes(cluster, &wanted, deadline).await
}

pub(super) fn is_loud(episode: &Episode, of: &AnomalyCount) -> bool {
    episode.peak_score >= of.score_min
}

pub(super) fn is_open_in(episode: &Episode, window: Window) -> bool {
    episode.opened_at < window.to && episode.ended_at.is_none_or(|ended| ended >= window.from)
}

/// One judgement for each service that has an episode.
pub(super) fn judged(
    rule: &Rule,
    of: &AnomalyCount,
    window: Window,
    found: &[(EpisodeId, Episode)],
) -> Vec<Judgement> {
    let mut by_service: BTreeMap<&str, Vec<&Episode>> = BTreeMap::new();
    for (id, episode) in found {
        by_service.entry(&id.service).or_default().push(episode);
    }
    let judgement = |(service, episodes): (&str, Vec<&Episode>)| {
        let group = vec![("service".to_owned(), service.to_owned())];
        let loudest = episodes.iter().max_by(|a, b| a.peak_score.total_cmp(&b.peak_score))?;
        let first: Timestamp = episodes.iter().map(|episode| episode.opened_at).min()?;
        let figures = Figures::plain(
            "Anomaly score".to_owned(),
            (loudest.peak_score * 100.0).round() / 100.0,
            of.score_min,
            format!(
                "{} ({} open, {} tolerated)",
                loudest.explanation.summary(),
                episodes.len(),
                of.episodes_max
            ),
        );
        let mut evidence =
            evidence(rule, &group, Window { from: first.min(window.from), to: window.to }, figures);
        let words = loudest.explanation.templates.iter().map(|template| template.text.as_str());
        evidence.cause = words.filter(|text| !text.is_empty()).map(cause::shown).next();
        Some(Judgement { group, breached: episodes.len() as u64 > u64::from(of.episodes_max), evidence })
    };
    by_service.into_iter().filter_map(judgement).collect()
}
