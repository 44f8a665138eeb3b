//! What records look like, against a plain reading record by record.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::aggregate::Octave;
use insighthub_model::query::TimeSpan;
use insighthub_model::table::Value;
use insighthub_model::{Record, Timestamp};
use proptest::prelude::*;

use super::source::{TestSource, sources_strategy};
use super::{conditions, dynamic, expected};
use crate::codec;
use crate::column_source::ColumnSource;
use crate::query::exploring::{LevelCounts, Seen, Wanted, WantedFields, WantedPatternBars, explore};
use crate::query::pipeline::template::write_template;
use crate::query::pipeline::value_of;
use crate::query::{Budget, Conditions, Filter};

const SYSTEM: [&str; 6] = ["service", "level", "is_anomaly", "anomaly_reason", "latency_ms", "anomaly_score"];

fn everything(values_max: u32) -> Wanted {
    let length = Some(TimeSpan::from_nanos(3));
    let fields = Some(WantedFields { names: Vec::new(), values_max });
    Wanted {
        one_in: 0,
        extent: true,
        levels: length,
        heat: length,
        fields,
        patterns: true,
        pattern_bars: None,
    }
}

/// Part by part, each sent over the wire, put together in the order given.
fn merged(parts: &[Vec<&dyn ColumnSource>], conditions: &Conditions, wanted: &Wanted) -> Seen {
    let filter = Filter::new(conditions).unwrap();
    let mut all = Seen::default();
    for sources in parts {
        let (part, _) = explore(sources, &filter, wanted, &Budget::UNBOUNDED).unwrap();
        let bytes = codec::encode(1, &part).unwrap();
        all.merge(codec::decode(1, &bytes).unwrap(), wanted).unwrap();
    }
    all
}

fn by_partition(sources: &[TestSource]) -> Vec<Vec<&dyn ColumnSource>> {
    let of = |partition| dynamic(sources).into_iter().filter(move |source| source.partition().0 == partition);
    (0..2).map(|partition| of(partition).collect()).collect()
}

type Counted = BTreeMap<String, BTreeMap<Value, u64>>;

/// Values of all fields but times, ids and messages.
fn values_of(records: &[Record]) -> Counted {
    let mut counted = Counted::new();
    for record in records {
        let own = record.fields.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
        let system = SYSTEM.iter().map(|name| ((*name).to_owned(), value_of(record, name)));
        for (name, value) in own.chain(system).filter(|(_, value)| !value.is_null()) {
            *counted.entry(name).or_default().entry(value).or_default() += 1;
        }
    }
    counted
}

fn levels_of(records: &[&Record]) -> LevelCounts {
    let mut counts = LevelCounts::default();
    records.iter().for_each(|record| counts[record.level as usize] += 1);
    counts
}

fn grouped<K: Ord>(records: &[Record], key: impl Fn(&Record) -> Option<K>) -> BTreeMap<K, Vec<&Record>> {
    let mut groups: BTreeMap<K, Vec<&Record>> = BTreeMap::new();
    for record in records {
        if let Some(key) = key(record) {
            groups.entry(key).or_default().push(record);
        }
    }
    groups
}

