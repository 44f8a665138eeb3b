//! What detectors of all partitions have found out, asked of any node.

use std::collections::BTreeMap;

use insighthub_model::detection::{
    Detector, Episode, EpisodeId, Pattern, PatternCounts, PatternText, ServiceWindow,
};
use insighthub_model::{PartitionId, Timestamp};
use insighthub_storage::cluster::{Cluster, Coverage, NotesQuestion, Refusal};
use insighthub_storage::note::{Note, NoteFilter};
use tokio::time::Instant;

use super::notes::{Told, told};
use super::words::put_pattern_words;

/// Notes of one kind that are read for one answer at most: of a service's patterns, a month of minutes.
const NOTES_MAX: u32 = 50_000;

/// Which episodes are asked for; newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpisodesWanted {
    pub service: Option<String>,
    /// Those that were open at some time of this range, both ends included.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Those older than this one.
    pub before: Option<EpisodeId>,
    pub limit: u32,
}

/// Episodes, newest first; [`super::put_words`] gives their templates the words.
pub async fn episodes(
    cluster: &Cluster,
    wanted: &EpisodesWanted,
    deadline: Instant,
) -> Result<(Vec<(EpisodeId, Episode)>, Coverage), Refusal> {
    let filter = NoteFilter {
        kind: Episode::KIND as u8,
        service: wanted.service.clone(),
        from: wanted.from.map_or(i64::MIN, |from| from.0),
        to: wanted.to.map_or(i64::MAX, |to| to.0),
        before: wanted.before.as_ref().map(|id| (id.opened_at.0, id.partition, id.service.clone())),
        newest_first: true,
        limit: wanted.limit,
    };
    let (notes, coverage) = notes(cluster, filter, deadline).await?;
    let named = |(partition, note): (PartitionId, Note)| {
        let episode: Episode = told(&note)?;
        let id = EpisodeId { opened_at: episode.opened_at, partition, service: note.service };
        Some((id, episode))
    };
    Ok((notes.into_iter().filter_map(named).collect(), coverage))
}

/// Windows of a service that end in a range, both ends included, oldest first; one a minute for each partition that
/// holds the service.
pub async fn windows(
    cluster: &Cluster,
    service: &str,
    (from, to): (Timestamp, Timestamp),
    limit: u32,
    deadline: Instant,
) -> Result<(Vec<(PartitionId, ServiceWindow)>, Coverage), Refusal> {
    let filter = of_service::<ServiceWindow>(service, (from.0, to.0), limit);
    let (notes, coverage) = notes(cluster, filter, deadline).await?;
    let windows = notes.into_iter().filter_map(|(partition, note)| Some((partition, told(&note)?)));
    Ok((windows.collect(), coverage))
}

/// The detectors of one service or of all, those that raised most alerts first.
pub async fn detectors(
    cluster: &Cluster,
    service: Option<String>,
    limit: u32,
    deadline: Instant,
) -> Result<(Vec<Detector>, Coverage), Refusal> {
    let kind = Detector::KIND as u8;
    let (from, to) = (i64::MIN, i64::MAX);
    let filter = NoteFilter { kind, service, from, to, before: None, newest_first: false, limit };
    let (notes, coverage) = notes(cluster, filter, deadline).await?;
    let mut detectors: Vec<Detector> = notes.iter().filter_map(|(_, note)| told(note)).collect();
    detectors.sort_by(|a, b| {
        let key = |of: &Detector| (std::cmp::Reverse(of.alerts_raised), std::cmp::Reverse(of.memory_bytes));
        key(a).cmp(&key(b)).then_with(|| (&a.service, a.partition).cmp(&(&b.service, b.partition)))
    });
    Ok((detectors, coverage))
}

/// Kinds of messages that a service wrote in a range, the most frequent first; as many as there are, the first `limit` of
/// them with their words.
pub async fn patterns(
    cluster: &Cluster,
    service: &str,
    (from, to): (Timestamp, Timestamp),
    limit: usize,
    deadline: Instant,
) -> Result<(Vec<Pattern>, Coverage), Refusal> {
    let texts = of_service::<PatternText>(service, (i64::MIN, i64::MAX), NOTES_MAX);
    let counts = of_service::<PatternCounts>(service, (from.0, to.0), NOTES_MAX);
    let (texts, counts) = tokio::join!(notes(cluster, texts, deadline), notes(cluster, counts, deadline));
    let ((texts, mut coverage), (counts, of_counts)) = (texts?, counts?);
    coverage.missing.extend(of_counts.missing);
    coverage.stale.extend(of_counts.stale);
    let texts = latest(texts.iter().filter_map(|(partition, note)| Some((*partition, told(note)?))));
    let counts = counts.iter().filter_map(|(_, note)| told(note));
    let mut patterns = joined(&texts, counts);
    put_pattern_words(cluster, &texts, patterns.iter_mut().take(limit), deadline).await;
    Ok((patterns, coverage))
}

