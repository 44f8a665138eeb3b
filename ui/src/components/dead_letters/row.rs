//! One refused record: why it was refused, what it was, and a place to mend it.

use insighthub_model::LogId;
use yew::{Callback, Html, Properties, classes, component, html};

use super::mend::Mend;
use crate::api::dead_letters::DeadLetter;
use crate::components::moment::moment;
use crate::state::format::Precision;

#[derive(PartialEq, Properties)]
pub struct DeadLetterRowProps {
    pub letter: DeadLetter,
    pub is_chosen: bool,
    pub is_open: bool,
    /// Only an admin may send records again.
    pub can_replay: bool,
    pub is_sending: bool,
    /// Why it was refused when it was sent again.
    pub refused_again: Option<String>,
    pub on_choose: Callback<LogId>,
    pub on_open: Callback<LogId>,
    /// The id and the mended text.
    pub on_mended: Callback<(LogId, String)>,
}

#[component]
pub fn DeadLetterRow(props: &DeadLetterRowProps) -> Html {
    let letter = &props.letter;
    let id = letter.id;
    let onchange = props.on_choose.reform(move |_| id);
    let onclick = props.on_open.reform(move |_| id);
    let columns = if props.can_replay { "6" } else { "5" };
    html! {
        <>
            <tr class={classes!(props.is_open.then_some("open"))}>
                if props.can_replay {
                    <td><input type="checkbox" checked={props.is_chosen} {onchange} aria-label="Choose this record" /></td>
                }
                <td class="time">{ moment(letter.received_at.millis(), Precision::Milli) }</td>
                <td>{ letter.service.as_deref().unwrap_or("unknown") }</td>
                <td>{ &letter.origin }</td>
                <td class="reason">
                    { letter.field.as_ref().map(|field| html! { <code>{ field }</code> }) }{ &letter.reason }
                </td>
                <td><button type="button" class="quiet" {onclick} aria-expanded={props.is_open.to_string()}>
                    { if props.is_open { "Close" } else { "Open" } }
                </button></td>
            </tr>
            if props.is_open {
                <tr class="mend"><td colspan={columns}>
                    <Mend letter={letter.clone()} can_replay={props.can_replay} is_sending={props.is_sending}
                        refused_again={props.refused_again.clone()} on_mended={props.on_mended.clone()} />
                </td></tr>
            }
        </>
    }
}
