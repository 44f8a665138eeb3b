//! A level as a small badge: word and colour, never colour alone.

use yew::{Html, Properties, component, html};

use crate::api::logs::Level;

#[derive(PartialEq, Properties)]
pub struct LevelBadgeProps {
    pub level: Level,
}

#[component]
pub fn LevelBadge(props: &LevelBadgeProps) -> Html {
    html! { <span class={yew::classes!("level", props.level.class())}>{ props.level.name() }</span> }
}
