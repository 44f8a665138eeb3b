//! A link to a place on the dashboard: an ordinary link to the browser, and no reload.

use yew::{Classes, Html, MouseEvent, Properties, component, html};

use crate::hooks::app::use_app;
use crate::state::page::Place;

#[derive(PartialEq, Properties)]
pub struct LinkProps {
    pub to: Place,
    #[prop_or_default]
    pub class: Classes,
    #[prop_or_default]
    pub title: Option<String>,
    /// The page that is shown.
    #[prop_or_default]
    pub is_here: bool,
    pub children: Html,
}

#[component]
pub fn Link(props: &LinkProps) -> Html {
    let app = use_app();
    let to = props.to.clone();
    let onclick = move |event: MouseEvent| {
        // With a key held it is for another tab or window, and the browser's.
        if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
            return;
        }
        event.prevent_default();
        app.open.emit(to.clone());
    };
    html! {
        <a href={props.to.address()} class={props.class.clone()} title={props.title.clone()} {onclick}
            aria-current={props.is_here.then_some("page")}>{ props.children.clone() }</a>
    }
}
