//! The control state of alerts, played through as the group applies it.

use std::collections::BTreeMap;

use insighthub_model::alerts::{
    BreakerState, Matches, Recurrence, TransitionKind, Webhook, WriteOnly, first_rules,
};
use insighthub_model::alerts::{Channel, ChannelKind, Severity, Silence};
use insighthub_model::limits::{ALERT_OUTBOX_MAX, ALERT_RULES_MAX, ALERT_SETTLED_MAX};

use super::super::{ControlCommand, ControlState};
use super::*;
use crate::codec;

fn at(secs: u64) -> Timestamp {
    Timestamp(0).plus_secs(secs)
}

fn webhook() -> Channel {
    let secret = Some(WriteOnly::new("hush"));
    let webhook =
        Webhook { url: WriteOnly::new("https://hooks.example/a"), secret, headers: BTreeMap::new() };
    Channel { enabled: true, kind: ChannelKind::Webhook(webhook) }
}

fn rule(channels: &[&str]) -> Rule {
    let (_, rule) = first_rules().remove(0);
    Rule {
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
        resolve_after_secs: 60,
        repeat_secs: 600,
        ..rule
    }
}

/// Channels `ops` and `boss`, rules `spike` and `slow` that tell `ops`.
fn alerts() -> Alerts {
    let mut alerts = Alerts::default();
    for name in ["ops", "boss"] {
        let channel = Box::new(webhook());
        alerts.apply(AlertCommand::SetChannel { name: name.into(), channel, at: at(0) });
    }
    set(&mut alerts, "spike", rule(&["ops"]));
    set(&mut alerts, "slow", rule(&["ops"]));
    alerts
}

fn set(alerts: &mut Alerts, name: &str, rule: Rule) {
    let command =
        AlertCommand::SetRule { name: name.into(), rule: Box::new(rule), by: "admin".into(), at: at(0) };
    assert_eq!(alerts.apply(command), ControlReply::Done);
}

fn see(alerts: &mut Alerts, rule: &str, service: &str, breached: bool, secs: u64) {
    let evidence = Evidence {
        measure: "Errors/min".into(),
        observed: 80.0,
        normal: Some(2.0),
        threshold: 6.0,
        from: at(secs.saturating_sub(60)),
        to: at(secs),
        query: "level:error".into(),
        cause: None,
        because: String::new(),
    };
    let group = vec![("service".to_owned(), service.to_owned())];
    let observation = Observation {
        rule: rule.into(),
        key: group_key(&group),
        group,
        breached,
        evidence: breached.then(|| Box::new(evidence)),
    };
    alerts.apply(AlertCommand::Observe { at: at(secs), observations: vec![observation] });
}

fn kinds(alerts: &Alerts) -> Vec<(u64, TransitionKind, String)> {
    let rows = alerts.outbox.values();
    rows.map(|row| (row.notice.incident, row.notice.kind, row.channel.clone())).collect()
}

fn row(incident: u64, kind: TransitionKind) -> (u64, TransitionKind, String) {
    (incident, kind, "ops".to_owned())
}

#[test]
fn a_transition_and_its_message_are_one_command_and_come_once() {
    let mut alerts = alerts();
    for secs in [10, 10, 12, 14] {
        see(&mut alerts, "spike", "payment", true, secs);
    }
    assert_eq!(kinds(&alerts), [row(1, TransitionKind::Fired)]);
    let incident = &alerts.incidents[&1];
    assert_eq!(
        (incident.opened_at, incident.transitions.len(), incident.service()),
        (at(10), 1, Some("payment"))
    );
    see(&mut alerts, "spike", "payment", false, 20);
    see(&mut alerts, "spike", "payment", false, 79);
    assert!(alerts.incidents[&1].is_firing());
    see(&mut alerts, "spike", "payment", false, 80);
    see(&mut alerts, "spike", "payment", false, 80);
    assert_eq!(kinds(&alerts), [row(1, TransitionKind::Fired), row(1, TransitionKind::Resolved)]);
    assert_eq!(alerts.incidents[&1].resolved_at, Some(at(80)));
    let keys: Vec<String> =
        alerts.outbox.values().map(|row| row.notice.idempotency_key(&row.channel)).collect();
    assert_eq!(keys, ["insighthub-1-1-ops", "insighthub-1-2-ops"]);
}

