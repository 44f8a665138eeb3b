//! What the notifier chooses to send.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{ChannelKind, Evidence, Failure, Rule, Webhook, WriteOnly, first_rules};
use insighthub_storage::control::ControlState;
use insighthub_storage::control::alerts::{Observation, group_key};

use super::*;

fn at(secs: u64) -> Timestamp {
    Timestamp(0).plus_secs(secs)
}

fn apply(state: &mut ControlState, command: AlertCommand) {
    state.apply(ControlCommand::Alert(command));
}

/// A channel, and so many incidents that are to be told to it.
fn state(incidents: usize) -> ControlState {
    let mut state = ControlState::default();
    let webhook = Webhook { url: WriteOnly::new("https://a"), secret: None, headers: BTreeMap::new() };
    let channel = Box::new(Channel { enabled: true, kind: ChannelKind::Webhook(webhook) });
    apply(&mut state, AlertCommand::SetChannel { name: "ops".into(), channel, at: at(0) });
    let (_, rule) = first_rules().remove(0);
    let rule = Box::new(Rule { channels: vec!["ops".into()], ..rule });
    apply(&mut state, AlertCommand::SetRule { name: "spike".into(), rule, by: String::new(), at: at(0) });
    let observation = |number: usize| {
        let group = vec![("service".to_owned(), format!("s{number:03}"))];
        let evidence = Evidence {
            measure: String::new(),
            observed: 1.0,
            normal: None,
            threshold: 1.0,
            from: at(0),
            to: at(1),
            query: String::new(),
            cause: None,
            because: String::new(),
        };
        Observation {
            rule: "spike".into(),
            key: group_key(&group),
            group,
            breached: true,
            evidence: Some(Box::new(evidence)),
        }
    };
    let observations = (0..incidents).map(observation).collect();
    apply(&mut state, AlertCommand::Observe { at: at(1), observations });
    state
}

fn rows(state: &ControlState, secs: u64, paces: &mut BTreeMap<String, Pace>) -> Vec<usize> {
    let chosen = choose(&state.alerts, at(secs), paces, |_, _| true);
    chosen.values().flatten().map(|parcel| parcel.rows.len()).collect()
}

#[test]
fn a_few_messages_go_out_one_by_one_and_a_storm_as_one() {
    assert_eq!(rows(&state(3), 1, &mut BTreeMap::new()), [1, 1, 1]);
    assert_eq!(rows(&state(100), 1, &mut BTreeMap::new()), [100]);
    assert_eq!(rows(&state(300), 1, &mut BTreeMap::new()), [JOINED_MAX]);
    let mut paces = BTreeMap::new();
    for _ in 0..10 {
        assert_eq!(rows(&state(1), 1, &mut paces), [1]);
    }
    assert_eq!(rows(&state(1), 1, &mut paces), [0; 0], "no faster than a channel may be sent");
    assert_eq!(rows(&state(1), 5, &mut paces), [1]);
}

#[test]
fn a_channel_that_is_being_sent_to_is_not_sent_more_and_what_was_tried_waits_to_be_written_down() {
    let is_busy = |_: u64, row: &Row| row.channel != "ops";
    assert!(choose(&state(3).alerts, at(1), &mut BTreeMap::new(), is_busy).is_empty());
    let chosen = choose(&state(3).alerts, at(1), &mut BTreeMap::new(), |id, _| id != 2);
    let rows: Vec<u64> = chosen["ops"].iter().flat_map(|parcel| parcel.rows.clone()).collect();
    assert_eq!(rows, [1, 3]);
}

#[test]
fn a_channel_that_is_down_is_left_alone_and_then_tried_with_one() {
    let mut state = state(4);
    let failed = FailedAttempt { error: "down".into(), failure: Failure::Passing, next_at: at(3) };
    for row in [1, 2, 3, 4, 1] {
        let outcome = Outcome { row, at: at(2), result: Err(failed.clone()) };
        apply(&mut state, AlertCommand::Delivered(vec![outcome]));
    }
    let mut paces = BTreeMap::new();
    assert_eq!(rows(&state, 10, &mut paces), [0; 0]);
    assert_eq!(rows(&state, 32, &mut paces), [1]);
    apply(&mut state, AlertCommand::Delivered(vec![Outcome { row: 1, at: at(32), result: Ok(()) }]));
    assert_eq!(rows(&state, 33, &mut paces), [1, 1, 1]);
}

#[test]
fn a_channel_that_was_set_anew_has_not_asked_for_peace() {
    let mut state = state(2);
    let failed = FailedAttempt { error: "busy".into(), failure: Failure::Passing, next_at: at(600) };
    apply(&mut state, AlertCommand::Delivered(vec![Outcome { row: 1, at: at(2), result: Err(failed) }]));
    let mut paces = BTreeMap::new();
    assert_eq!(rows(&state, 2, &mut paces), [1]);
    paces.values_mut().for_each(|pace| pace.rest_until(at(600)));
    assert_eq!(rows(&state, 3, &mut paces), [0; 0]);
    let channel = Box::new(state.alerts.channels["ops"].channel.clone());
    apply(&mut state, AlertCommand::SetChannel { name: "ops".into(), channel, at: at(4) });
    assert_eq!(rows(&state, 5, &mut paces), [1, 1]);
}

#[test]
fn chance_is_spread() {
    let chances: Vec<f64> =
        (0..1_000).map(|nanos| chance(Timestamp(1_764_670_202_000_000_000 + nanos))).collect();
    assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
    let low = chances.iter().filter(|chance| **chance < 0.5).count();
    assert!((400..600).contains(&low), "{low}");
}
