//! One look at all rules: what is seen of each group, and what of it would change anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Condition, Phase, Rule, Step};
use insighthub_model::limits::ALERT_GROUPS_MAX;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::cluster::Cluster;
use insighthub_storage::control::alerts::{Alerts, Observation, group_key};
use tokio::time::Instant;

use super::answers::{Answers, Past, ask_all};
use super::judging::{Figures, Judgement, Window, evidence, judge};
use super::new_patterns::KnownPatterns;
use super::questions::{Question, question_of};
use super::{episodes, silence_of_groups};

/// What is kept from look to look; nothing of it is needed.
#[derive(Debug, Default)]
pub(super) struct Memory {
    past: Past,
    patterns: KnownPatterns,
}

/// The judgements of one rule, and whether they rest on all partitions.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) judgements: Vec<Judgement>,
    pub(super) is_complete: bool,
}

/// Windows of so long and longer begin with a whole minute: minutes are known, the part of one must be read.
const WHOLE_MINUTES_SECS_MIN: u32 = 300;

/// The window of a rule as of now.
pub(super) fn window_of(rule: &Rule, now: Timestamp) -> Window {
    let from = Timestamp(now.0.saturating_sub(i64::from(rule.window_secs) * NANOS_PER_SEC));
    let is_long = rule.window_secs >= WHOLE_MINUTES_SECS_MIN;
    Window { from: if is_long { Timestamp::from_minute(from.minute()) } else { from }, to: now }
}

/// Judges every rule; one that cannot be judged is left out, and stays as it is.
pub(super) async fn judge_all(
    cluster: &Cluster,
    rules: &BTreeMap<String, Rule>,
    now: Timestamp,
    memory: &mut Memory,
    deadline: Instant,
) -> BTreeMap<String, Judged> {
    let mut questions: BTreeMap<&str, Question> = BTreeMap::new();
    for (name, rule) in rules {
        match question_of(rule) {
            Ok(Some(question)) => drop(questions.insert(name, question)),
            Ok(None) => {}
            Err(error) => tracing::warn!(rule = name, %error, "a rule cannot be evaluated"),
        }
    }
    let wanted = rules
        .iter()
        .filter_map(|(name, rule)| Some((questions.get(name.as_str())?.clone(), window_of(rule, now))));
    let answers = ask_all(cluster, wanted, deadline).await;
    let mut judged = BTreeMap::new();
    for (name, rule) in rules {
        let question = questions.get(name.as_str());
        let looked = look_at(cluster, rule, question, &answers, (now, deadline), memory).await;
        if let Some(of_rule) = looked {
            judged.insert(name.clone(), of_rule);
        }
    }
    judged
}

async fn look_at(
    cluster: &Cluster,
    rule: &Rule,
    question: Option<&Question>,
    answers: &Answers,
    (now, deadline): (Timestamp, Instant),
    memory: &mut Memory,
) -> Option<Judged> {
    let window = window_of(rule, now);
    match &rule.condition {
        Condition::Anomaly(of) => {
            let looked = episodes::judge(cluster, rule, of, window, deadline).await;
            return said(looked);
        }
        Condition::NewPattern(of) => {
            return said(memory.patterns.judge(cluster, rule, of, window, deadline).await);
        }
        _ => {}
    }
    let question = question?;
    let answer = Arc::clone(answers.get(&(question.clone(), (window.from, window.to)))?);
    let (is_complete, past) = (answer.is_complete, &mut memory.past);
    let judgements = match &rule.condition {
        Condition::ErrorRate(of) => {
            let asked = (window, of.history_mins);
            let history = said(past.minutes(cluster, question, asked, deadline).await)?;
            let judgements = judge(rule, window, answer.rows.clone(), &history);
            let is_unknown = |judgement: &Judgement| {
                let Judgement { evidence, .. } = judgement;
                evidence.normal.is_none() && evidence.observed > of.errors_per_min_floor
            };
            if judgements.iter().any(is_unknown) {
                past.doubt(question, of.history_mins, now);
            }
            judgements
        }
        Condition::NoData(of) => {
            let asked = (window, of.lookback_secs.div_ceil(60));
            let history = said(past.minutes(cluster, question, asked, deadline).await)?;
            // Who is not heard of by a partition that does not answer is not silent.
            if !is_complete {
                return None;
            }
            silence_of_groups::judge(rule, window, &answer.rows, &history)
        }
        _ => judge(rule, window, answer.rows.clone(), &Default::default()),
    };
    Some(Judged { judgements, is_complete })
}

fn said<T>(looked: Result<T, insighthub_storage::cluster::Refusal>) -> Option<T> {
    looked.inspect_err(|error| tracing::info!(%error, "a rule cannot be judged now")).ok()
}

/// What of the judgements changes anything, each with what it would change.
pub(super) fn observations(
    alerts: &Alerts,
    rules: &BTreeMap<String, Rule>,
    judged: BTreeMap<String, Judged>,
    now: Timestamp,
) -> Vec<(Observation, Step)> {
    let mut wanted = Vec::new();
    for (name, of_rule) in judged {
        let Some(rule) = rules.get(&name) else { continue };
        let mut seen = BTreeSet::new();
        let mut judgements = of_rule.judgements;
        judgements.sort_by(|a, b| a.group.cmp(&b.group));
        judgements.truncate(ALERT_GROUPS_MAX);
        for Judgement { group, breached, evidence } in judgements {
            let key = group_key(&group);
            seen.insert(key.clone());
            // Half an answer can show that something is wrong, not that it is well.
            if breached || of_rule.is_complete {
                let evidence = breached.then(|| Box::new(evidence));
                wanted.push(Observation { rule: name.clone(), key, group, breached, evidence });
            }
        }
        if of_rule.is_complete {
            wanted.extend(absent(alerts, &name, rule, &seen, now));
        }
    }
    let stepped = wanted.into_iter().filter_map(|observation| {
        let rule = rules.get(&observation.rule)?;
        let step = alerts.step_of(rule, &observation, now);
        (step != Step::Nothing).then_some((observation, step))
    });
    stepped.collect()
}

/// Groups that are remembered and have no row any more.
fn absent<'a>(
    alerts: &'a Alerts,
    name: &'a str,
    rule: &'a Rule,
    seen: &'a BTreeSet<String>,
    now: Timestamp,
) -> impl Iterator<Item = Observation> + 'a {
    let tracked = alerts.trackers.get(name).into_iter().flatten();
    tracked.filter(|(key, _)| !seen.contains(*key)).map(move |(key, tracker)| {
        let incident = match tracker.phase {
            Phase::Firing { incident, .. } => alerts.incidents.get(&incident),
            _ => None,
        };
        let group = incident.map(|incident| incident.group.clone()).unwrap_or_default();
        let breached = incident.is_some() && no_records_are_wrong(rule);
        let evidence = breached.then(|| {
            let because = "there are no records".to_owned();
            let figures = Figures::plain("Records".to_owned(), 0.0, 1.0, because);
            Box::new(evidence(rule, &group, window_of(rule, now), figures))
        });
        Observation { rule: name.to_owned(), key: key.clone(), group, breached, evidence }
    })
}

/// A count that is wrong when it is low is wrong when nothing is left to be counted.
fn no_records_are_wrong(rule: &Rule) -> bool {
    match &rule.condition {
        Condition::Query(of) => {
            let counts = ["count()", "rate()"].iter().any(|count| of.value.trim_start().starts_with(count));
            counts && of.relation.holds(0.0, of.threshold)
        }
        _ => false,
    }
}