#[test]
fn incidents_of_one_service_are_told_once_and_end_once() {
    let mut alerts = alerts();
    see(&mut alerts, "spike", "payment", true, 10);
    see(&mut alerts, "slow", "payment", true, 12);
    see(&mut alerts, "slow", "auth", true, 12);
    assert_eq!(kinds(&alerts), [row(1, TransitionKind::Fired), row(3, TransitionKind::Fired)]);
    assert_eq!((alerts.incidents[&2].part_of, alerts.incidents[&3].part_of), (Some(1), None));
    assert!(alerts.incidents[&1].parts.contains(&2));
    alerts.outbox.clear();
    for secs in [20, 90] {
        see(&mut alerts, "spike", "payment", false, secs);
    }
    assert_eq!(kinds(&alerts), [], "the other is not over");
    for secs in [100, 170] {
        see(&mut alerts, "slow", "payment", false, secs);
    }
    assert_eq!(kinds(&alerts), [row(1, TransitionKind::Resolved)]);
}

#[test]
fn who_does_not_know_of_the_cause_yet_and_what_is_worse_is_told() {
    let mut alerts = alerts();
    set(&mut alerts, "slow", rule(&["ops", "boss"]));
    set(&mut alerts, "spike", Rule { severity: Severity::Info, ..rule(&["ops"]) });
    see(&mut alerts, "spike", "payment", true, 10);
    see(&mut alerts, "slow", "payment", true, 12);
    let told: Vec<String> = kinds(&alerts).into_iter().map(|(_, _, channel)| channel).collect();
    assert_eq!(told, ["ops", "ops", "boss"], "critical after info");
}

#[test]
fn a_silence_holds_back_and_when_it_ends_what_still_fires_is_told() {
    let mut alerts = alerts();
    let silence = Silence {
        matches: Matches { service: Some("payment".into()), ..Matches::default() },
        starts_at: at(0),
        ends_at: at(100),
        again: Recurrence::Never,
        reason: "deploy".into(),
        by: "admin".into(),
    };
    alerts.apply(AlertCommand::SetSilence { name: "deploy".into(), silence: Box::new(silence), at: at(0) });
    for secs in [10, 50, 99] {
        see(&mut alerts, "spike", "payment", true, secs);
    }
    assert_eq!(kinds(&alerts), []);
    assert_eq!(alerts.incidents[&1].transitions[0].untold.as_deref(), Some("deploy"));
    see(&mut alerts, "spike", "payment", true, 101);
    assert_eq!(kinds(&alerts), [row(1, TransitionKind::Announced)]);
}

#[test]
fn what_is_acknowledged_is_not_repeated() {
    let mut alerts = alerts();
    for secs in [10, 610, 611] {
        see(&mut alerts, "spike", "payment", true, secs);
    }
    assert_eq!(kinds(&alerts), [row(1, TransitionKind::Fired), row(1, TransitionKind::Repeated)]);
    let remark = Remark { by: "admin".into(), at: at(700), note: "on it".into() };
    assert_eq!(
        alerts.apply(AlertCommand::Acknowledge { incident: 1, remark: remark.clone() }),
        ControlReply::Done
    );
    assert_eq!(alerts.apply(AlertCommand::Acknowledge { incident: 9, remark }), ControlReply::NotFound);
    see(&mut alerts, "spike", "payment", true, 5_000);
    assert_eq!(alerts.outbox.len(), 2);
}

