//! New kinds of messages: in the window, and not for long before.

use std::collections::{BTreeSet, HashMap};

use insighthub_model::Timestamp;
use insighthub_model::alerts::{NewPattern, Rule};
use insighthub_model::query::Expression;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::cluster::{Cluster, Refusal};
use tokio::time::Instant;

use super::cause::{patterns, shown};
use super::judging::{Figures, Judgement, Window, evidence};
use super::looking::Judged;

/// Kinds that came before; a rule over more kinds needs a narrower filter.
const KNOWN_MAX: u32 = 10_000;
const WINDOW_MAX: u32 = 1_000;

/// What is known to have come before, by the records a rule looks at. Asked again only when something unknown comes.
#[derive(Debug, Default)]
pub(super) struct KnownPatterns(HashMap<(Expression, u32), BTreeSet<String>>);

impl KnownPatterns {
    pub(super) async fn judge(
        &mut self,
        cluster: &Cluster,
        rule: &Rule,
        of: &NewPattern,
        window: Window,
        deadline: Instant,
    ) -> Result<Judged, Refusal> {
        let unreadable = || Refusal::Internal("kinds of messages cannot be had".to_owned());
        let records = rule.expression().map_err(|error| Refusal::Invalid(error.to_string()))?;
        let now = patterns(cluster, &records, window, WINDOW_MAX, deadline).await.ok_or_else(unreadable)?;
        let key = (records, of.lookback_secs);
        let is_known = |text: &String| self.0.get(&key).is_some_and(|known| known.contains(text));
        if !now.keys().all(is_known) {
            let before = Window {
                from: Timestamp(window.from.0.saturating_sub(i64::from(of.lookback_secs) * NANOS_PER_SEC)),
                to: window.from,
            };
            let known =
                patterns(cluster, &key.0, before, KNOWN_MAX, deadline).await.ok_or_else(unreadable)?;
            self.0.insert(key.clone(), known.into_keys().collect());
        }
        let known = self.0.get(&key);
        let fresh = now.into_iter().filter(|(text, count)| {
            *count >= of.records_min && !known.is_some_and(|known| known.contains(text))
        });
        let judgements = fresh.map(|(text, count)| judgement(rule, of, window, &text, count)).collect();
        Ok(Judged { judgements, is_complete: true })
    }
}

pub(super) fn judgement(rule: &Rule, of: &NewPattern, window: Window, text: &str, count: u64) -> Judgement {
    let service = rule.service_of_filter().map(|service| ("service".to_owned(), service));
    let group: Vec<_> = service.into_iter().chain([("pattern".to_owned(), text.to_owned())]).collect();
    let because = format!("did not come for {} s before", of.lookback_secs);
    let figures = Figures::plain("Records".to_owned(), count as f64, of.records_min as f64, because);
    let mut evidence = evidence(rule, &group, window, figures);
    evidence.cause = Some(shown(text));
    Judgement { group, breached: true, evidence }
}
