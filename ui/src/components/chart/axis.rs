//! The axes of a chart: lines of a grid, values at the left, times below.

use yew::{Html, html};

use super::scale::{Scale, time_label, time_marks};
use super::series::{Frame, Unit, value_marks};
use crate::browser::clock;

/// A mark of the time axis takes so many pixels at least.
const TIME_MARK_PX: f64 = 76.0;

/// Values from 0 to `top`, with a line across the frame at each mark.
pub fn values(frame: Frame, top: f64, unit: Unit) -> Html {
    let up = frame.up(unit.place(top));
    let mark = |value: f64| {
        let y = up.px(unit.place(value)).round() + 0.5;
        html! {
            <>
                <line class="grid" x1={Frame::LEFT.to_string()} x2={(frame.width - Frame::RIGHT).to_string()}
                    y1={y.to_string()} y2={y.to_string()} />
                <text x={(Frame::LEFT - 8.0).to_string()} y={(y + 4.0).to_string()} text-anchor="end">{ unit.mark(value) }</text>
            </>
        }
    };
    html! { <g class="axis">{ for value_marks(top, unit).into_iter().map(mark) }</g> }
}

/// Local times along the lower edge.
pub fn times(frame: Frame, from_ms: i64, to_ms: i64) -> Html {
    let scale = frame.time(from_ms, to_ms);
    let count = ((frame.width - Frame::LEFT - Frame::RIGHT) / TIME_MARK_PX).floor().max(1.0) as usize;
    let offset_ms = clock::offset_ms(to_ms);
    let marks = time_marks(from_ms, to_ms, offset_ms, count);
    let mark = |at_ms: i64| {
        let label = time_label(at_ms, offset_ms, to_ms - from_ms);
        let x = scale.px(at_ms as f64);
        let y = frame.height - Frame::BOTTOM;
        html! {
            <>
                <line class="tick" x1={x.to_string()} x2={x.to_string()} y1={y.to_string()} y2={(y + 4.0).to_string()} />
                <text x={x.to_string()} y={(y + 16.0).to_string()} text-anchor={anchor(scale, x)}>{ label }</text>
            </>
        }
    };
    html! { <g class="axis">{ for marks.into_iter().map(mark) }</g> }
}

/// Words at the edges must not leave the frame.
fn anchor(scale: Scale, x: f64) -> &'static str {
    const EDGE_PX: f64 = 16.0;
    if x < scale.px_from + EDGE_PX {
        "start"
    } else if x > scale.px_to - EDGE_PX {
        "end"
    } else {
        "middle"
    }
}