fn template_of(record: &Record) -> Option<String> {
    let mut template = String::new();
    write_template(&record.message, &mut template);
    Some(template)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn records_look_as_a_plain_reading_says(sources in sources_strategy(), conditions in conditions()) {
        let seen = merged(&by_partition(&sources), &conditions, &everything(1_000));
        let records = expected(&sources, &conditions);
        prop_assert_eq!(seen.records, records.len() as u64);
        let times: Vec<Timestamp> = records.iter().map(|record| record.timestamp).collect();
        let extent = times.iter().min().zip(times.iter().max()).map(|(first, last)| (*first, *last));
        prop_assert_eq!(seen.extent, extent);
        let start = |record: &Record| Some(record.timestamp.0.div_euclid(3) * 3);
        let bars: BTreeMap<i64, LevelCounts> =
            grouped(&records, start).into_iter().map(|(start, records)| (start, levels_of(&records))).collect();
        prop_assert_eq!(&seen.levels.bars, &bars);
        let place = |record: &Record| Some((start(record)?, Octave::of(record.latency_ms?)?));
        let heat: BTreeMap<(i64, Octave), u64> =
            grouped(&records, place).into_iter().map(|(place, records)| (place, records.len() as u64)).collect();
        prop_assert_eq!(&seen.heat.counts, &heat);
        let found: Counted = seen.fields.fields.iter().map(|(name, field)| {
            let values = field.values.iter().map(|(_, value, count)| (value.clone(), count));
            (name.clone(), values.collect())
        }).collect();
        let values = values_of(&records);
        prop_assert_eq!(&found, &values);
        for (name, field) in &seen.fields.fields {
            prop_assert_eq!(field.records, values[name].values().sum::<u64>(), "{}", name);
            prop_assert_eq!(field.values.distinct(), (values[name].len() as u64, true), "{}", name);
        }
        let patterns = grouped(&records, template_of);
        prop_assert_eq!(seen.patterns.patterns.len(), patterns.len());
        for (pattern, records) in patterns {
            let found = &seen.patterns.patterns[&pattern];
            prop_assert_eq!(found.levels, levels_of(&records));
            prop_assert_eq!(found.first_seen, records.iter().map(|record| record.timestamp).min().unwrap());
            prop_assert_eq!(found.newest, records.iter().map(|record| (record.timestamp, record.log_id)).max().unwrap());
        }
    }

    /// Of every other pattern, so that one that is not wanted would be seen.
    #[test]
    fn patterns_over_time_are_as_a_plain_reading_says(sources in sources_strategy(), conditions in conditions()) {
        let records = expected(&sources, &conditions);
        let patterns: BTreeSet<String> = grouped(&records, template_of).into_keys().step_by(2).collect();
        let bars = WantedPatternBars { length: TimeSpan::from_nanos(3), patterns: patterns.clone() };
        let wanted = Wanted { pattern_bars: Some(bars), ..Wanted::default() };
        let mut parts = by_partition(&sources);
        let seen = merged(&parts, &conditions, &wanted);
        let of = |record: &Record| template_of(record).filter(|pattern| patterns.contains(pattern));
        let place = |record: &Record| Some((of(record)?, record.timestamp.0.div_euclid(3) * 3));
        let counted: BTreeMap<(String, i64), u64> =
            grouped(&records, place).into_iter().map(|(place, records)| (place, records.len() as u64)).collect();
        let found = seen.pattern_bars.bars.iter().flat_map(|(pattern, bars)| {
            bars.iter().map(|(start, count)| ((pattern.clone(), *start), *count))
        });
        prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), counted);
        parts.reverse();
        prop_assert_eq!(merged(&parts, &conditions, &wanted), seen);
    }

    /// Bounds and samples included: what is seen does not depend on who looked first or what lies where.
    #[test]
    fn parts_in_any_order_give_the_same(
        sources in sources_strategy(), conditions in conditions(), values_max in 1u32..5, one_in in 0u32..4,
    ) {
        let wanted = Wanted { one_in, ..everything(values_max) };
        let whole = merged(&[dynamic(&sources)], &conditions, &wanted);
        let mut single: Vec<Vec<&dyn ColumnSource>> = dynamic(&sources).into_iter().map(|source| vec![source]).collect();
        single.reverse();
        prop_assert_eq!(&merged(&single, &conditions, &wanted), &whole);
        let records = expected(&sources, &conditions);
        prop_assert!(whole.records <= records.len() as u64);
        let values = values_of(&records);
        for (name, field) in &whole.fields.fields {
            for (hash, value, count) in field.values.iter() {
                prop_assert_eq!(field.values.count(hash), Some(count));
                prop_assert!(count <= values[name][value], "{}", name);
                prop_assert!(one_in > 1 || count == values[name][value], "{}", name);
            }
        }
    }
}
