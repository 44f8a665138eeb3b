//! Whether what the screen shows is current, in one word.

use yew::{Html, Properties, classes, component, html};

use crate::state::connection::Health;

#[derive(PartialEq, Properties)]
pub struct ConnectionPillProps {
    pub health: Health,
}

#[component]
pub fn ConnectionPill(props: &ConnectionPillProps) -> Html {
    let (class, text) = match props.health {
        Health::Connecting => ("connecting", "Connecting".to_owned()),
        Health::Live => ("live", "Live".to_owned()),
        Health::Connected => ("connected", "Connected".to_owned()),
        Health::Reconnecting { retry_in_secs: 0 } => ("reconnecting", "Reconnecting".to_owned()),
        Health::Reconnecting { retry_in_secs } => {
            ("reconnecting", format!("Reconnecting in {retry_in_secs} s"))
        }
        Health::Stale { for_secs } => ("stale", format!("Stale for {}", age(for_secs))),
    };
    html! {
        <span class={classes!("pill", class)} role="status" aria-label={format!("Connection: {text}")}>
            <span class="dot" aria-hidden="true"></span>{ text }
        </span>
    }
}

fn age(secs: u32) -> String {
    if secs < 120 { format!("{secs} s") } else { format!("{} min", secs / 60) }
}
