//! Words for templates: what is stored of a template holds none, a record of it does, as long as it is kept.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_detect::template::text_of;
use insighthub_model::detection::{Episode, EpisodeId, PatternText};
use insighthub_model::query::{Expression, Query};
use insighthub_model::{LogId, PartitionId};
use insighthub_storage::cluster::{Cluster, SearchQuestion};
use insighthub_storage::query::{Conditions, Page};
use tokio::time::Instant;

/// Records that are asked for at once.
const ASKED_MAX: usize = 256;

/// Messages of records by their id; those that are gone, or cannot be had in time, are left out.
#[derive(Debug, Default)]
pub(super) struct Messages(BTreeMap<LogId, String>);

impl Messages {
    pub(super) async fn of(
        cluster: &Cluster,
        wanted: impl IntoIterator<Item = LogId>,
        deadline: Instant,
    ) -> Messages {
        let wanted: Vec<LogId> = wanted.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut messages = Messages::default();
        for ids in wanted.chunks(ASKED_MAX) {
            let partitions: BTreeSet<PartitionId> = ids.iter().map(|id| id.partition).collect();
            let ids_of = ids.iter().map(|id| Expression::field_is("log_id", &id.to_string()));
            let query = Query { filter: Expression::any_of(ids_of), stages: Vec::new() };
            let conditions = Conditions { query, ..Conditions::default() };
            let page = Page { limit: ids.len(), after: None };
            match cluster.scatter(&SearchQuestion { conditions, page }, partitions, deadline).await {
                Ok(found) => messages.0.extend(
                    found
                        .parts
                        .into_iter()
                        .flat_map(|part| part.records)
                        .map(|record| (record.log_id, record.message)),
                ),
                Err(error) => tracing::warn!(%error, "templates are shown without their words"),
            }
        }
        messages
    }

    /// The text of a template of this form; empty where no record has its words any more.
    pub(super) fn text(&self, form: &str, example: LogId) -> String {
        self.0.get(&example).and_then(|message| text_of(form, message)).unwrap_or_default()
    }
}

/// Gives the templates of episodes their words.
pub async fn put_words(cluster: &Cluster, episodes: &mut [(EpisodeId, Episode)], deadline: Instant) {
    let example = |id: &EpisodeId, offset: u64| LogId { partition: id.partition, offset };
    let wanted: Vec<LogId> = episodes
        .iter()
        .flat_map(|(id, episode)| {
            let templates = episode.explanation.templates.iter();
            templates.filter(|template| template.id != 0).map(|template| example(id, template.example))
        })
        .collect();
    let messages = Messages::of(cluster, wanted, deadline).await;
    for (id, episode) in episodes {
        for template in episode.explanation.templates.iter_mut().filter(|template| template.id != 0) {
            template.text = messages.text(&template.text, example(id, template.example));
        }
    }
}

/// Gives patterns, each of a partition, their words.
pub(super) async fn put_pattern_words(
    cluster: &Cluster,
    texts: &mut [(PartitionId, PatternText)],
    deadline: Instant,
) {
    let example = |partition: PartitionId, text: &PatternText| LogId { partition, offset: text.example };
    let wanted: Vec<LogId> = texts.iter().map(|(partition, text)| example(*partition, text)).collect();
    let messages = Messages::of(cluster, wanted, deadline).await;
    for (partition, text) in texts {
        text.text = messages.text(&text.text, example(*partition, text));
    }
}
