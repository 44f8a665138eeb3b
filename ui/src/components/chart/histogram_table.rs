//! A histogram as a table, for who reads numbers rather than bars.

use insighthub_model::Level;
use yew::{Html, html};

use crate::components::moment::moment;
use crate::state::explore::bars::Bars;
use crate::state::format::{self, Precision};

pub(super) fn histogram_table(bars: &Bars) -> Html {
    let totals = bars.level_totals();
    let levels: Vec<(usize, Level)> = Level::ALL
        .into_iter()
        .enumerate()
        .filter(|(place, _)| totals.get(*place).is_some_and(|total| *total > 0))
        .collect();
    let row = |bar: &crate::state::explore::bars::Bar| {
        let cell = |(place, _): &(usize, Level)| {
            html! { <td class="number">{ format::count(bar.levels.get(*place).copied().unwrap_or(0)) }</td> }
        };
        html! {
            <tr>
                <th scope="row">{ moment(bar.start_ms, Precision::Second) }</th>
                <td class="number">{ format::count(bar.count()) }</td>
                { for levels.iter().map(cell) }
            </tr>
        }
    };
    html! {
        <details class="as-table">
            <summary>{ "As a table" }</summary>
            <div class="table-frame" tabindex="0">
                <table>
                    <thead><tr>
                        <th scope="col">{ "From" }</th><th scope="col" class="number">{ "Records" }</th>
                        { for levels.iter().map(|(_, level)| html! { <th scope="col" class="number">{ level.name() }</th> }) }
                    </tr></thead>
                    <tbody>{ for bars.bars.iter().map(row) }</tbody>
                </table>
            </div>
        </details>
    }
}
