//! The pages, at the side; on a phone in a drawer.

use yew::{Callback, Html, Properties, classes, component, html};

use crate::components::frame::icon::page_icon;
use crate::components::link::Link;
use crate::state::page::{Page, Place};

#[derive(PartialEq, Properties)]
pub struct NavigationProps {
    pub page: Page,
    /// The drawer of a phone is open.
    pub is_open: bool,
    pub on_close: Callback<()>,
}

#[component]
pub fn Navigation(props: &NavigationProps) -> Html {
    let onclick = props.on_close.reform(|_| ());
    html! {
        <div class={classes!("side", props.is_open.then_some("open"))}>
            <div class="side-shade" onclick={onclick.clone()} aria-hidden="true"></div>
            <nav aria-label="Pages" id="pages" {onclick}>
                <span class="brand"><span class="brand-mark" aria-hidden="true"></span>{ "InsightHub" }</span>
                { for Page::ALL.map(|page| entry(page, page == props.page)) }
            </nav>
        </div>
    }
}

fn entry(page: Page, is_here: bool) -> Html {
    let title = page.key().map(|key| format!("{} (g {key})", page.title()));
    html! {
        <Link to={Place::of(page)} class={classes!("side-entry", is_here.then_some("here"))} {title} {is_here}>
            { page_icon(page) }<span>{ page.title() }</span>
        </Link>
    }
}
