//! The heatmap of latencies, and where its cells lead.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::questions::use_heatmap;
use crate::components::chart::heatmap::{Choice, HeatmapChart};
use crate::components::home::segments::segments;
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_chart};
use crate::hooks::app::use_app;
use crate::hooks::memo::{use_callback, use_memo};
use crate::state::analytics::heat::{Cells, Heat};
use crate::state::analytics::places;
use crate::state::analytics::view::{AnalyticsView, CellsLeadTo};
use crate::state::page::Place;
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub(super) struct LatencyHeatmapProps {
    pub(super) view: AnalyticsView,
    pub(super) on_view: Callback<AnalyticsView>,
}

#[component]
pub(super) fn LatencyHeatmap(props: &LatencyHeatmapProps) -> Html {
    let app = use_app();
    let view = props.view.clone();
    let asked = use_heatmap(&view.service, view.range);
    let heat = use_memo(asked.value().cloned(), |known| {
        Rc::new(known.as_ref().map(|known| Heat::of(known)).unwrap_or_default())
    });
    let heat = (*heat).clone();
    let on_choose = use_callback(
        (view.clone(), heat.clone(), app.open),
        |(cells, choice): (Cells, Choice), (view, heat, open)| open.emit(place(view, heat, cells, choice)),
    );
    let on_cells = props.on_view.reform({
        let view = view.clone();
        move |cells| AnalyticsView { cells, ..view.clone() }
    });
    let choices = [(CellsLeadTo::Records, "Its logs"), (CellsLeadTo::Different, "What is different")];
    let other = match view.cells {
        CellsLeadTo::Records => "what is different about its records",
        CellsLeadTo::Different => "its logs",
    };
    html! {
        <section class="card" aria-label="Latency heatmap">
            <div class="card-head wraps"><h2>{ "Latency heatmap" }</h2><div class="spacer"></div>
                <span class="hint">{ "A cell opens" }</span>{ segments("A cell opens", &choices, view.cells, &on_cells) }</div>
            { shown(&asked, skeleton_chart(), |_| if heat.most == 0 {
                html! { <Empty title="No latencies in this range"><p>{ "Records carry them in the field latency_ms. Choose another service, or look further back." }</p></Empty> }
            } else {
                html! { <HeatmapChart heat={heat.clone()} {on_choose} /> }
            }) }
            <p class="hint">{ format!("Click a cell or drag over several. With Shift, or the key d: {other}.") }</p>
        </section>
    }
}

fn place(view: &AnalyticsView, heat: &Heat, cells: Cells, choice: Choice) -> Place {
    let (from_ms, end_ms) = heat.stretch(cells.columns);
    // Both ends of a range belong to it.
    let to_ms = end_ms - 1;
    let latencies = heat.latencies(cells.rows);
    let lead = if choice == Choice::First { view.cells } else { view.cells.other() };
    match lead {
        CellsLeadTo::Records => places::cell(&view.service, Range::between(from_ms, to_ms), latencies),
        CellsLeadTo::Different => places::different(&view.service, view.range, (from_ms, to_ms), latencies),
    }
}
