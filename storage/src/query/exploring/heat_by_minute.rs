//! A heatmap of a source from its minute aggregates, where they say exactly what its records would; the minutes that a time
//! range cuts come from their records.

use insighthub_model::aggregate::Octave;
use insighthub_model::query::TimeSpan;
use insighthub_model::{Level, Timestamp};

use super::{Heat, Seen, Wanted};
use crate::column_source::{ColumnSource, MinuteCounts, MinuteLatencies};
use crate::query::Filter;
use crate::query::budget::Spending;
use crate::query::error::QueryError;
use crate::query::minute_test::{Accepted, MinuteTest};
use crate::query::pipeline::whole_minutes::{MINUTE, are_plain, cut_minutes, whole_minutes};
use crate::query::watched::Watched;

/// A heatmap that minute aggregates can answer.
#[derive(Debug)]
pub(super) struct HeatByMinute<'a> {
    filter: &'a Filter,
    test: MinuteTest<'a>,
    length: TimeSpan,
}

impl<'a> HeatByMinute<'a> {
    /// `None` where more is wanted than a heatmap of whole minutes, or the filter asks for more than minutes know.
    pub(super) fn of(filter: &'a Filter, wanted: &Wanted) -> Option<HeatByMinute<'a>> {
        let length = wanted.heat?;
        let only_heat = Wanted { heat: wanted.heat, ..Wanted::default() };
        let is_whole = length.nanos() > 0 && length.nanos() % MINUTE == 0 && *wanted == only_heat;
        is_whole.then_some(HeatByMinute { filter, test: filter.minute_test()?, length })
    }

    /// Takes a source in and says how many of its records are meant; `None`, and nothing is taken in, where its records
    /// must be asked.
    pub(super) fn take_in(
        &self,
        seen: &mut Seen,
        source: &Watched<'_>,
        spending: &Spending<'_>,
    ) -> Result<Option<u64>, QueryError> {
        let whole = whole_minutes(&self.test, source);
        if whole.0 > whole.1 || source.ruled_out(self.filter).is_some() || !are_plain(source) {
            return Ok(None);
        }
        let Some(counts) = source.minute_counts()? else { return Ok(None) };
        let Some(latencies) = source.minute_latencies()? else { return Ok(None) };
        let Some((mut heat, mut matched)) = self.heat_of(&counts, &latencies, whole) else { return Ok(None) };
        match cut_minutes(&self.test, source, whole)? {
            None => spending.spend(source, 0)?,
            Some(mut rows) => {
                spending.spend(source, rows.count())?;
                self.filter.narrow(source, &mut rows)?;
                matched += rows.count() as u64;
                heat.take_in(source, &rows, self.length)?;
            }
        }
        spending.answered_by_minute(source);
        seen.records += matched;
        seen.heat.merge(heat);
        Ok(Some(matched))
    }

    /// Of whole minutes, with the number of records; `None` where a sketch is of records that are meant and of others, or
    /// does not tell its latencies apart.
    fn heat_of(
        &self,
        counts: &MinuteCounts,
        latencies: &MinuteLatencies,
        (from, to): (i64, i64),
    ) -> Option<(Heat, u64)> {
        let of_service = |name: &String| Level::ALL.map(|level| self.test.accepts(name, level));
        let accepted: Vec<[Accepted; Level::ALL.len()]> = counts.services.iter().map(of_service).collect();
        let (mut heat, mut matched) = (Heat::default(), 0);
        for (at, cell) in counts.cells.iter().enumerate() {
            let of_level = accepted.get(cell.service as usize)?.get(cell.level as usize)?;
            let meant =
                if (from..=to).contains(&cell.minute) { of_level.of(cell.count, cell.anomalies) } else { 0 };
            if meant == 0 {
                continue;
            }
            if meant < cell.count {
                return None;
            }
            let moment = Timestamp(cell.minute.checked_mul(MINUTE)?);
            let start = self.length.start_of(moment).unwrap_or(moment).0;
            let buckets =
                latencies.get(at).buckets.iter().map(|(bucket, count)| (*bucket, u64::from(*count)));
            heat.take_in_minute(start, Octave::of_buckets(buckets)?);
            matched += meant;
        }
        Some((heat, matched))
    }
}
