//! Errors by service, latencies and traffic over time.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, hook, html};

use super::questions::{Course, use_by_service, use_course, use_windows};
use crate::api::aggregates::Aggregates;
use crate::api::anomalies::ServiceWindow;
use crate::components::chart::lines::LineChart;
use crate::components::chart::series::{Band, Lines, Series, SharedLines, TONES, Unit};
use crate::components::home::segments::segments;
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_chart};
use crate::hooks::answer::Asked;
use crate::hooks::memo::use_memo;
use crate::state::analytics::grid::{Grid, OfGrid};
use crate::state::analytics::series::{
    Values, by_service, largest, latency_due, measured, of_column, per_minute, share, tone, usual_rate,
};
use crate::state::analytics::view::{AnalyticsView, ErrorsAs};

#[derive(PartialEq, Properties)]
pub(super) struct ErrorsProps {
    pub(super) view: AnalyticsView,
    pub(super) services: Vec<String>,
    pub(super) on_view: Callback<AnalyticsView>,
    pub(super) on_zoom: Callback<(i64, i64)>,
}

#[component]
pub(super) fn Errors(props: &ErrorsProps) -> Html {
    let view = props.view.clone();
    let asked = use_by_service(view.range);
    let known = (asked.value().cloned(), view.service.clone(), view.errors, props.services.clone());
    let lines = use_memo(known, |(known, service, errors, services)| {
        known.as_ref().map(|known| Rc::new(error_lines(known, service, *errors, services)))
    });
    let on_choose = props.on_view.reform({
        let view = view.clone();
        move |errors| AnalyticsView { errors, ..view.clone() }
    });
    let choices = [(ErrorsAs::Count, "A minute"), (ErrorsAs::Share, "Share")];
    html! {
        <section class="card" aria-label="Errors">
            <div class="card-head"><h2>{ "Errors" }</h2><div class="spacer"></div>
                { segments("Errors as", &choices, view.errors, &on_choose) }</div>
            { shown(&asked, skeleton_chart(), |_| (*lines).clone().map_or_else(Html::default, |lines| chart(lines, "Errors", &props.on_zoom))) }
            if view.service.is_empty() && props.services.len() > TONES {
                <p class="hint">{ format!("The {TONES} services with most errors of {}.", props.services.len()) }</p>
            }
        </section>
    }
}

fn error_lines(known: &OfGrid<Aggregates>, service: &str, errors: ErrorsAs, services: &[String]) -> Lines {
    let (table, grid) = (&known.value, known.grid);
    let (mut found, unit) = match errors {
        ErrorsAs::Count => (by_service(table, grid, Some(0.0), per_minute(grid, "errors")), Unit::PerMinute),
        ErrorsAs::Share => (by_service(table, grid, None, share("errors", "n")), Unit::Share),
    };
    let names: Vec<String> =
        if services.is_empty() { found.keys().cloned().collect() } else { services.to_vec() };
    if !service.is_empty() {
        found.retain(|name, _| name == service);
    }
    Lines { unit, series: largest(found, &names, TONES), ..over(grid) }
}

#[derive(PartialEq, Properties)]
pub(super) struct CourseProps {
    pub(super) view: AnalyticsView,
    pub(super) on_zoom: Callback<(i64, i64)>,
}

/// The service that is chosen, for what is known of one alone.
fn chosen(view: &AnalyticsView) -> Vec<String> {
    if view.service.is_empty() { Vec::new() } else { vec![view.service.clone()] }
}