#[test]
fn what_flaps_is_told_less() {
    let mut alerts = alerts();
    set(&mut alerts, "spike", Rule { repeat_secs: 0, ..rule(&["ops"]) });
    for round in 0..8 {
        let begin = round * 240;
        see(&mut alerts, "spike", "payment", true, begin);
        see(&mut alerts, "spike", "payment", false, begin + 60);
        see(&mut alerts, "spike", "payment", false, begin + 130);
    }
    let told: Vec<TransitionKind> = kinds(&alerts).into_iter().map(|(_, kind, _)| kind).collect();
    use TransitionKind::{Fired, Flapping, Reopened, Resolved};
    assert_eq!(told, [Fired, Resolved, Reopened, Resolved, Flapping]);
    assert_eq!(alerts.incidents.len(), 1, "one incident all along");
    assert!(alerts.incidents[&1].flapping);
}

#[test]
fn failures_open_the_breaker_and_a_day_later_the_message_is_given_up() {
    let mut alerts = alerts();
    see(&mut alerts, "spike", "payment", true, 10);
    let fail = |alerts: &mut Alerts, now: u64, next: u64| {
        let failed = FailedAttempt { error: "x".repeat(900), failure: Failure::Passing, next_at: at(next) };
        alerts.apply(AlertCommand::Delivered(vec![Outcome { row: 1, at: at(now), result: Err(failed) }]));
    };
    for attempt in 0..5 {
        fail(&mut alerts, 11 + attempt, 12 + attempt);
    }
    let health = alerts.channels["ops"].health.clone();
    assert_eq!(health.breaker.state(at(16)), BreakerState::Open);
    assert_eq!(health.last_error.map(|error| error.len()), Some(300));
    assert_eq!((alerts.outbox[&1].attempts, alerts.outbox[&1].next_at), (5, at(16)));
    fail(&mut alerts, 86_000, 86_411);
    assert!(alerts.outbox.is_empty());
    let given_up = &alerts.incidents[&1].deliveries[0];
    assert!(given_up.error.as_ref().is_some_and(|error| error.starts_with("given up after a day")));
    assert_eq!(alerts.channels["ops"].health.given_up, 1);
}

#[test]
fn a_delivered_message_leaves_the_outbox_and_closes_the_breaker() {
    let mut alerts = alerts();
    see(&mut alerts, "spike", "payment", true, 10);
    let outcome = Outcome { row: 1, at: at(11), result: Ok(()) };
    alerts.apply(AlertCommand::Delivered(vec![outcome.clone(), outcome]));
    assert!(alerts.outbox.is_empty());
    assert_eq!(alerts.incidents[&1].deliveries.len(), 1, "said twice, it is delivered once");
    assert_eq!(alerts.channels["ops"].health.delivered, 1);
}

#[test]
fn what_became_of_messages_is_kept_newest_first() {
    use insighthub_model::api::alerts::DeliveryState::{Delivered, GivenUp, Waiting};
    let mut alerts = alerts();
    set(&mut alerts, "spike", rule(&["ops", "boss"]));
    see(&mut alerts, "spike", "payment", true, 10);
    let failed = FailedAttempt { error: "no route".into(), failure: Failure::Passing, next_at: at(20) };
    for (row, secs, result) in [(1, 11, Err(failed.clone())), (1, 21, Ok(())), (2, 12, Err(failed))] {
        alerts.apply(AlertCommand::Delivered(vec![Outcome { row, at: at(secs), result }]));
    }
    see(&mut alerts, "slow", "search", true, 30);
    set(&mut alerts, "spike", rule(&["ops"]));
    assert_eq!(alerts.apply(AlertCommand::RemoveChannel { name: "boss".into() }), ControlReply::Done);
    let shown: Vec<_> = alerts.deliveries().collect();
    let told: Vec<_> =
        shown.iter().map(|one| (one.number, one.channel.as_str(), one.state, one.attempts)).collect();
    assert_eq!(told, [(3, "ops", Waiting, 0), (2, "boss", GivenUp, 1), (1, "ops", Delivered, 2)]);
    let times: Vec<_> =
        shown.iter().map(|one| (one.next_attempt_at, one.delivered_at, one.given_up_at)).collect();
    assert_eq!(times, [(Some(at(30)), None, None), (None, None, None), (None, Some(at(21)), None)]);
    let errors: Vec<_> = shown.iter().map(|one| one.last_error.as_deref()).collect();
    assert_eq!(errors, [None, Some("the channel was removed"), Some("no route")]);
    assert_eq!(shown[2].kind, TransitionKind::Fired);
    assert!(shown[2].heading.contains("ayment") && shown[2].queued_at == at(10), "{:?}", shown[2]);
}

