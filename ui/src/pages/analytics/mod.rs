//! Errors, latencies and anomalies over time.

mod course;
mod episodes;
mod heat;
mod judged;
mod questions;
mod scores;

use yew::{Callback, Event, Html, TargetCast, component, html};

use crate::components::time_picker::TimePicker;
use crate::hooks::address::use_view;
use crate::hooks::memo::use_callback;
use crate::hooks::services::use_services;
use crate::state::analytics::view::AnalyticsView;
use crate::state::range::Range;
use course::{Errors, Latency, Traffic};
use heat::LatencyHeatmap;
use judged::Judged;

#[component]
pub(super) fn AnalyticsPage() -> Html {
    let (view, show) = use_view::<AnalyticsView>();
    let services = use_services();
    let on_view: Callback<AnalyticsView> = show.clone();
    let on_range: Callback<Range> = use_callback((view.clone(), show.clone()), |range, (view, show)| {
        show.emit(AnalyticsView { range, ..(**view).clone() });
    });
    let on_zoom: Callback<(i64, i64)> = on_range.reform(|(from, to)| Range::between(from, to));
    let on_service = use_callback((view.clone(), show), |event: Event, (view, show)| {
        if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
            show.emit(AnalyticsView { service: select.value(), episode: None, ..(**view).clone() });
        }
    });
    let option = |name: &String| {
        html! { <option value={name.clone()} selected={*name == view.service}>{ name }</option> }
    };
    let is_unknown = !view.service.is_empty() && !services.contains(&view.service);
    html! {
        <div class="page analytics-page">
            <h1 class="visually-hidden">{ "Analytics" }</h1>
            <div class="toolbar">
                <label class="service-choice"><span>{ "Service" }</span>
                    <select onchange={on_service}>
                        <option value="" selected={view.service.is_empty()}>{ "All services" }</option>
                        if is_unknown { { option(&view.service) } }
                        { for services.iter().map(option) }
                    </select>
                </label>
                <TimePicker range={view.range} on_change={on_range} />
                <span class="hint">{ "Drag over a chart to look closer." }</span>
            </div>
            <div class="analytics-charts">
                <Errors view={(*view).clone()} services={services.clone()} on_view={on_view.clone()} on_zoom={on_zoom.clone()} />
                <Latency view={(*view).clone()} on_zoom={on_zoom.clone()} />
            </div>
            <LatencyHeatmap view={(*view).clone()} on_view={on_view.clone()} />
            if !view.service.is_empty() {
                <Traffic view={(*view).clone()} on_zoom={on_zoom.clone()} />
            }
            <Judged view={(*view).clone()} {services} {on_view} {on_zoom} />
        </div>
    }
}
