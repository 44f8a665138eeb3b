//! When a rule would have fired: its questions asked of the past, and the answers played through the same states as live.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Condition, NoData, Problem, Rule, TransitionKind, heading_of};
use insighthub_model::api::alerts::PreviewFiring;
use insighthub_model::query::{Query, Stage};
use insighthub_model::table::Value;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::cluster::{Cluster, Refusal};
use insighthub_storage::control::alerts::{AlertCommand, Alerts};
use insighthub_storage::control::{ControlCommand, ControlState};
use insighthub_storage::query::Conditions;
use insighthub_storage::query::pipeline::Rows;
use tokio::time::Instant;

use super::answers::ask;
use super::judging::{GroupValues, History, Judgement, Window, evidence, judge, spike};
use super::looking::{Judged, observations};
use super::questions::{Question, Row, question_of};
use super::{episodes, new_patterns, silence_of_groups};

/// Looks of one preview: three days by minutes.
pub const PREVIEW_LOOKS_MAX: i64 = 4_320;
/// Minutes are what the past is known by.
const STEP_SECS_MIN: u32 = 60;
const NAME: &str = "preview";
const PATTERNS_MAX: u32 = 10_000;

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error(transparent)]
    Rule(#[from] Problem),
    #[error(
        "the range is {looks} looks of {step_secs} s long, at most {PREVIEW_LOOKS_MAX} are played: ask for less time"
    )]
    TooLong { looks: i64, step_secs: u32 },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the preview was not finished: {0}")]
    Failed(String),
}

/// What was played.
#[derive(Debug)]
pub struct Played {
    pub step_secs: u32,
    /// Oldest first.
    pub firings: Vec<PreviewFiring>,
    pub is_complete: bool,
}

/// What would be seen at one moment.
type Look = (Timestamp, Vec<Judgement>);

/// Plays a rule over `from..to`.
pub async fn preview(
    cluster: &Cluster,
    rule: Rule,
    (from, to): (Timestamp, Timestamp),
    deadline: Instant,
) -> Result<Played, PreviewError> {
    rule.check()?;
    let step_secs = rule.window_secs.div_ceil(STEP_SECS_MIN) * STEP_SECS_MIN;
    // A spike is looked for every minute, whatever the window.
    let look_secs = if matches!(rule.condition, Condition::ErrorRate(_)) { STEP_SECS_MIN } else { step_secs };
    let looks = to.0.saturating_sub(from.0) / (i64::from(look_secs) * NANOS_PER_SEC);
    if looks > PREVIEW_LOOKS_MAX {
        return Err(PreviewError::TooLong { looks, step_secs: look_secs });
    }
    let past = Past { cluster, deadline, stretch: Stretch { from, to, step_secs } };
    let rule = Rule { window_secs: step_secs, enabled: true, channels: Vec::new(), ..rule };
    let (gathered, is_complete) = past.gather(&rule).await?;
    let stretch = past.stretch;
    let playing = tokio::task::spawn_blocking(move || {
        let looks = gathered.looks(&rule, stretch);
        play(&rule, looks)
    });
    let firings = playing.await.map_err(|error| PreviewError::Failed(error.to_string()))?;
    Ok(Played { step_secs: look_secs, firings, is_complete })
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Timestamp,
    to: Timestamp,
    step_secs: u32,
}

struct Past<'a> {
    cluster: &'a Cluster,
    deadline: Instant,
    stretch: Stretch,
}

/// What the past says, before it is divided into looks.
enum Gathered {
    /// Errors by minute.
    Minutes(History),
    /// Figures by stretches of the rule's window.
    Rows(Vec<Row>),
    Episodes(Vec<(insighthub_model::detection::EpisodeId, insighthub_model::detection::Episode)>),
    /// New kinds of messages, with their number and when they first came.
    Patterns(Vec<(String, u64, Timestamp)>),
}