#[test]
fn no_more_messages_are_kept_than_the_newest() {
    let mut alerts = alerts();
    let notice = insighthub_model::alerts::Notice::test("ops", at(0));
    for row in 1..=ALERT_SETTLED_MAX as u64 + 5 {
        alerts.post("ops".into(), notice.clone(), at(row));
        alerts.apply(AlertCommand::Delivered(vec![Outcome { row, at: at(row), result: Ok(()) }]));
    }
    let numbers: Vec<u64> = alerts.deliveries().map(|one| one.number).collect();
    assert_eq!((numbers.len(), numbers[0], numbers.last()), (ALERT_SETTLED_MAX, 1_005, Some(&6)));
}

#[test]
fn a_channel_in_use_stays_and_a_rule_needs_its_channels() {
    let mut alerts = alerts();
    assert_eq!(alerts.apply(AlertCommand::RemoveChannel { name: "ops".into() }), ControlReply::Conflict);
    assert_eq!(alerts.apply(AlertCommand::RemoveChannel { name: "boss".into() }), ControlReply::Done);
    let unknown = Box::new(rule(&["nobody"]));
    let command = AlertCommand::SetRule { name: "x".into(), rule: unknown, by: String::new(), at: at(0) };
    assert_eq!(alerts.apply(command), ControlReply::NotFound);
    see(&mut alerts, "spike", "payment", true, 10);
    alerts.apply(AlertCommand::RemoveRule { name: "spike".into(), at: at(20) });
    assert!(!alerts.incidents[&1].is_firing() && alerts.trackers.is_empty());
}

#[test]
fn everything_is_bounded() {
    let mut alerts = alerts();
    for number in 0..ALERT_RULES_MAX + 10 {
        let rule = Box::new(rule(&[]));
        alerts.apply(AlertCommand::SetRule {
            name: format!("r{number}"),
            rule,
            by: String::new(),
            at: at(0),
        });
    }
    assert_eq!(alerts.rules.len(), ALERT_RULES_MAX);
    let notice = insighthub_model::alerts::Notice::test("ops", at(0));
    for _ in 0..ALERT_OUTBOX_MAX + 5 {
        alerts.post("ops".into(), notice.clone(), at(0));
    }
    assert_eq!((alerts.outbox.len(), alerts.channels["ops"].health.given_up), (ALERT_OUTBOX_MAX, 5));
}

#[test]
fn alerts_come_back_from_a_snapshot_secrets_included_and_leave_without_what_fires() {
    let mut state = ControlState { alerts: alerts(), ..ControlState::default() };
    let rules = first_rules();
    state.apply(ControlCommand::Alert(AlertCommand::Install { rules: rules.clone(), at: at(1) }));
    assert!(state.alerts.rules.contains_key("anomaly"));
    state.apply(ControlCommand::Alert(AlertCommand::RemoveRule { name: "anomaly".into(), at: at(2) }));
    state.apply(ControlCommand::Alert(AlertCommand::Install { rules, at: at(3) }));
    assert!(!state.alerts.rules.contains_key("anomaly"), "deleted stays deleted");
    see(&mut state.alerts, "spike", "payment", true, 10);
    let back: ControlState = codec::decode(1, &codec::encode(1, &state).unwrap()).unwrap();
    assert_eq!(back, state);
    let ChannelKind::Webhook(webhook) = &back.alerts.channels["ops"].channel.kind else {
        panic!("no webhook")
    };
    assert_eq!(webhook.secret.as_ref().map(WriteOnly::reveal), Some("hush"));
    let portable = state.portable().alerts;
    assert!(portable.outbox.is_empty() && portable.trackers.is_empty() && portable.incidents.is_empty());
    assert_eq!(portable.rules, state.alerts.rules);
}
