//! What an answer rests on: the reader must know when it is not the whole truth.

use yew::{Html, Properties, component, html};

use crate::api::logs::CoverageAndCost;
use crate::state::format;

#[derive(PartialEq, Properties)]
pub struct CoverageLineProps {
    pub coverage: CoverageAndCost,
    /// Records listed so far.
    pub shown: usize,
}

#[component]
pub fn CoverageLine(props: &CoverageLineProps) -> Html {
    let coverage = &props.coverage;
    let partitions =
        format!("{} of {} partitions", coverage.coverage.partitions_answered, coverage.coverage.partitions);
    html! {
        <p class="coverage" role="status">
            <span><b>{ format::count(props.shown as u64) }</b>{ " shown" }</span>
            <span><b>{ format::count(coverage.matched_records) }</b>
                { if coverage.matched_is_lower_bound { " or more matched" } else { " matched" } }</span>
            <span><b>{ format::count(coverage.scanned_records) }</b>{ " scanned" }</span>
            <span>{ partitions }</span>
            <span>{ format::duration_ms(coverage.elapsed_ms) }</span>
            if !coverage.coverage.complete {
                <span class="partial" title="Some partitions did not answer: records may be missing">
                    { "Incomplete: records may be missing" }
                </span>
            }
            if coverage.coverage.stale {
                <span class="partial" title="A leader could not be asked whether its replica here is up to date">
                    { "Stale: the newest records may be missing" }
                </span>
            }
        </p>
    }
}