impl Past<'_> {
    async fn gather(&self, rule: &Rule) -> Result<(Gathered, bool), PreviewError> {
        let Stretch { from, to, step_secs } = self.stretch;
        let before = |secs: i64| Timestamp(from.0.saturating_sub(secs * NANOS_PER_SEC));
        match (&rule.condition, question_of(rule)?) {
            (Condition::ErrorRate(of), Some(question)) => {
                let begins = before(i64::from(of.history_mins) * 60 + i64::from(step_secs));
                let (rows, is_complete) = self.rows(&question, begins, to, STEP_SECS_MIN).await?;
                Ok((Gathered::Minutes(History::of(rows)), is_complete))
            }
            (Condition::NoData(NoData { lookback_secs }), Some(question)) => {
                let begins = before(i64::from(*lookback_secs));
                let (rows, is_complete) = self.rows(&question, begins, to, step_secs).await?;
                Ok((Gathered::Rows(rows), is_complete))
            }
            (_, Some(question)) => {
                let (rows, is_complete) = self.rows(&question, from, to, step_secs).await?;
                Ok((Gathered::Rows(rows), is_complete))
            }
            (Condition::NewPattern(of), None) => {
                let (fresh, is_complete) = self.fresh(rule, before(i64::from(of.lookback_secs))).await?;
                Ok((Gathered::Patterns(fresh), is_complete))
            }
            (_, None) => {
                let window = Window { from, to };
                let (found, coverage) = episodes::read(self.cluster, rule, window, self.deadline).await?;
                Ok((Gathered::Episodes(found), coverage.is_complete()))
            }
        }
    }

    async fn rows(
        &self,
        question: &Question,
        from: Timestamp,
        to: Timestamp,
        step_secs: u32,
    ) -> Result<(Vec<Row>, bool), PreviewError> {
        let step = i64::from(step_secs) * NANOS_PER_SEC;
        let window = Window { from: Timestamp(from.0.div_euclid(step) * step), to };
        let question = question.clone().by_time(step_secs);
        let answer = ask(self.cluster, &question, window, self.deadline).await?;
        Ok((answer.rows, answer.is_complete))
    }

    async fn fresh(
        &self,
        rule: &Rule,
        begins: Timestamp,
    ) -> Result<(Vec<(String, u64, Timestamp)>, bool), PreviewError> {
        let Stretch { from, to, .. } = self.stretch;
        let query = Query { filter: rule.expression()?, stages: vec![Stage::Patterns(PATTERNS_MAX)] };
        let query = query.resolved_at(to);
        let conditions = Conditions { query, from: Some(begins), to: Some(to), ..Conditions::default() };
        let answer = self.cluster.query(&conditions, 1, self.deadline).await?;
        let is_complete = answer.coverage.is_complete();
        let Rows::Table(table) = answer.rows else { return Ok((Vec::new(), is_complete)) };
        let fresh = table.rows.into_iter().filter_map(|row| match row.as_slice() {
            [Value::Text(text), Value::Int(count), _, Value::Time(first), ..] if *first >= from => {
                Some((text.clone(), u64::try_from(*count).ok()?, *first))
            }
            _ => None,
        });
        Ok((fresh.collect(), is_complete))
    }
}

