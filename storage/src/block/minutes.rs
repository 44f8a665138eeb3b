//! The minute aggregates of a block, column by column: the counts in one chunk, which charts read alone, and the
//! latencies in another. Any bytes are taken: what does not fit together is damage.

use std::collections::BTreeMap;

use insighthub_model::Level;
use insighthub_model::aggregate::{BUCKETS_MAX, LatencySketch, MinuteAggregate, MinuteKey, SketchParts};
use insighthub_model::batch::TextColumn;

use super::encoding::{
    Cursor, DamagedChunk, Decoded, Encoder, decode_floats, decode_integers, decode_texts, put_varint,
};
use crate::column_source::{MinuteCell, MinuteCounts, MinuteLatencies};

type Minutes = BTreeMap<MinuteKey, MinuteAggregate>;

const DAMAGED: DamagedChunk = DamagedChunk("the minute aggregates do not fit together");

/// Appends services and, cell by cell, minute, level, count and anomalies.
pub(super) fn encode_counts(minutes: &Minutes, encoder: &mut Encoder, out: &mut Vec<u8>) {
    let mut services: Vec<&str> = Vec::new();
    let mut cells_of_service: Vec<i64> = Vec::new();
    for key in minutes.keys() {
        if services.last() != Some(&key.service.as_str()) {
            services.push(&key.service);
            cells_of_service.push(0);
        }
        cells_of_service.iter_mut().last().into_iter().for_each(|cells| *cells += 1);
    }
    put_varint(out, services.len() as u64);
    let services: TextColumn = services.into_iter().collect();
    encoder.texts(&services, None, out);
    encoder.integers(&cells_of_service, out);
    let columns: [fn(&MinuteKey, &MinuteAggregate) -> i64; 4] = [
        |key, _| key.minute,
        |key, _| key.level as i64,
        |_, aggregate| aggregate.count as i64,
        |_, aggregate| aggregate.anomalies as i64,
    ];
    for column in columns {
        let values: Vec<i64> = minutes.iter().map(|(key, aggregate)| column(key, aggregate)).collect();
        encoder.integers(&values, out);
    }
}

/// The counts of so many cells.
pub(super) fn decode_counts(cursor: &mut Cursor<'_>, cells: usize) -> Decoded<MinuteCounts> {
    let services = cursor.length()?;
    if services > cells {
        return Err(DAMAGED);
    }
    let services: Vec<String> =
        decode_texts(cursor, services)?.to_column().iter().map(str::to_owned).collect();
    let cells_of_service = decode_integers(cursor, services.len())?;
    let mut service_of_cell = Vec::with_capacity(cells);
    for (number, of_service) in (0u32..).zip(cells_of_service) {
        let of_service = usize::try_from(of_service).map_err(|_| DAMAGED)?;
        if of_service > cells - service_of_cell.len() {
            return Err(DAMAGED);
        }
        service_of_cell.resize(service_of_cell.len() + of_service, number);
    }
    if service_of_cell.len() != cells {
        return Err(DAMAGED);
    }
    let [minutes, levels, counts, anomalies] = [(); 4].map(|()| decode_integers(cursor, cells));
    let (mut levels, mut counts, mut anomalies) =
        (levels?.into_iter(), counts?.into_iter(), anomalies?.into_iter());
    let cell = |(service, minute): (u32, i64)| {
        let level = levels.next().and_then(|level| Level::from_number(u8::try_from(level).ok()?));
        let (Some(level), Some(count), Some(anomalies)) = (level, counts.next(), anomalies.next()) else {
            return Err(DAMAGED);
        };
        Ok(MinuteCell { service, minute, level, count: count as u64, anomalies: anomalies as u64 })
    };
    let cells = service_of_cell.into_iter().zip(minutes?).map(cell).collect::<Decoded<_>>()?;
    Ok(MinuteCounts { services, cells })
}

