//! A level as a small badge: word and colour, never colour alone.

use yew::{Html, Properties, component, html};

use crate::api::logs::Level;

#[derive(PartialEq, Properties)]
pub struct LevelBadgeProps {
    pub level: Level,
}

#[component]
pub fn LevelBadge(props: &LevelBadgeProps) -> Html {
    html! { <span class={yew::classes!("level", level_class(props.level))}>{ props.level.name() }</span> }
}

/// The CSS class of a level.
pub fn level_class(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}
