//! How the services are: who is in trouble, what is wrong, what changed.

mod body;
mod charts;
mod questions;

use yew::{Callback, Html, component, html};

use crate::browser::address;
use crate::components::home::first_steps::FirstSteps;
use crate::components::home::segments::segments;
use crate::hooks::address::use_view;
use crate::hooks::memo::use_callback;
use crate::state::home::{HomeView, OFFERED_SECS};
use crate::state::range::Range;
use body::Body;
use questions::use_senders;

#[component]
pub(super) fn HomePage() -> Html {
    let (view, show) = use_view::<HomeView>();
    let on_range: Callback<Range> = use_callback(show, |range, show| show.emit(HomeView { range }));
    let senders = use_senders();
    let is_new = senders.as_ref().is_some_and(|senders| senders.is_empty());
    let names = OFFERED_SECS.map(|secs| (Range::Last(secs), name(secs)));
    html! {
        <div class="page home-page">
            <h1 class="visually-hidden">{ "Home" }</h1>
            if is_new {
                <FirstSteps origin={address::origin()} />
            } else {
                <Body range={view.range} {senders}>
                    { segments("Range", &names, view.range, &on_range) }
                </Body>
            }
        </div>
    }
}

fn name(secs: u64) -> &'static str {
    match secs {
        900 => "15 min",
        3_600 => "1 h",
        21_600 => "6 h",
        _ => "24 h",
    }
}