/// Appends, cell by cell, sum and extremes and the buckets: how many, each as its distance from the one before, and
/// the latencies in each.
pub(super) fn encode_latencies(minutes: &Minutes, encoder: &mut Encoder, out: &mut Vec<u8>) {
    let parts: Vec<SketchParts<'_>> = minutes.values().map(|aggregate| aggregate.latency.parts()).collect();
    let integers = |column: fn(&SketchParts<'_>) -> i64| parts.iter().map(column).collect::<Vec<_>>();
    encoder.integers(&integers(|parts| parts.sum_nanos as i64), out);
    encoder.integers(&integers(|parts| (parts.sum_nanos >> u64::BITS) as i64), out);
    encoder.floats(&parts.iter().map(|parts| parts.range_ms.0).collect::<Vec<f64>>(), out);
    encoder.floats(&parts.iter().map(|parts| parts.range_ms.1).collect::<Vec<f64>>(), out);
    encoder.integers(&integers(|parts| parts.buckets.len() as i64), out);
    let mut distances: Vec<i64> = Vec::new();
    for parts in &parts {
        let before = [0].iter().chain(parts.buckets);
        distances.extend(parts.buckets.iter().zip(before).map(|(bucket, before)| i64::from(bucket - before)));
    }
    put_varint(out, distances.len() as u64);
    encoder.integers(&distances, out);
    let counts: Vec<i64> =
        parts.iter().flat_map(|parts| parts.counts.iter().map(|count| *count as i64)).collect();
    encoder.integers(&counts, out);
}

/// The latencies of so many cells.
pub(super) fn decode_latencies(cursor: &mut Cursor<'_>, cells: usize) -> Decoded<MinuteLatencies> {
    let (low, high) = (decode_integers(cursor, cells)?, decode_integers(cursor, cells)?);
    let (min, max): (Vec<f64>, Vec<f64>) = (decode_floats(cursor, cells)?, decode_floats(cursor, cells)?);
    let buckets_of_cell = decode_integers(cursor, cells)?;
    let buckets = cursor.length()?;
    if buckets > cells.saturating_mul(BUCKETS_MAX) {
        return Err(DAMAGED);
    }
    let mut buckets = decode_integers(cursor, buckets)?.into_iter().zip(decode_integers(cursor, buckets)?);
    let mut latencies = MinuteLatencies::default();
    let sums = low
        .into_iter()
        .zip(high)
        .map(|(low, high)| u128::from(high as u64) << u64::BITS | low as u64 as u128);
    for ((sum, range), of_cell) in sums.zip(min.into_iter().zip(max)).zip(buckets_of_cell) {
        let of_cell =
            usize::try_from(of_cell).ok().filter(|of_cell| *of_cell <= BUCKETS_MAX).ok_or(DAMAGED)?;
        let mut bucket = 0i64;
        let mut held = Vec::with_capacity(of_cell);
        for (distance, count) in buckets.by_ref().take(of_cell) {
            bucket = bucket.wrapping_add(distance);
            let bucket = u16::try_from(bucket).map_err(|_| DAMAGED)?;
            held.push((bucket, u32::try_from(count).map_err(|_| DAMAGED)?));
        }
        if held.len() != of_cell {
            return Err(DAMAGED);
        }
        latencies.push(sum, range, held.into_iter());
    }
    if buckets.next().is_none() { Ok(latencies) } else { Err(DAMAGED) }
}

/// The aggregates by key.
pub(super) fn to_map(counts: &MinuteCounts, latencies: &MinuteLatencies) -> Decoded<Minutes> {
    if counts.cells.len() != latencies.len() {
        return Err(DAMAGED);
    }
    let mut map = Minutes::new();
    for (at, cell) in counts.cells.iter().enumerate() {
        let of_cell = latencies.get(at);
        let (buckets, of_bucket): (Vec<u16>, Vec<u64>) =
            of_cell.buckets.iter().map(|(bucket, count)| (*bucket, u64::from(*count))).unzip();
        let parts = SketchParts {
            sum_nanos: of_cell.sum_nanos,
            range_ms: of_cell.range_ms,
            buckets: &buckets,
            counts: &of_bucket,
        };
        let latency = LatencySketch::from_parts(parts).map_err(|_| DAMAGED)?;
        let service = counts.services.get(cell.service as usize).ok_or(DAMAGED)?.clone();
        let key = MinuteKey { service, minute: cell.minute, level: cell.level };
        map.insert(key, MinuteAggregate { count: cell.count, anomalies: cell.anomalies, latency });
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minutes() -> impl Strategy<Value = Minutes> {
        let key = ("[a-c]|", any::<i64>(), 0u8..6).prop_map(|(service, minute, level)| MinuteKey {
            service,
            minute,
            level: Level::from_number(level).unwrap(),
        });
        let latency = prop::option::of(prop_oneof![0.0f64..1e4, 0.0f64..1e300, Just(0.0)]);
        let records = prop::collection::vec((any::<bool>(), latency), 1..40);
        let aggregate = records.prop_map(|records| {
            let mut aggregate = MinuteAggregate::default();
            records.into_iter().for_each(|(is_anomaly, latency)| aggregate.add(is_anomaly, latency));
            aggregate
        });
        prop::collection::btree_map(key, aggregate, 0..30)
    }

    proptest! {
        #[test]
        fn minutes_read_back(minutes in minutes()) {
            let mut encoder = Encoder::new().unwrap();
            let (mut counts, mut latencies) = (Vec::new(), Vec::new());
            encode_counts(&minutes, &mut encoder, &mut counts);
            encode_latencies(&minutes, &mut encoder, &mut latencies);
            let read = |bytes: &[u8]| {
                let mut cursor = Cursor::new(bytes);
                let counts = decode_counts(&mut cursor, minutes.len()).unwrap();
                cursor.expect_end().unwrap();
                counts
            };
            let counts = read(&counts);
            let mut cursor = Cursor::new(&latencies);
            let latencies = decode_latencies(&mut cursor, minutes.len()).unwrap();
            prop_assert_eq!(cursor.expect_end(), Ok(()));
            prop_assert_eq!(to_map(&counts, &latencies), Ok(minutes));
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(0u8..20, 0..200), cells in 0usize..9) {
            let counts = decode_counts(&mut Cursor::new(&bytes), cells);
            prop_assert!(counts.is_err() || counts.is_ok_and(|counts| counts.cells.len() == cells));
            let latencies = decode_latencies(&mut Cursor::new(&bytes), cells);
            prop_assert!(latencies.is_err() || latencies.is_ok_and(|latencies| latencies.len() == cells));
        }
    }
}
