//! Facts about the live tail's reducer.

use super::super::lines::LINES_MAX;
use super::*;

fn record(id: &str) -> Record {
    serde_json::from_str(&format!(r#"{{"log_id":"{id}","timestamp":"2025-12-02T10:10:02Z","level":"INFO"}}"#))
        .unwrap()
}

fn frame(ids: &[&str], cursor: &str) -> Frame {
    Frame::of_records(ids.iter().map(|id| record(id)).collect(), cursor.to_owned())
}

fn frames(frames: Vec<Frame>) -> StreamAction {
    StreamAction::Frames { frames, now_ms: 1_000.0 }
}

fn after(actions: Vec<StreamAction>) -> Rc<Stream> {
    actions.into_iter().fold(Rc::new(Stream::default()), |state, action| state.reduce(action))
}

fn ids(stream: &Stream) -> Vec<String> {
    let id = |line: &Line| match line {
        Line::Record(record) => record.head.log_id.clone(),
        Line::Skipped(count) => format!("skipped {count}"),
    };
    stream.lines.iter().map(id).collect()
}

#[test]
fn newest_records_are_on_top_and_the_cursor_follows() {
    let stream =
        after(vec![frames(vec![frame(&["a", "b"], "1"), frame(&[], "2")]), frames(vec![frame(&["c"], "3")])]);
    assert_eq!(ids(&stream), ["c", "b", "a"]);
    assert_eq!((stream.cursor.as_deref(), stream.received), (Some("3"), 3));
    assert_eq!(stream.health, Health::Live);
}

#[test]
fn a_frame_without_a_cursor_keeps_the_last_one() {
    let stream = after(vec![frames(vec![frame(&["a"], "1"), frame(&[], "1")])]);
    assert_eq!(stream.cursor.as_deref(), Some("1"));
}

#[test]
fn a_pause_holds_new_records_and_resuming_shows_them_in_order() {
    let held = after(vec![
        frames(vec![frame(&["a"], "1")]),
        StreamAction::TogglePause,
        frames(vec![frame(&["b", "c"], "2")]),
    ]);
    assert_eq!((ids(&held), held.held_count()), (vec!["a".to_owned()], 2));
    let resumed = held.reduce(StreamAction::TogglePause);
    assert_eq!(ids(&resumed), ["c", "b", "a"]);
    assert_eq!(resumed.held_count(), 0);
}

#[test]
fn every_reason_to_hold_must_end_before_the_list_moves() {
    let stream = after(vec![
        StreamAction::Scrolled { away: true },
        StreamAction::Reading(true),
        frames(vec![frame(&["a"], "1")]),
        StreamAction::Scrolled { away: false },
    ]);
    assert_eq!(stream.held_count(), 1);
    let stream = stream.reduce(StreamAction::Reading(false));
    assert_eq!(ids(&stream), ["a"]);
}

#[test]
fn a_long_pause_is_bounded_and_says_what_it_lost() {
    let all: Vec<String> = (0..LINES_MAX + 3).map(|number| number.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let held = after(vec![StreamAction::TogglePause, frames(vec![frame(&all, "1")])]);
    assert_eq!((held.held_count(), held.held_lost), (LINES_MAX as u64 + 3, 3));
    let resumed = held.reduce(StreamAction::Resume);
    assert_eq!(resumed.lines.len(), LINES_MAX);
    assert_eq!(resumed.held_count(), 0);
}

#[test]
fn what_the_node_skipped_stands_in_the_list_where_it_happened() {
    let skipped = Frame::of_skipped(7, "2".to_owned());
    let stream = after(vec![frames(vec![frame(&["a"], "1"), skipped, frame(&["b"], "3")])]);
    assert_eq!(ids(&stream), ["b", "skipped 7", "a"]);
    assert_eq!(stream.skipped, 7);
}

#[test]
fn history_goes_below_and_a_record_that_came_both_ways_is_shown_once() {
    let page: Page = serde_json::from_str(
        r#"{"records":[{"log_id":"b","timestamp":"2025-12-02T10:10:02Z","level":"INFO"},
            {"log_id":"a","timestamp":"2025-12-02T10:10:02Z","level":"INFO"}],"coverage":{}}"#,
    )
    .unwrap();
    let stream = after(vec![
        frames(vec![frame(&["b", "c"], "1")]),
        StreamAction::History { epoch: 0, result: Ok(page) },
    ]);
    assert_eq!(ids(&stream), ["c", "b", "a"]);
    assert_eq!(stream.history, History::Loaded);
}

#[test]
fn a_new_filter_starts_empty_on_a_new_socket_and_keeps_the_pause() {
    let before = after(vec![frames(vec![frame(&["a"], "1")]), StreamAction::TogglePause]);
    let stream = before.clone().reduce(StreamAction::Restart { epoch: 1 });
    assert!(stream.lines.is_empty() && stream.cursor.is_none() && stream.hold.paused);
    assert_ne!(stream.connection.generation, before.connection.generation);
}

#[test]
fn history_of_an_older_filter_is_ignored() {
    let page: Page = serde_json::from_str(
        r#"{"records":[{"log_id":"a","timestamp":"2025-12-02T10:10:02Z","level":"INFO"}],"coverage":{}}"#,
    )
    .unwrap();
    let stream =
        after(vec![StreamAction::Restart { epoch: 1 }, StreamAction::History { epoch: 0, result: Ok(page) }]);
    assert!(stream.lines.is_empty() && stream.history == History::Loading);
}

#[test]
fn a_reconnect_keeps_the_lines_and_the_cursor() {
    let stream = after(vec![
        frames(vec![frame(&["a"], "1")]),
        StreamAction::Closed { now_ms: 2_000.0, jitter: 1.0 },
        StreamAction::Tick { now_ms: 2_600.0 },
    ]);
    assert_eq!(stream.connection.generation, 1);
    assert_eq!((ids(&stream), stream.cursor.as_deref()), (vec!["a".to_owned()], Some("1")));
    assert!(matches!(stream.health, Health::Reconnecting { .. }));
}

#[test]
fn a_refused_query_is_not_sent_again_and_again() {
    let refused = ApiError::from_body(400, r#"{"error":{"code":"bad_query","message":"Close the quote."}}"#);
    let stream = after(vec![
        StreamAction::History { epoch: 0, result: Err(refused) },
        StreamAction::Closed { now_ms: 1_000.0, jitter: 0.0 },
        StreamAction::Tick { now_ms: 60_000.0 },
    ]);
    assert_eq!((stream.connection.generation, stream.health), (0, Health::Connected));
}

#[test]
fn a_history_that_failed_is_asked_for_again_once_the_node_is_back() {
    let stream = after(vec![
        StreamAction::History { epoch: 0, result: Err(ApiError::unreachable()) },
        frames(vec![frame(&["a"], "1")]),
    ]);
    assert_eq!(stream.asked, 1);
    let stream = stream.reduce(frames(vec![frame(&["b"], "2")]));
    assert_eq!(stream.asked, 1, "once, not with every frame");
}

#[test]
fn a_quiet_tick_changes_nothing_visible() {
    let stream = after(vec![frames(vec![frame(&[], "1")]), StreamAction::Tick { now_ms: 1_500.0 }]);
    let ticked = stream.clone().reduce(StreamAction::Tick { now_ms: 1_600.0 });
    assert!(*stream == *ticked);
}

#[test]
fn the_rate_settles_at_what_arrives_and_falls_back_to_zero() {
    let mut stream = after(vec![StreamAction::Tick { now_ms: 1_000.0 }]);
    for second in 2..20 {
        let now_ms = f64::from(second) * 1_000.0;
        stream = stream.reduce(frames(vec![frame(&["a"; 10], "1")]));
        stream = stream.reduce(StreamAction::Tick { now_ms });
    }
    assert!((stream.rate_per_sec - 10.0).abs() < 0.1, "{}", stream.rate_per_sec);
    for second in 20..60 {
        stream = stream.reduce(StreamAction::Tick { now_ms: f64::from(second) * 1_000.0 });
    }
    assert_eq!(stream.rate_per_sec, 0.0);
}