/// What is asked of the course of one service or of all, and the lines that come of it; of one, the minutes as detection sees
/// them are given as well.
#[hook]
fn use_lines(
    view: &AnalyticsView,
    draw: fn(&Course, Option<&[ServiceWindow]>) -> Lines,
) -> (Asked<Course>, SharedLines) {
    let asked = use_course(&view.service, view.range);
    let windows = use_windows(chosen(view), view.range);
    let known = (asked.value().cloned(), windows.value().cloned());
    let lines = use_memo(known, move |(known, windows)| {
        let minutes = windows.as_ref().and_then(|windows| windows.value.first());
        let minutes = minutes.map(|(_, minutes)| minutes.as_slice());
        known.as_ref().map(|known| draw(known, minutes)).unwrap_or_default()
    });
    (asked, lines)
}

#[component]
pub(super) fn Latency(props: &CourseProps) -> Html {
    let view = &props.view;
    let (asked, lines) = use_lines(view, latency_lines);
    html! {
        <section class="card" aria-label="Latency">
            <div class="card-head"><h2>{ "Latency" }</h2></div>
            { shown(&asked, skeleton_chart(), |_| chart(lines, "Latency", &props.on_zoom)) }
            <p class="hint">{ if view.service.is_empty() {
                "The band reaches from p50 to p95 of the same time a day before. Choose a service to see its usual mean."
            } else {
                "The band reaches from p50 to p95 of the same time a day before; the dashed line is the mean that detection holds for usual."
            } }</p>
        </section>
    }
}

fn latency_lines((now, before): &Course, minutes: Option<&[ServiceWindow]>) -> Lines {
    let line = |(tone, name): (usize, &'static str)| Series {
        name: name.to_owned(),
        values: of_column(&now.value, now.grid, None, measured(name)),
        tone,
        is_faint: false,
    };
    let quantile = |name: &'static str| of_column(&before.value, before.grid, None, measured(name));
    let values = quantile("p50").into_iter().zip(quantile("p95")).map(|(low, high)| low.zip(high));
    let mut series: Vec<Series> = ["p50", "p95", "p99"].into_iter().enumerate().map(line).collect();
    series.extend(minutes.map(|minutes| faint("usual mean", latency_due(minutes, now.grid))));
    Lines {
        unit: Unit::Milliseconds,
        series,
        band: Some(Band { name: "day before".to_owned(), values: values.collect() }),
        ..over(now.grid)
    }
}

/// Records a minute of one service, amid what is usual.
#[component]
pub(super) fn Traffic(props: &CourseProps) -> Html {
    let (asked, lines) = use_lines(&props.view, traffic_lines);
    html! {
        <section class="card" aria-label="Traffic">
            <div class="card-head"><h2>{ "Records a minute" }</h2><span class="hint">{ "The band is what detection holds for usual at that time." }</span></div>
            { shown(&asked, skeleton_chart(), |_| chart(lines, "Records a minute", &props.on_zoom)) }
        </section>
    }
}

fn traffic_lines((now, _): &Course, minutes: Option<&[ServiceWindow]>) -> Lines {
    let values = of_column(&now.value, now.grid, Some(0.0), per_minute(now.grid, "n"));
    let series = vec![Series { name: "records".to_owned(), values, tone: 1, is_faint: false }];
    let band = minutes.map(|minutes| usual_rate(minutes, now.grid));
    Lines { unit: Unit::PerMinute, series, band, ..over(now.grid) }
}

fn faint(name: &str, values: Values) -> Series {
    Series { name: name.to_owned(), values, tone: tone(&[], name), is_faint: true }
}

/// Lines of a grid, without any yet.
pub(super) fn over(grid: Grid) -> Lines {
    Lines { start_ms: grid.start_ms, step_ms: grid.step_ms, steps: grid.steps, ..Lines::default() }
}

/// The chart, or that there is nothing in it.
pub(super) fn chart(lines: Rc<Lines>, label: &'static str, on_zoom: &Callback<(i64, i64)>) -> Html {
    if lines.is_empty() {
        return html! {
            <Empty title="Nothing in this range"><p>{ "Choose another service, or look further back." }</p></Empty>
        };
    }
    html! { <LineChart {lines} {label} on_range={on_zoom.clone()} height={220.0} /> }
}
