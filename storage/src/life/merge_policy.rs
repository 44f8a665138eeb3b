//! Which blocks a leader has merged next. Size-tiered: a block is written again only together with at least as much as
//! it holds, so a record is written at most log2(full / first) times however small its first block was.

use crate::block::BlockId;

/// A merged block holds at most so many records and raw bytes: what a query decodes at a time.
const RECORDS_MAX: u64 = 64 << 10;
const RAW_BYTES_MAX: u64 = 16 << 20;
/// Records one command rewrites: keeps the sealer's thread, which all partitions share, busy for less than a second.
const COMMAND_RECORDS_MAX: u64 = 2 * RECORDS_MAX;
/// While blocks come in: fewer neighbours than this are not worth a rewrite.
const FAN_IN: usize = 4;
/// In a partition at rest: what is added must be at least this share of the block it is added to.
const REST_SHARE: u64 = 8;

/// Whether a block is to be written again although it is alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    No,
    /// It holds what must leave the disk.
    Rewrite,
}

/// What the policy knows of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockShape {
    pub id: BlockId,
    pub rows: u64,
    pub raw_bytes: u64,
    pub due: Due,
    /// It can be read here. One that cannot is left alone until it is mended.
    pub is_whole: bool,
}

/// How much the partition takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Busy,
    /// Nothing new for a while: few blocks are worth more than few rewrites.
    AtRest,
}

/// The runs of neighbours (blocks in order, oldest first) that one command should make one block each; empty when there
/// is nothing to do.
pub fn plan_merges(blocks: &[BlockShape], pace: Pace) -> Vec<Vec<BlockId>> {
    let mut planned = Plan::default();
    // What must go goes first, alone: its neighbours are no reason to wait.
    for (at, block) in blocks.iter().enumerate() {
        if block.due == Due::Rewrite && block.is_whole {
            planned.add(at..at + 1, blocks);
        }
    }
    let mut end = blocks.len();
    while end > 0 && planned.has_room() {
        let start = match pace {
            Pace::Busy => busy_run(blocks, end),
            Pace::AtRest => rest_run(blocks, end),
        };
        if let Some(start) = start {
            planned.add(start..end, blocks);
            end = start;
        } else {
            end -= 1;
        }
    }
    planned.runs
}

#[derive(Default)]
struct Plan {
    runs: Vec<Vec<BlockId>>,
    rows: u64,
}

impl Plan {
    fn has_room(&self) -> bool {
        self.rows < COMMAND_RECORDS_MAX
    }

    /// Adds a run unless one of its blocks is in another, or the command is full.
    fn add(&mut self, run: std::ops::Range<usize>, blocks: &[BlockShape]) {
        let run = blocks.get(run).unwrap_or(&[]);
        let rows: u64 = run.iter().map(|block| block.rows).sum();
        let is_taken = |block: &BlockShape| self.runs.iter().flatten().any(|taken| *taken == block.id);
        let is_full = !self.runs.is_empty() && self.rows + rows > COMMAND_RECORDS_MAX;
        if is_full || run.iter().any(is_taken) {
            return;
        }
        self.rows += rows;
        self.runs.push(run.iter().map(|block| block.id).collect());
    }
}

/// What a run holds while it is extended towards older blocks.
struct Extent {
    rows: u64,
    raw_bytes: u64,
}

impl Extent {
    fn fits(&self, block: &BlockShape) -> bool {
        block.is_whole
            && self.rows + block.rows <= RECORDS_MAX
            && self.raw_bytes + block.raw_bytes <= RAW_BYTES_MAX
    }

    fn take(&mut self, block: &BlockShape) {
        self.rows += block.rows;
        self.raw_bytes += block.raw_bytes;
    }
}

/// Where a run that ends before `end` starts: at least [`FAN_IN`] blocks, none of which holds more than the younger ones
/// of the run together.
fn busy_run(blocks: &[BlockShape], end: usize) -> Option<usize> {
    let last = blocks.get(end.checked_sub(1)?)?;
    let mut extent = Extent { rows: 0, raw_bytes: 0 };
    if !extent.fits(last) {
        return None;
    }
    extent.take(last);
    let mut start = end - 1;
    while let Some(block) = start.checked_sub(1).and_then(|at| blocks.get(at)) {
        let is_small = block.rows <= extent.rows && block.raw_bytes <= extent.raw_bytes.saturating_mul(2);
        if !extent.fits(block) || !is_small {
            break;
        }
        extent.take(block);
        start -= 1;
    }
    (end - start >= FAN_IN).then_some(start)
}

/// Where the longest run of a partition at rest starts that fits in one block and is worth the largest's rewrite.
fn rest_run(blocks: &[BlockShape], end: usize) -> Option<usize> {
    let mut extent = Extent { rows: 0, raw_bytes: 0 };
    let (mut largest, mut start, mut found) = (0, end, None);
    while let Some(block) =
        start.checked_sub(1).and_then(|at| blocks.get(at)).filter(|block| extent.fits(block))
    {
        extent.take(block);
        largest = largest.max(block.rows);
        start -= 1;
        if end - start >= 2 && extent.rows - largest >= largest / REST_SHARE {
            found = Some(start);
        }
    }
    found
}

#[cfg(test)]
#[path = "merge_policy_tests.rs"]
mod tests;