impl Gathered {
    fn looks(self, rule: &Rule, stretch: Stretch) -> Vec<Look> {
        match (self, &rule.condition) {
            (Gathered::Minutes(history), Condition::ErrorRate(of)) => {
                let groups: Vec<GroupValues> = history.groups().cloned().collect();
                minutes(stretch).map(|at| (at, spikes(rule, of, &history, &groups, at))).collect()
            }
            (Gathered::Rows(rows), _) => by_stretch(rule, stretch, rows),
            (Gathered::Episodes(found), Condition::Anomaly(of)) => {
                let look = |window: Window| {
                    let open: Vec<_> = found
                        .iter()
                        .filter(|(_, episode)| {
                            episodes::is_loud(episode, of) && episodes::is_open_in(episode, window)
                        })
                        .cloned()
                        .collect();
                    (window.to, episodes::judged(rule, of, window, &open))
                };
                stretch.windows().map(look).collect()
            }
            (Gathered::Patterns(fresh), Condition::NewPattern(of)) => {
                let look = |window: Window| {
                    let of_window = fresh.iter().filter(|(_, count, first)| {
                        (window.from..window.to).contains(first) && *count >= of.records_min
                    });
                    let judgements = of_window
                        .map(|(text, count, _)| new_patterns::judgement(rule, of, window, text, *count));
                    (window.to, judgements.collect())
                };
                stretch.windows().map(look).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Stretch {
    fn windows(self) -> impl Iterator<Item = Window> {
        let step = i64::from(self.step_secs) * NANOS_PER_SEC;
        let (first, last) = (self.from.0.div_euclid(step), self.to.0.div_euclid(step));
        (first..last).map(move |at| Window { from: Timestamp(at * step), to: Timestamp((at + 1) * step) })
    }
}

/// Ends of the whole minutes of a stretch.
fn minutes(stretch: Stretch) -> impl Iterator<Item = Timestamp> {
    (stretch.from.minute() + 1..=stretch.to.minute()).map(Timestamp::from_minute)
}

fn spikes(
    rule: &Rule,
    of: &insighthub_model::alerts::ErrorRate,
    history: &History,
    groups: &[GroupValues],
    at: Timestamp,
) -> Vec<Judgement> {
    let width = i64::from(rule.window_secs / 60);
    let window = Window { from: Timestamp::from_minute(at.minute() - width), to: at };
    let judgement = |group: &GroupValues| {
        let observed = history.errors(group, window.from.minute(), at.minute()) / width as f64;
        if observed <= of.errors_per_min_floor {
            return None;
        }
        let minutes = history.minutes_before(group, window.from.minute(), of.history_mins);
        let (breached, figures) = spike(of, (observed, width as f64), &minutes);
        Some(Judgement { breached, evidence: evidence(rule, group, window, figures), group: group.clone() })
    };
    groups.iter().filter_map(judgement).collect()
}

fn by_stretch(rule: &Rule, stretch: Stretch, rows: Vec<Row>) -> Vec<Look> {
    let mut by_begin: BTreeMap<Timestamp, Vec<Row>> = BTreeMap::new();
    for row in rows {
        by_begin.entry(row.begins.unwrap_or_default()).or_default().push(row);
    }
    let nothing = Vec::new();
    let look = |window: Window| {
        let of_window = by_begin.get(&window.from).unwrap_or(&nothing);
        let judgements = match &rule.condition {
            Condition::NoData(of) => {
                let lookback = i64::from(of.lookback_secs) * NANOS_PER_SEC;
                let since = Timestamp(window.from.0.saturating_sub(lookback));
                let before = by_begin.range(since..window.from).flat_map(|(_, rows)| rows.iter().cloned());
                silence_of_groups::judge(rule, window, of_window, &History::of(before.collect()))
            }
            _ => judge(rule, window, of_window.clone(), &History::default()),
        };
        (window.to, judgements)
    };
    stretch.windows().map(look).collect()
}

/// Plays looks through the states of a cluster that has this rule alone.
fn play(rule: &Rule, looks: Vec<Look>) -> Vec<PreviewFiring> {
    let mut state = ControlState::default();
    let at = looks.first().map_or(Timestamp::MIN, |(at, _)| *at);
    let set =
        AlertCommand::SetRule { name: NAME.to_owned(), rule: Box::new(rule.clone()), by: String::new(), at };
    state.apply(ControlCommand::Alert(set));
    let rules = BTreeMap::from([(NAME.to_owned(), rule.clone())]);
    for (at, judgements) in looks {
        let judged = BTreeMap::from([(NAME.to_owned(), Judged { judgements, is_complete: true })]);
        let seen = observations(&state.alerts, &rules, judged, at);
        let observations = seen.into_iter().map(|(observation, _)| observation).collect();
        state.apply(ControlCommand::Alert(AlertCommand::Observe { at, observations }));
    }
    firings(rule, &state.alerts)
}

fn firings(rule: &Rule, alerts: &Alerts) -> Vec<PreviewFiring> {
    let mut firings = Vec::new();
    for incident in alerts.incidents.values() {
        let mut open: Option<PreviewFiring> = None;
        for transition in &incident.transitions {
            match transition.kind {
                TransitionKind::Resolved => firings.extend(
                    open.take().map(|firing| PreviewFiring { resolved_at: Some(transition.at), ..firing }),
                ),
                TransitionKind::Fired | TransitionKind::Reopened | TransitionKind::Flapping => {
                    open = Some(PreviewFiring {
                        heading: heading_of(rule, &incident.group),
                        group: incident.group.clone(),
                        fired_at: transition.at,
                        resolved_at: None,
                        evidence: incident.evidence.clone(),
                    });
                }
                TransitionKind::Announced | TransitionKind::Repeated | TransitionKind::Test => {}
            }
        }
        firings.extend(open);
    }
    firings.sort_by(|a, b| (a.fired_at, &a.group).cmp(&(b.fired_at, &b.group)));
    firings
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use insighthub_model::alerts::first_rules;

    fn row(minute: i64, errors: f64) -> Row {
        Row {
            group: vec![("service".to_owned(), "payment".to_owned())],
            begins: Some(Timestamp::from_minute(minute)),
            values: vec![100.0, errors],
        }
    }

    #[test]
    fn a_spike_of_the_past_fires_once_and_ends() {
        let (_, rule) = first_rules().remove(0);
        let errors = |minute: i64| if (100..105).contains(&minute) { 80.0 } else { 2.0 };
        let history = History::of((0..200).map(|minute| row(minute, errors(minute))).collect());
        let stretch =
            Stretch { from: Timestamp::from_minute(60), to: Timestamp::from_minute(200), step_secs: 60 };
        let firings = play(&rule, Gathered::Minutes(history).looks(&rule, stretch));
        assert_eq!(firings.len(), 1, "{firings:?}");
        assert_eq!(firings[0].fired_at, Timestamp::from_minute(101));
        assert_eq!(
            firings[0].resolved_at,
            Some(Timestamp::from_minute(108)),
            "two minutes after it was well"
        );
        assert_eq!((firings[0].evidence.observed, firings[0].evidence.normal), (80.0, Some(2.0)));
        assert_eq!(firings[0].heading, "Payment Service ERROR SPIKE");
    }

    #[test]
    fn silence_of_the_past_is_heard() {
        let (_, rule) = first_rules().remove(0);
        let rule = Rule {
            condition: Condition::NoData(NoData { lookback_secs: 600 }),
            resolve_after_secs: 0,
            ..rule
        };
        let rows = (0..60).filter(|minute| !(30..35).contains(minute)).map(|minute| row(minute, 0.0));
        let stretch =
            Stretch { from: Timestamp::from_minute(20), to: Timestamp::from_minute(50), step_secs: 60 };
        let firings = play(&rule, Gathered::Rows(rows.collect()).looks(&rule, stretch));
        assert_eq!(firings.len(), 1, "{firings:?}");
        assert_eq!(firings[0].fired_at, Timestamp::from_minute(31));
    }
}
