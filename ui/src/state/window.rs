//! Which rows of a long list are worth drawing.

use std::ops::Range;

/// Height of a row. `static/style.css` sets the same in `--row-height`.
pub const ROW_PX: f64 = 28.0;
/// Rows drawn beyond each edge, so that a fast scroll shows rows and not emptiness.
const MARGIN_ROWS: usize = 12;
/// The next page is asked for when fewer rows than this are left below the screen.
const NEAR_END_ROWS: usize = 60;

/// What the reader sees of the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    pub top_px: f64,
    pub height_px: f64,
}

impl Viewport {
    /// The rows to draw.
    pub fn rows(self, total: usize) -> Range<usize> {
        let start = self.first().saturating_sub(MARGIN_ROWS).min(total);
        let end = (self.last() + MARGIN_ROWS).min(total);
        start..end.max(start)
    }

    /// Whether the newest line is out of sight.
    pub fn is_away_from_top(self) -> bool {
        self.top_px > ROW_PX / 2.0
    }

    pub fn is_near_end(self, total: usize) -> bool {
        self.last() + NEAR_END_ROWS >= total
    }

    /// Where to scroll so that the row is in sight; `None` if it is.
    pub fn scroll_to(self, row: usize) -> Option<f64> {
        let row_px = row as f64 * ROW_PX;
        if row_px < self.top_px {
            Some(row_px)
        } else if row_px + ROW_PX > self.top_px + self.height_px {
            Some(row_px + ROW_PX - self.height_px)
        } else {
            None
        }
    }

    fn first(self) -> usize {
        (self.top_px.max(0.0) / ROW_PX) as usize
    }

    fn last(self) -> usize {
        ((self.top_px.max(0.0) + self.height_px) / ROW_PX).ceil() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Viewport = Viewport { top_px: 2_800.0, height_px: 280.0 };

    #[test]
    fn only_rows_near_the_screen_are_drawn() {
        assert_eq!(SCREEN.rows(5_000), 88..122);
        assert_eq!(SCREEN.rows(105), 88..105);
        assert_eq!(SCREEN.rows(3), 3..3);
        assert_eq!(Viewport { top_px: 0.0, height_px: 280.0 }.rows(5_000), 0..22);
    }

    #[test]
    fn a_row_in_sight_needs_no_scrolling() {
        assert_eq!(SCREEN.scroll_to(100), None);
        assert_eq!(SCREEN.scroll_to(109), None);
        assert_eq!(SCREEN.scroll_to(99), Some(2_772.0));
        assert_eq!(SCREEN.scroll_to(110), Some(2_828.0));
    }

    #[test]
    fn a_bounce_above_the_top_is_still_the_top() {
        let bounced = Viewport { top_px: -30.0, height_px: 280.0 };
        assert!(!bounced.is_away_from_top());
        assert_eq!(bounced.rows(10).start, 0);
    }
}
