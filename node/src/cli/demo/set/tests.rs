//! What holds of every set: its bytes, its span, and the shares that the queries of a benchmark rest on.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::*;

fn plan(records: u64, seed: u64) -> SetPlan {
    SetPlan { records, seed, until: Timestamp::parse("2026-01-31T00:00:00Z").unwrap() }
}

fn text(plan: &SetPlan) -> Vec<u8> {
    let (mut set, mut text) = (RecordSet::new(plan).unwrap(), Vec::new());
    while set.next_line(&mut text) {}
    text
}

fn records(plan: &SetPlan) -> Vec<serde_json::Value> {
    let text = text(plan);
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// A set is quoted by its seed in published figures: other bytes need another default seed or a note.
#[test]
fn the_first_ten_thousand_records_of_seed_one_never_change() {
    let bytes = text(&plan(10_000, 1));
    assert_eq!(bytes, text(&plan(10_000, 1)), "two runs differ");
    assert_ne!(bytes, text(&plan(10_000, 2)), "the seed changes nothing");
    let mut set = RecordSet::new(&plan(5_000_000, 1)).unwrap();
    let mut first = Vec::new();
    for _ in 0..10_000 {
        assert!(set.next_line(&mut first));
    }
    let hash: String = Sha256::digest(&first).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "51352945e698fdd1214ce878cad432ce74d8c19ef6aed088f35f4be7b3860e29");
}

#[test]
fn a_set_has_exactly_its_records_within_its_day_however_small_it_is() {
    for size in [1, 2, 9, 10, 777] {
        let plan = plan(size, 3);
        let (from, until) = (plan.from().to_string(), plan.until.to_string());
        let records = records(&plan);
        assert_eq!(records.len() as u64, size);
        for record in &records {
            let moment = record["timestamp"].as_str().unwrap();
            assert!(from.as_str() <= moment && moment < until.as_str(), "{moment}");
        }
    }
}

/// Shares are those of DESIGN's set for peers; the bounds are three times what a seed changes.
#[test]
fn a_hundred_thousand_records_have_the_shares_the_queries_rest_on() {
    let plan = plan(100_000, 1);
    let mean_bytes = text(&plan).len() as f64 / 1e5;
    assert!((mean_bytes - 321.0).abs() < 4.0, "{mean_bytes} bytes a record");
    let records = records(&plan);
    let share = |is_meant: &dyn Fn(&serde_json::Value) -> bool| {
        records.iter().filter(|record| is_meant(record)).count() as f64 / 1e5
    };
    let message = |record: &serde_json::Value| record["message"].as_str().unwrap().to_owned();
    let level = |name: &'static str| share(&move |record| record["level"] == name);
    for (name, low, high) in
        [("INFO", 0.65, 0.8), ("DEBUG", 0.15, 0.25), ("WARN", 0.03, 0.07), ("ERROR", 0.008, 0.02)]
    {
        assert!((low..high).contains(&level(name)), "{name}: {}", level(name));
    }
    let timeouts = share(&|record| message(record).contains("timeout"));
    assert!((0.010..0.015).contains(&timeouts), "timeout in {timeouts}");
    let phrases = share(&|record| message(record).contains(planted::PHRASE));
    assert_eq!(phrases * 1e5, planted::PHRASES as f64);
    let trace = share(&|record| record["trace_id"] == planted::TRACE_ID_TEXT) * 1e5;
    assert!((3.0..30.0).contains(&trace), "{trace} records of the planted trace");
    let stacks =
        share(&|record| message(record).contains("\n\tat ") || message(record).contains("\n  File "));
    assert!((0.001..0.01).contains(&stacks), "{stacks} with a stack trace");
}

#[test]
fn traces_cross_services_and_share_their_user() {
    let records = records(&plan(20_000, 5));
    let mut services: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut users: HashMap<&str, HashSet<String>> = HashMap::new();
    for record in &records {
        let Some(trace) = record["trace_id"].as_str() else { continue };
        services.entry(trace).or_default().insert(record["service"].as_str().unwrap());
        users.entry(trace).or_default().insert(record["userId"].to_string());
    }
    assert!(users.values().all(|users| users.len() == 1));
    let crossing = services.values().filter(|services| services.len() > 1).count();
    assert!(crossing * 10 > services.len() * 8, "{crossing} of {} traces cross services", services.len());
    let all: HashSet<&str> = services.values().flatten().copied().collect();
    assert_eq!(all.len(), 12);
}

#[test]
fn records_arrive_by_time_but_for_what_a_shipper_held_back() {
    let records = records(&plan(20_000, 6));
    let moments: Vec<i64> = records
        .iter()
        .map(|record| Timestamp::parse(record["timestamp"].as_str().unwrap()).unwrap().millis())
        .collect();
    let (mut newest, mut worst) = (i64::MIN, 0);
    for moment in moments {
        newest = newest.max(moment);
        worst = worst.max(newest - moment);
    }
    assert!((1..=3_100).contains(&worst), "a record arrived {worst} ms late");
}
