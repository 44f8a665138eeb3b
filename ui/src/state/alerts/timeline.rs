//! Where the bars of a timeline stand. Pure; places are shares of the width, 0 to 1.

use crate::api::alerts::{Incident, PreviewFiring, Severity};
use crate::state::range::Span;

/// More lines than these are summed up in a number.
pub const LANES_MAX: usize = 14;

/// Something that went on for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    pub lane: String,
    /// For who points at it.
    pub title: String,
    pub severity: Severity,
    pub from_ms: i64,
    /// `None`: it still goes on.
    pub to_ms: Option<i64>,
    /// The incident it leads to.
    pub incident: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub from: f64,
    pub to: f64,
    /// Beside others of the lane at the same time, from 0.
    pub row: usize,
    pub is_open: bool,
    pub stretch: Stretch,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    pub name: String,
    pub rows: usize,
    pub bars: Vec<Bar>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Those with most time in bars first.
    pub lanes: Vec<Lane>,
    /// Lanes that are left out.
    pub more: usize,
}

impl Timeline {
    /// The stretches that lie in the span at some moment, by lane.
    pub fn of(stretches: Vec<Stretch>, span: Span) -> Timeline {
        let mut lanes: Vec<(Lane, f64)> = Vec::new();
        let mut stretches = stretches;
        stretches.sort_by_key(|stretch| stretch.from_ms);
        for stretch in stretches {
            let Some((from, to)) = shares(&stretch, span) else { continue };
            let place = lanes.iter().position(|(lane, _)| lane.name == stretch.lane).unwrap_or_else(|| {
                lanes.push((Lane { name: stretch.lane.clone(), rows: 0, bars: Vec::new() }, 0.0));
                lanes.len() - 1
            });
            if let Some((lane, time)) = lanes.get_mut(place) {
                let row = free_row(lane, from);
                lane.rows = lane.rows.max(row + 1);
                *time += to - from;
                lane.bars.push(Bar { from, to, row, is_open: stretch.to_ms.is_none(), stretch });
            }
        }
        lanes.sort_by(|(a, a_time), (b, b_time)| b_time.total_cmp(a_time).then_with(|| a.name.cmp(&b.name)));
        let more = lanes.len().saturating_sub(LANES_MAX);
        let lanes = lanes.into_iter().take(LANES_MAX).map(|(lane, _)| lane).collect();
        Timeline { lanes, more }
    }

    pub fn of_incidents(incidents: &[Incident], span: Span) -> Timeline {
        let stretch = |incident: &Incident| Stretch {
            lane: incident.title.clone(),
            title: format!(
                "{}: {}",
                super::words::group(&incident.group),
                super::words::evidence(&incident.evidence)
            ),
            severity: incident.severity,
            from_ms: incident.opened_at.millis(),
            to_ms: incident.resolved_at.map(|at| at.millis()),
            incident: Some(incident.id),
        };
        Timeline::of(incidents.iter().map(stretch).collect(), span)
    }

    pub fn of_preview(firings: &[PreviewFiring], severity: Severity, span: Span) -> Timeline {
        let stretch = |firing: &PreviewFiring| Stretch {
            lane: super::words::group(&firing.group),
            title: super::words::evidence(&firing.evidence),
            severity,
            from_ms: firing.fired_at.millis(),
            to_ms: firing.resolved_at.map(|at| at.millis()),
            incident: None,
        };
        Timeline::of(firings.iter().map(stretch).collect(), span)
    }
}

/// From where to where in the span; `None` outside of it.
fn shares(stretch: &Stretch, span: Span) -> Option<(f64, f64)> {
    let length = span.length_ms().max(1) as f64;
    let to_ms = stretch.to_ms.unwrap_or(i64::MAX);
    if to_ms < span.from_ms || stretch.from_ms > span.to_ms {
        return None;
    }
    let share = |at_ms: i64| (at_ms.clamp(span.from_ms, span.to_ms) - span.from_ms) as f64 / length;
    Some((share(stretch.from_ms), share(to_ms)))
}

/// The first row in which nothing goes on any more. Bars come in the order of their beginnings.
fn free_row(lane: &Lane, from: f64) -> usize {
    let is_free = |row: &usize| lane.bars.iter().filter(|bar| bar.row == *row).all(|bar| bar.to <= from);
    (0..lane.rows).find(is_free).unwrap_or(lane.rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { from_ms: 1_000, to_ms: 2_000 };

    fn first(timeline: &Timeline) -> &Lane {
        timeline.lanes.first().unwrap()
    }

    fn stretch(lane: &str, from_ms: i64, to_ms: Option<i64>) -> Stretch {
        let title = String::new();
        Stretch { lane: lane.to_owned(), title, severity: Severity::Info, from_ms, to_ms, incident: None }
    }

    #[test]
    fn bars_stand_where_and_as_long_as_they_were() {
        let timeline =
            Timeline::of(vec![stretch("a", 1_250, Some(1_500)), stretch("a", 500, Some(1_100))], SPAN);
        let places: Vec<(f64, f64)> = first(&timeline).bars.iter().map(|bar| (bar.from, bar.to)).collect();
        assert_eq!(places, [(0.0, 0.1), (0.25, 0.5)]);
        assert_eq!(first(&timeline).rows, 1);
    }

    #[test]
    fn what_still_goes_on_reaches_to_the_end_and_what_lies_outside_is_left_out() {
        let all = vec![stretch("a", 1_900, None), stretch("b", 10, Some(999)), stretch("b", 2_001, None)];
        let timeline = Timeline::of(all, SPAN);
        assert_eq!(timeline.lanes.len(), 1);
        let bar = first(&timeline).bars.first().unwrap();
        assert!(bar.is_open && bar.to == 1.0);
    }

    #[test]
    fn what_goes_on_at_once_stands_in_rows() {
        let all = vec![
            stretch("a", 1_000, Some(1_500)),
            stretch("a", 1_200, Some(1_300)),
            stretch("a", 1_300, Some(1_900)),
            stretch("a", 1_600, Some(1_700)),
        ];
        let timeline = Timeline::of(all, SPAN);
        let rows: Vec<usize> = first(&timeline).bars.iter().map(|bar| bar.row).collect();
        assert_eq!((rows, first(&timeline).rows), (vec![0, 1, 1, 0], 2));
    }

    #[test]
    fn many_lanes_are_cut_and_counted_longest_first() {
        let all = (0..20).map(|lane| stretch(&format!("l{lane:02}"), 1_000, Some(1_001 + lane))).collect();
        let timeline = Timeline::of(all, SPAN);
        assert_eq!((timeline.lanes.len(), timeline.more), (LANES_MAX, 6));
        assert_eq!(first(&timeline).name, "l19");
    }
}
