//! Latencies over time as cells: how full each is, where it stands, and what it means to choose some.

use insighthub_model::api::heatmap::Heatmap;

use super::places::Latencies;
use crate::components::chart::scale::Scale;
use crate::components::chart::series::{Cursor, Frame};
use crate::state::format;

/// Shades of a cell with records.
pub const SHADES: usize = 7;

/// Cells of columns and rows; row 0 is the fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heat {
    pub start_ms: i64,
    pub step_ms: i64,
    /// Lower edge of each row, ascending.
    pub edges_ms: Vec<f64>,
    /// By column, then row.
    pub counts: Vec<Vec<u64>>,
    pub most: u64,
}

/// Cells from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    pub columns: (usize, usize),
    pub rows: (usize, usize),
}

/// Where the reader points at, across and up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeatCursor {
    pub column: Cursor,
    pub row: Cursor,
}

impl Heat {
    pub fn of(heatmap: &Heatmap) -> Heat {
        let columns = &heatmap.columns;
        let most = columns.iter().flat_map(|column| column.counts.iter().copied()).max().unwrap_or_default();
        Heat {
            start_ms: columns.first().map_or(0, |column| column.start.millis()),
            step_ms: heatmap.bucket_ms as i64,
            edges_ms: heatmap.edges_ms.clone(),
            counts: columns.iter().map(|column| column.counts.clone()).collect(),
            most,
        }
    }

    pub fn columns(&self) -> usize {
        self.counts.len()
    }

    pub fn rows(&self) -> usize {
        self.edges_ms.len()
    }

    pub fn end_ms(&self) -> i64 {
        self.start_ms + self.step_ms * self.columns() as i64
    }

    pub fn count(&self, column: usize, row: usize) -> u64 {
        self.counts.get(column).and_then(|counts| counts.get(row)).copied().unwrap_or_default()
    }

    /// 0 for an empty cell, else 1 to [`SHADES`]. By the logarithm: a few slow records among thousands must be seen.
    pub fn shade(&self, count: u64) -> usize {
        if count == 0 || self.most == 0 {
            return 0;
        }
        let share = (1.0 + count as f64).ln() / (1.0 + self.most as f64).ln();
        ((share * SHADES as f64).ceil() as usize).clamp(1, SHADES)
    }

    /// The least count of each shade that occurs, for the legend.
    pub fn shade_counts(&self) -> Vec<(usize, u64)> {
        let least = |shade: usize| {
            let count = ((1.0 + self.most as f64).ln() * (shade as f64 - 1.0) / SHADES as f64).exp() - 1.0;
            (count.floor() as u64 + 1).min(self.most)
        };
        let mut counts: Vec<(usize, u64)> = (1..=SHADES).map(|shade| (shade, least(shade))).collect();
        counts.retain(|(shade, count)| self.shade(*count) == *shade);
        counts
    }

    /// Column and row of a place in the frame.
    pub fn cell_at(&self, frame: Frame, x: f64, y: f64) -> Option<(usize, usize)> {
        if self.columns() == 0 || self.rows() == 0 {
            return None;
        }
        let column = frame.across(self.columns()).value(x).floor() as usize;
        let row = self.up(frame).value(y).floor() as usize;
        Some((column.min(self.columns() - 1), row.min(self.rows() - 1)))
    }

    /// From rows to pixels.
    pub fn up(&self, frame: Frame) -> Scale {
        frame.up(self.rows() as f64)
    }

    /// One path for all cells of a shade: a thousand rectangles would be slow.
    pub fn path(&self, frame: Frame, shade: usize) -> String {
        let (across, up) = (frame.across(self.columns()), self.up(frame));
        let width = (across.px(1.0) - across.px(0.0) - 1.0).max(0.8);
        let height = (up.px(0.0) - up.px(1.0) - 1.0).max(0.8);
        let mut text = String::new();
        for (column, counts) in self.counts.iter().enumerate() {
            for (row, count) in counts.iter().enumerate() {
                if self.shade(*count) == shade {
                    let (x, y) = (across.px(column as f64), up.px(row as f64 + 1.0) + 1.0);
                    text.push_str(&format!("M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z"));
                }
            }
        }
        text
    }

    /// Latencies of rows, the last of which may be open above.
    pub fn latencies(&self, (from, to): (usize, usize)) -> Latencies {
        let edge = |row: usize| self.edges_ms.get(row).copied();
        Latencies { from_ms: edge(from).unwrap_or_default(), to_ms: edge(to + 1) }
    }

    /// First and last moment of columns.
    pub fn stretch(&self, (from, to): (usize, usize)) -> (i64, i64) {
        let edge = |column: usize| self.start_ms + self.step_ms * column as i64;
        (edge(from), edge(to + 1))
    }

    pub fn records(&self, cells: Cells) -> u64 {
        let of_column =
            |column: usize| -> u64 { (cells.rows.0..=cells.rows.1).map(|row| self.count(column, row)).sum() };
        (cells.columns.0..=cells.columns.1).map(of_column).sum()
    }
}

