//! What became of what was sent: stored, refused, or dropped before it was sent, per service.

use yew::{Html, component, html};

use crate::api::accounting::{Account, Accounting, ServiceAccount};
use crate::components::link::Link;
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_lines};
use crate::components::time_picker::TimePicker;
use crate::hooks::address::use_view;
use crate::hooks::answer::{asking, use_answer};
use crate::network::requests;
use crate::state::cluster::ClusterView;
use crate::state::format;
use crate::state::page::{Page, Place};

/// Losses are looked at, not watched.
const RENEW_MS: u32 = 30_000;

#[component]
pub(super) fn AccountingPart() -> Html {
    let (view, show) = use_view::<ClusterView>();
    let asked = use_answer(view.range, Some(RENEW_MS), |range| asking(requests::cluster::accounting(*range)));
    let on_change = show.reform(|range| ClusterView { range });
    html! {
        <section class="card" aria-labelledby="accounting">
            <div class="card-head">
                <h2 id="accounting">{ "What became of what was sent" }</h2>
                <span class="spacer"></span>
                <TimePicker range={view.range} {on_change} />
            </div>
            <p class="hint">{ "Sent = stored + refused + dropped. Dropped is what client libraries say that they could not keep." }</p>
            { shown(&asked, skeleton_lines(4), |books| table(books)) }
        </section>
    }
}

fn table(books: &Accounting) -> Html {
    if books.services.is_empty() {
        return html! { <Empty title="Nothing was sent"><p>{ "Choose a longer range, or send a record." }</p></Empty> };
    }
    let inexact = (!books.exact).then(|| {
        html! { <p class="partial">{ format!("Not exact: {}.", books.inexact_because.join("; ")) }</p> }
    });
    html! {
        <>
            { inexact }
            <div class="table-frame" tabindex="0"><table>
                <thead><tr>
                    <th scope="col">{ "Service" }</th>
                    { for ["Sent", "Stored", "Refused", "Dropped"].map(|name| html! { <th scope="col" class="number">{ name }</th> }) }
                    <th scope="col">{ "Why" }</th>
                </tr></thead>
                <tbody>{ for books.services.iter().map(row) }</tbody>
                <tfoot><tr><th scope="row">{ "Together" }</th>{ figures(books.total) }<td></td></tr></tfoot>
            </table></div>
        </>
    }
}

fn row(service: &ServiceAccount) -> Html {
    let name = service.service.as_deref().unwrap_or("without a service that can be read");
    html! { <tr><th scope="row">{ name }</th>{ figures(service.account) }<td>{ why(service) }</td></tr> }
}

fn figures(account: Account) -> Html {
    let figure = |count: u64, is_loss: bool| {
        let is_notable = is_loss && count > 0;
        html! { <td class={yew::classes!("number", is_notable.then_some("notable"))}>{ format::count(count) }</td> }
    };
    html! {
        <>{ figure(account.sent, false) }{ figure(account.stored, false) }{ figure(account.rejected, true) }{ figure(account.dropped, true) }</>
    }
}

/// The most frequent reason, and where to see the records.
fn why(service: &ServiceAccount) -> Html {
    let refused = service.rejected_by.first().map(|first| {
        let to = Place::of(Page::DeadLetters);
        html! { <Link {to}>{ format!("{} ({})", first.reason, format::count(first.count)) }</Link> }
    });
    let dropped: Vec<String> = service
        .dropped_by
        .iter()
        .map(|(reason, count)| format!("dropped: {} ({})", reason.replace('_', " "), format::count(*count)))
        .collect();
    html! { <>{ refused }{ if dropped.is_empty() { Html::default() } else { html! { <span>{ " " }{ dropped.join(", ") }</span> } } }</> }
}
