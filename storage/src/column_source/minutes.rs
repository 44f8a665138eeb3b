//! Counts and latencies of a source by service, minute and level: they answer in time proportional to minutes what
//! would else be counted record by record.

use insighthub_model::Level;

/// How many records each service has of each minute and level.
#[derive(Debug, Default, PartialEq)]
pub struct MinuteCounts {
    /// What cells number; ascending.
    pub services: Vec<String>,
    /// By service, minute and level, ascending; none of no records.
    pub cells: Vec<MinuteCell>,
}

/// The records of one service, minute and level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinuteCell {
    /// Index into the services.
    pub service: u32,
    /// Minutes since 1970.
    pub minute: i64,
    pub level: Level,
    pub count: u64,
    /// So many of them are anomalies.
    pub anomalies: u64,
}

/// The latency sketches of the cells of [`MinuteCounts`], one for each, column by column.
#[derive(Debug, Default, PartialEq)]
pub struct MinuteLatencies {
    sums: Vec<u128>,
    ranges: Vec<(f64, f64)>,
    /// Cell by cell, where its buckets end.
    ends: Vec<u32>,
    /// Number of the bucket, and latencies in it.
    buckets: Vec<(u16, u32)>,
}

/// The latencies of one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellLatencies<'a> {
    pub sum_nanos: u128,
    /// Lowest and highest; both 0 where there is none.
    pub range_ms: (f64, f64),
    /// Number of the bucket, and latencies in it; ascending.
    pub buckets: &'a [(u16, u32)],
}

impl MinuteCounts {
    pub fn bytes_held(&self) -> usize {
        let services: usize = self.services.iter().map(|name| name.len() + size_of::<String>()).sum();
        size_of::<Self>() + services + size_of_val(self.cells.as_slice())
    }
}

impl MinuteLatencies {
    /// Adds those of the next cell.
    pub fn push(&mut self, sum_nanos: u128, range_ms: (f64, f64), buckets: impl Iterator<Item = (u16, u32)>) {
        self.sums.push(sum_nanos);
        self.ranges.push(range_ms);
        self.buckets.extend(buckets);
        self.ends.push(self.buckets.len() as u32);
    }

    /// Those of a cell; none past the end.
    pub fn get(&self, cell: usize) -> CellLatencies<'_> {
        let start = cell.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(cell).copied().unwrap_or(start);
        CellLatencies {
            sum_nanos: self.sums.get(cell).copied().unwrap_or(0),
            range_ms: self.ranges.get(cell).copied().unwrap_or((0.0, 0.0)),
            buckets: self.buckets.get(start as usize..end as usize).unwrap_or(&[]),
        }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn bytes_held(&self) -> usize {
        size_of::<Self>()
            + size_of_val(self.sums.as_slice())
            + size_of_val(self.ranges.as_slice())
            + size_of_val(self.ends.as_slice())
            + size_of_val(self.buckets.as_slice())
    }
}
