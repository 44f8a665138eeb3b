//! Pointing at bars and marking some of them, by pointer or by keys.

use std::rc::Rc;

use yew::Reducible;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brush {
    /// The bar that is pointed at.
    pub cursor: Option<usize>,
    /// Where the marking began.
    anchor: Option<usize>,
    /// The pointer is held down.
    is_down: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrushAction {
    Down(usize),
    Over(usize),
    Up,
    /// The pointer left the chart.
    Out,
    /// A step with the keys, of a chart with so many bars; with shift it marks.
    Step {
        forward: bool,
        marks: bool,
        count: usize,
    },
    Drop,
}

impl Brush {
    /// The first and last bar that are marked.
    pub fn marked(self) -> Option<(usize, usize)> {
        let (anchor, cursor) = (self.anchor?, self.cursor?);
        Some((anchor.min(cursor), anchor.max(cursor)))
    }

    /// Marked, and the pointer is up: what shall become of it?
    pub fn is_done(self) -> bool {
        self.anchor.is_some() && !self.is_down
    }

    /// The pointer marks right now.
    pub fn is_drawing(self) -> bool {
        self.is_down
    }
}

impl Reducible for Brush {
    type Action = BrushAction;

    fn reduce(self: Rc<Self>, action: BrushAction) -> Rc<Self> {
        let was = *self;
        Rc::new(match action {
            BrushAction::Down(bar) => Brush { cursor: Some(bar), anchor: Some(bar), is_down: true },
            // What is marked stays while its menu is open.
            BrushAction::Over(_) if was.is_done() => was,
            BrushAction::Over(bar) => Brush { cursor: Some(bar), ..was },
            BrushAction::Up => Brush { is_down: false, ..was },
            BrushAction::Out if was.is_down || was.is_done() => was,
            BrushAction::Out | BrushAction::Drop => Brush::default(),
            BrushAction::Step { count: 0, .. } => was,
            BrushAction::Step { forward, marks, count } => {
                let start = if forward { 0 } else { count - 1 };
                let cursor = match was.cursor {
                    None => start,
                    Some(bar) if forward => (bar + 1).min(count - 1),
                    Some(bar) => bar.saturating_sub(1),
                };
                let anchor = marks.then(|| was.anchor.or(was.cursor).unwrap_or(cursor));
                Brush { cursor: Some(cursor), anchor, is_down: false }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: &[BrushAction]) -> Brush {
        *actions.iter().fold(Rc::new(Brush::default()), |brush, action| brush.reduce(*action))
    }

    #[test]
    fn a_drag_marks_from_where_it_began_and_ends_where_the_pointer_goes_up() {
        use BrushAction::{Down, Drop, Out, Over, Up};
        let brush = after(&[Over(3), Down(7), Over(4), Out]);
        assert_eq!((brush.marked(), brush.is_done()), (Some((4, 7)), false));
        let brush = after(&[Down(7), Over(4), Up, Over(9), Out]);
        assert_eq!((brush.marked(), brush.is_done()), (Some((4, 7)), true));
        assert_eq!(after(&[Down(7), Up, Drop]), Brush::default());
        assert_eq!(after(&[Over(7), Out]), Brush::default());
    }

    #[test]
    fn keys_move_and_with_shift_mark() {
        let step = |forward, marks| BrushAction::Step { forward, marks, count: 5 };
        assert_eq!(after(&[step(false, false)]).cursor, Some(4));
        let brush = after(&[step(true, false), step(true, true), step(true, true)]);
        assert_eq!((brush.marked(), brush.is_done()), (Some((0, 2)), true));
        assert_eq!(after(&[step(true, true), step(true, false)]).marked(), None);
        assert_eq!(after(&[step(false, false), step(true, false)]).cursor, Some(4));
    }
}
