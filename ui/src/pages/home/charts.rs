//! Errors, latency and anomaly scores of the services that are worst off.

use std::collections::BTreeMap;
use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::questions::use_scores;
use crate::components::chart::lines::LineChart;
use crate::components::chart::series::{Lines, Series, Threshold, Unit};
use crate::components::states::{shown, skeleton_chart};
use crate::hooks::app::use_app;
use crate::hooks::memo::{use_callback, use_memo};
use crate::state::analytics::grid::Grid;
use crate::state::analytics::series::{Values, by_service, measured, per_minute, scores, tone};
use crate::state::analytics::view::AnalyticsView;
use crate::state::home::figures::{Figures, Service};
use crate::state::page::View;
use crate::state::range::Range;

/// More lines are not told apart.
const SERVICES_MAX: usize = 5;

#[derive(PartialEq, Properties)]
pub(super) struct ChartsProps {
    pub(super) figures: Rc<Figures>,
    /// The worst first.
    pub(super) services: Rc<Vec<Service>>,
    pub(super) range: Range,
}

#[component]
pub(super) fn Charts(props: &ChartsProps) -> Html {
    let app = use_app();
    let on_range: Callback<(i64, i64)> = use_callback(app.open, |(from, to), open| {
        open.emit(AnalyticsView::of_service("", Range::between(from, to)).place());
    });
    let worst: Vec<String> =
        props.services.iter().take(SERVICES_MAX).map(|service| service.name.clone()).collect();
    let mut names: Vec<String> = props.services.iter().map(|service| service.name.clone()).collect();
    names.sort();
    // In the order of their names, so that to trade places is no new question.
    let mut asked = worst.clone();
    asked.sort();
    let windows = use_scores(asked, props.range);
    let known = (props.figures.clone(), worst, names.clone());
    let lines = use_memo(known, |(figures, worst, names)| {
        let (table, grid) = (&figures.course.value, figures.course.grid);
        let errors = by_service(table, grid, Some(0.0), per_minute(grid, "errors"));
        let slow = by_service(table, grid, None, measured("p95"));
        (
            Rc::new(Lines { unit: Unit::PerMinute, ..of(errors, grid, worst, names) }),
            Rc::new(Lines { unit: Unit::Milliseconds, ..of(slow, grid, worst, names) }),
        )
    });
    let whose = if props.services.len() > SERVICES_MAX { " of the five worst" } else { "" };
    html! {
        <div class="home-charts">
            { card(format!("Errors a minute{whose}"), &lines.0, &on_range) }
            { card(format!("Latency p95{whose}"), &lines.1, &on_range) }
            <section class="card">
                <div class="card-head"><h2>{ format!("Anomaly score{whose}") }</h2></div>
                { shown(&windows, skeleton_chart(), |windows| {
                    let found = windows.value.iter().map(|(name, minutes)| (name.clone(), scores(minutes, windows.grid)));
                    let found: BTreeMap<String, Values> = found.collect();
                    let order: Vec<String> = found.keys().cloned().collect();
                    let threshold = Some(Threshold { name: "alarm".to_owned(), value: 1.0 });
                    let lines = Lines { unit: Unit::Score, threshold, ..of(found, windows.grid, &order, &names) };
                    html! { <LineChart lines={Rc::new(lines)} label="Anomaly score" on_range={on_range.clone()} /> }
                }) }
            </section>
        </div>
    }
}

fn card(title: String, lines: &Rc<Lines>, on_range: &Callback<(i64, i64)>) -> Html {
    html! {
        <section class="card">
            <div class="card-head"><h2>{ &title }</h2></div>
            <LineChart lines={lines.clone()} label={title} on_range={on_range.clone()} />
        </section>
    }
}

/// The lines of these services, in their order.
fn of(mut found: BTreeMap<String, Values>, grid: Grid, order: &[String], names: &[String]) -> Lines {
    let series = order.iter().filter_map(|name| {
        let values = found.remove(name)?;
        Some(Series { name: name.clone(), values, tone: tone(names, name), is_faint: false })
    });
    Lines {
        start_ms: grid.start_ms,
        step_ms: grid.step_ms,
        steps: grid.steps,
        series: series.collect(),
        ..Lines::default()
    }
}
