//! Building batches.

use super::*;

fn fixed(service: &str) -> FixedFields<'_> {
    FixedFields {
        service,
        timestamp: Timestamp(7),
        level: Level::Warn,
        message: "m",
        latency_ms: None,
        raw_bytes: 10,
    }
}

#[test]
fn an_unfinished_record_leaves_nothing_behind() {
    let mut builder = BatchBuilder::default();
    let mut record = builder.record();
    record.int("userId", 1).unwrap();
    record.finish(fixed("a"));
    let mut record = builder.record();
    record.int("userId", 2).unwrap();
    record.text("lost", "x").unwrap();
    drop(record);
    let mut record = builder.record();
    record.text("userId", "u3").unwrap();
    record.finish(fixed("b"));
    let batch = builder.take();
    let fields: Vec<Vec<_>> = (0..2).map(|row| batch.view(row).unwrap().fields().collect()).collect();
    assert_eq!(fields[0], [("userId", FieldValue::Int(1))]);
    assert_eq!(fields[1], [("userId", FieldValue::Text("u3".into()))]);
    assert_eq!(batch.services, ["a", "b"]);
    assert!(batch.columns("lost").next().is_none());
}

#[test]
fn a_batch_is_the_same_whatever_the_builder_held_before() {
    let fill = |builder: &mut BatchBuilder, names: &[&str]| {
        for row in 0..9 {
            let mut record = builder.record();
            for name in names {
                match row % 2 {
                    0 => record.text(name, "some text").unwrap(),
                    _ => record.int(name, row).unwrap(),
                }
            }
            record.finish(fixed(if row < 5 { "a" } else { "b" }));
        }
        builder.take()
    };
    let mut used = BatchBuilder::default();
    fill(&mut used, &["z", "y", "x", "w"]);
    used.record().text("lost", "x").unwrap();
    let batch = fill(&mut used, &["x", "q"]);
    let fresh = fill(&mut BatchBuilder::default(), &["x", "q"]);
    let without_latency = |batch: &RecordBatch| RecordBatch { latency_ms: Vec::new(), ..batch.clone() };
    assert_eq!(without_latency(&batch), without_latency(&fresh));
    assert_eq!(batch.latency_ms.len(), fresh.latency_ms.len());
    assert!(used.is_empty() && used.columns() == 0 && used.raw_bytes() == 0);
    assert!(used.bytes_reserved() > 0);
}

#[test]
fn one_name_twice_is_refused_whatever_the_types() {
    let mut builder = BatchBuilder::default();
    let mut record = builder.record();
    record.int("userId", 1).unwrap();
    assert_eq!(record.int("userId", 1), Err(FieldError::Duplicate));
    assert_eq!(record.text("userId", "1"), Err(FieldError::Duplicate));
    drop(record);
    let mut record = builder.record();
    assert_eq!(record.text("userId", "1"), Ok(()));
}

#[test]
fn missing_values_are_filled_and_present_ones_kept() {
    let mut builder = BatchBuilder::default();
    builder.record().finish(fixed("a"));
    let mut record = builder.record();
    record.text("env", "test").unwrap();
    record.finish(fixed("a"));
    let mut record = builder.record();
    record.int("env", 3).unwrap();
    record.finish(fixed("a"));
    builder.fill_missing("env", "prod");
    let batch = builder.take();
    let env = |row| batch.view(row).unwrap().fields().map(|(_, value)| value).collect::<Vec<_>>();
    assert_eq!(env(0), [FieldValue::Text("prod".into())]);
    assert_eq!(env(1), [FieldValue::Text("test".into())]);
    assert_eq!(env(2), [FieldValue::Int(3)]);
}