fn of_service<T: Told>(service: &str, (from, to): (i64, i64), limit: u32) -> NoteFilter {
    let service = Some(service.to_owned());
    NoteFilter { kind: T::KIND as u8, service, from, to, before: None, newest_first: false, limit }
}

async fn notes(
    cluster: &Cluster,
    filter: NoteFilter,
    deadline: Instant,
) -> Result<(Vec<(PartitionId, Note)>, Coverage), Refusal> {
    let partitions = (0..cluster.store.identity.partitions).map(PartitionId);
    let gathered = cluster.scatter(&NotesQuestion(filter.clone()), partitions, deadline).await?;
    let mut notes: Vec<_> = gathered.parts.into_iter().flatten().collect();
    filter.arrange(&mut notes);
    Ok((notes, gathered.coverage))
}

/// By id, with the partition it was told in.
pub(super) type Texts = BTreeMap<u64, (PartitionId, PatternText)>;

/// Each pattern as it was told last, with when it was told first; `texts` in the order in which they were found.
fn latest(texts: impl Iterator<Item = (PartitionId, PatternText)>) -> Texts {
    let mut known = Texts::new();
    for (partition, text) in texts {
        let text = match known.get(&text.id) {
            Some((_, PatternText { first_seen, is_news, .. })) => {
                PatternText { first_seen: *first_seen, is_news: *is_news, ..text }
            }
            None => text,
        };
        known.insert(text.id, (partition, text));
    }
    known
}

/// Counts under the texts of their patterns.
fn joined(known: &Texts, counts: impl Iterator<Item = PatternCounts>) -> Vec<Pattern> {
    let current = |mut id: u64| {
        // A chain of merges is as long as there are templates at most.
        for _ in 0..known.len() {
            match known.get(&id).and_then(|(_, text)| text.merged_into) {
                Some(next) => id = next,
                None => break,
            }
        }
        id
    };
    let mut minutes: BTreeMap<u64, BTreeMap<i64, u32>> = BTreeMap::new();
    for of_minute in counts {
        for (id, count) in of_minute.counts {
            *minutes.entry(current(id)).or_default().entry(of_minute.minute).or_default() += count;
        }
    }
    let mut patterns: Vec<Pattern> = minutes
        .into_iter()
        .filter_map(|(id, minutes)| {
            let (first, last) = (*minutes.keys().next()?, *minutes.keys().next_back()?);
            let text = known.get(&id).map(|(_, text)| text);
            Some(Pattern {
                id,
                text: text.map_or_else(|| "other messages".to_owned(), |text| text.text.clone()),
                // What is loaded from the past is told when it comes.
                first_seen: text
                    .map_or(Timestamp::MAX, |text| text.first_seen)
                    .min(Timestamp::from_minute(first)),
                last_seen: Timestamp::from_minute(last),
                is_news: text.is_some_and(|text| text.is_news),
                count: minutes.values().map(|count| u64::from(*count)).sum(),
                minutes: minutes.into_iter().collect(),
            })
        })
        .collect();
    patterns.sort_by(|a, b| b.count.cmp(&a.count).then(a.id.cmp(&b.id)));
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: u64, text: &str, at: i64, merged_into: Option<u64>) -> PatternText {
        PatternText {
            id,
            text: text.to_owned(),
            example: 0,
            first_seen: Timestamp(at),
            merged_into,
            is_news: at > 10,
        }
    }

    #[test]
    fn counts_follow_merges_and_texts_their_latest_form() {
        let texts = [
            text(1, "disk 1 full", 5, None),
            text(2, "disk 2 full", 20, None),
            text(1, "disk <*> full", 30, None),
            text(2, "disk <*> full", 40, Some(1)),
        ];
        let counts = [
            PatternCounts { minute: 7, counts: vec![(1, 2), (2, 3)] },
            PatternCounts { minute: 9, counts: vec![(0, 1), (2, 1)] },
        ];
        let texts = latest(texts.into_iter().map(|text| (PartitionId(0), text)));
        let patterns = joined(&texts, counts.into_iter());
        assert_eq!(patterns.len(), 2);
        let disk = &patterns[0];
        assert_eq!((disk.id, disk.text.as_str(), disk.count), (1, "disk <*> full", 6));
        assert_eq!((disk.first_seen, disk.is_news), (Timestamp(5), false));
        assert_eq!(disk.minutes, [(7, 5), (9, 1)]);
        assert_eq!(disk.last_seen, Timestamp::from_minute(9));
        assert_eq!((patterns[1].text.as_str(), patterns[1].count), ("other messages", 1));
    }

    #[test]
    fn a_circle_of_merges_ends() {
        let texts = [text(1, "a", 1, Some(2)), text(2, "b", 1, Some(1))];
        let counts = [PatternCounts { minute: 1, counts: vec![(1, 1)] }];
        let texts = latest(texts.into_iter().map(|text| (PartitionId(0), text)));
        assert_eq!(joined(&texts, counts.into_iter()).len(), 1);
    }
}
