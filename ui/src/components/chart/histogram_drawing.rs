//! The drawing of a histogram: where bars stand, and the marks around them.

use insighthub_model::Level;
use yew::{Html, html};

use super::scale::{Scale, round_up, time_label, time_marks};
use crate::browser::clock;
use crate::components::records::level_badge::level_class;
use crate::state::explore::bars::Bars;
use crate::state::explore::brush::Brush;
use crate::state::format;
use crate::state::range::Span;

pub(super) const HEIGHT: f64 = 132.0;
/// Room for the numbers of the axis.
pub(super) const LEFT: f64 = 44.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 20.0;
const MARK_PX: f64 = 96.0;

#[derive(Clone, PartialEq)]
pub(super) struct Plot {
    time: Scale,
    counts: Scale,
    bar_px: f64,
    count: usize,
}

impl Plot {
    pub(super) fn new(bars: &Bars, width: f64) -> Plot {
        let first = bars.bars.first().map_or(0, |bar| bar.start_ms);
        let end = bars.bars.last().map_or(1, |bar| bar.start_ms + bars.bar_ms);
        let most = round_up(bars.most() as f64);
        let right = (width - 8.0).max(LEFT + 1.0);
        Plot {
            time: Scale { from: first as f64, to: end as f64, px_from: LEFT, px_to: right },
            counts: Scale { from: 0.0, to: most, px_from: HEIGHT - BOTTOM, px_to: TOP },
            bar_px: (right - LEFT) / bars.bars.len().max(1) as f64,
            count: bars.bars.len(),
        }
    }

    /// The bar at a place.
    pub(super) fn bar_at(&self, x: f64) -> Option<usize> {
        let last = self.count.checked_sub(1)?;
        Some(((x - LEFT) / self.bar_px).clamp(0.0, last as f64) as usize)
    }

    /// Behind what is marked, or pointed at.
    pub(super) fn middle(&self, brush: &Brush) -> f64 {
        let bar = brush.marked().map(|(_, to)| to).or(brush.cursor).unwrap_or(0);
        LEFT + (bar as f64 + 0.5) * self.bar_px
    }

    pub(super) fn axes(&self, span: Span) -> Html {
        let line = |share: f64| {
            let value = self.counts.to * share;
            let y = self.counts.px(value);
            html! {
                <>
                    <line class="grid" x1={LEFT.to_string()} x2={self.time.px_to.to_string()} y1={y.to_string()} y2={y.to_string()} />
                    <text x={(LEFT - 6.0).to_string()} y={(y + 4.0).to_string()} text-anchor="end">{ format::short_count(value) }</text>
                </>
            }
        };
        let (from, to) = (self.time.from as i64, self.time.to as i64);
        let offset_ms = clock::offset_ms(span.to_ms);
        let count = ((self.time.px_to - LEFT) / MARK_PX).max(1.0) as usize;
        let mark = |at: i64| {
            let x = self.time.px(at as f64);
            html! { <text x={x.to_string()} y={(HEIGHT - 5.0).to_string()} text-anchor="middle">{ time_label(at, offset_ms, to - from) }</text> }
        };
        let inside = |at: &i64| (LEFT + 14.0..self.time.px_to - 14.0).contains(&self.time.px(*at as f64));
        html! {
            <g aria-hidden="true">
                { for [0.0, 0.5, 1.0].map(line) }
                { for time_marks(from, to, offset_ms, count).into_iter().filter(inside).map(mark) }
            </g>
        }
    }

    pub(super) fn bars(&self, bars: &Bars) -> Html {
        let gap = if self.bar_px > 5.0 { 1.0 } else { 0.0 };
        let bar = |(place, bar): (usize, &crate::state::explore::bars::Bar)| {
            let x = LEFT + place as f64 * self.bar_px;
            let mut below = 0_u64;
            // The severe stand at the bottom, where their heights can be compared.
            let parts = Level::ALL.iter().zip(bar.levels).rev().filter(|(_, count)| *count > 0).map(|(level, count)| {
                let (bottom, top) = (self.counts.px(below as f64), self.counts.px((below + count) as f64));
                below += count;
                html! {
                    <rect class={yew::classes!("level-fill", level_class(*level))} x={format!("{x:.1}")} y={format!("{top:.1}")}
                        width={format!("{:.1}", (self.bar_px - gap).max(0.5))} height={format!("{:.1}", (bottom - top).max(0.8))} />
                }
            });
            parts.collect::<Html>()
        };
        html! { <g>{ for bars.bars.iter().enumerate().map(bar) }</g> }
    }

    /// The period before as an outline.
    pub(super) fn before(&self, bars: &Bars) -> Html {
        if bars.before.is_empty() {
            return Html::default();
        }
        let mut path = String::new();
        for (start, count) in &bars.before {
            let from = self.time.px(*start as f64).clamp(LEFT, self.time.px_to);
            let to = self.time.px((*start + bars.bar_ms) as f64).clamp(LEFT, self.time.px_to);
            let y = self.counts.px(*count as f64);
            path.push_str(&format!("{}{from:.1} {y:.1}H{to:.1}", if path.is_empty() { "M" } else { "L" }));
        }
        html! { <path class="before-line" d={path} fill="none" /> }
    }

    /// What is marked, what was marked for good, and the bar that is pointed at.
    pub(super) fn marks(&self, brush: &Brush, marked_ms: Option<(i64, i64)>) -> Html {
        let rect = |class: &'static str, from: f64, to: f64| {
            let (from, to) = (from.clamp(LEFT, self.time.px_to), to.clamp(LEFT, self.time.px_to));
            html! {
                <rect class={class} x={from.to_string()} y={TOP.to_string()} width={(to - from).max(1.0).to_string()}
                    height={(HEIGHT - BOTTOM - TOP).to_string()} />
            }
        };
        let bars = |class, from: usize, to: usize| {
            rect(class, LEFT + from as f64 * self.bar_px, LEFT + (to + 1) as f64 * self.bar_px)
        };
        html! {
            <g>
                { marked_ms.map(|(from, to)| rect("marked kept", self.time.px(from as f64), self.time.px(to as f64))) }
                { brush.marked().map(|(from, to)| bars("marked", from, to)) }
                { brush.cursor.filter(|_| brush.marked().is_none()).map(|bar| bars("pointed", bar, bar)) }
            </g>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::explore::bars::Bar;

    #[test]
    fn a_place_belongs_to_a_bar_also_beyond_the_ends() {
        let bars = (0..10).map(|start| Bar { start_ms: start * 10, levels: [0; 6] }).collect();
        let plot = Plot::new(&Bars { bars, bar_ms: 10, before: Vec::new() }, LEFT + 8.0 + 100.0);
        assert_eq!(
            [-50.0, LEFT, LEFT + 15.0, 9_999.0].map(|x| plot.bar_at(x)),
            [Some(0), Some(0), Some(1), Some(9)]
        );
        assert_eq!(Plot::new(&Bars::default(), 300.0).bar_at(5.0), None);
    }
}