/// `512 ms to 1.02 s`, `from 4.10 s`.
pub fn latency_words(latencies: Latencies) -> String {
    let from = format::duration_ms(latencies.from_ms);
    match latencies.to_ms {
        Some(to_ms) => format!("{from} to {}", format::duration_ms(to_ms)),
        None => format!("from {from}"),
    }
}

impl HeatCursor {
    pub fn cells(self) -> Option<Cells> {
        Some(Cells { columns: self.column.chosen()?, rows: self.row.chosen()? })
    }

    pub fn at(self) -> Option<(usize, usize)> {
        self.column.at.zip(self.row.at)
    }

    pub fn pointed(self, cell: Option<(usize, usize)>) -> HeatCursor {
        let (column, row) = cell.unzip();
        HeatCursor { column: Cursor { at: column, ..self.column }, row: Cursor { at: row, ..self.row } }
    }

    /// Drags from this cell on.
    pub fn begun(cell: Option<(usize, usize)>) -> HeatCursor {
        let (column, row) = cell.unzip();
        HeatCursor { column: Cursor { at: column, anchor: column }, row: Cursor { at: row, anchor: row } }
    }

    /// By arrow keys; starts at the newest column and the lowest row.
    pub fn stepped(self, (right, up): (isize, isize), heat: &Heat, extends: bool) -> HeatCursor {
        let row = if self.row.at.is_none() { Cursor { at: Some(0), anchor: None } } else { self.row };
        HeatCursor {
            column: self.column.stepped(right, heat.columns(), extends),
            row: row.stepped(up, heat.rows(), extends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat() -> Heat {
        Heat {
            start_ms: 0,
            step_ms: 60_000,
            edges_ms: vec![4.0, 8.0, 16.0],
            counts: vec![vec![1_000, 10, 1], vec![500, 0, 0]],
            most: 1_000,
        }
    }

    #[test]
    fn one_record_is_seen_beside_a_thousand() {
        let heat = heat();
        assert_eq!([0, 1, 10, 1_000].map(|count| heat.shade(count)), [0, 1, 3, SHADES]);
        assert_eq!(Heat::default().shade(5), 0);
        let legend = heat.shade_counts();
        assert!(legend.iter().all(|(shade, count)| heat.shade(*count) == *shade), "{legend:?}");
        assert_eq!((legend.first(), legend.len()), (Some(&(1, 1)), SHADES));
    }

    #[test]
    fn few_records_need_few_shades() {
        let heat = Heat { most: 1, ..heat() };
        assert_eq!(heat.shade(1), SHADES);
        assert_eq!(heat.shade_counts(), [(SHADES, 1)]);
    }

    #[test]
    fn cells_and_places_belong_together() {
        let frame =
            Frame { width: Frame::LEFT + Frame::RIGHT + 20.0, height: Frame::TOP + Frame::BOTTOM + 30.0 };
        let heat = heat();
        assert_eq!(heat.cell_at(frame, Frame::LEFT + 15.0, Frame::TOP + 5.0), Some((1, 2)));
        assert_eq!(heat.cell_at(frame, 0.0, 900.0), Some((0, 0)));
        assert_eq!(Heat::default().cell_at(frame, 0.0, 0.0), None);
        assert_eq!(heat.path(frame, SHADES - 1), "");
        assert_eq!(heat.path(frame, 1), format!("M{:.1} {:.1}h9.0v9.0h-9.0z", Frame::LEFT, Frame::TOP + 1.0));
    }

    #[test]
    fn what_is_dragged_over_is_a_stretch_of_both() {
        let heat = heat();
        let cursor = HeatCursor::begun(Some((1, 0))).pointed(Some((0, 2)));
        let cells = cursor.cells().unwrap();
        assert_eq!((cells.columns, cells.rows), ((0, 1), (0, 2)));
        assert_eq!(heat.records(cells), 1_511);
        assert_eq!(heat.stretch(cells.columns), (0, 120_000));
        assert_eq!(heat.latencies((1, 1)), Latencies { from_ms: 8.0, to_ms: Some(16.0) });
        assert_eq!(latency_words(heat.latencies((2, 2))), "from 16 ms");
        assert_eq!(latency_words(heat.latencies((0, 1))), "4 ms to 16 ms");
    }

    #[test]
    fn arrow_keys_walk_within_the_cells() {
        let heat = heat();
        let first = HeatCursor::default().stepped((0, 0), &heat, false);
        assert_eq!(first.at(), Some((1, 0)));
        let extended = first.stepped((-1, 0), &heat, true).stepped((0, 1), &heat, true);
        assert_eq!(extended.cells(), Some(Cells { columns: (0, 1), rows: (0, 1) }));
        assert_eq!(extended.stepped((0, -9), &heat, false).at(), Some((0, 0)));
    }
}
