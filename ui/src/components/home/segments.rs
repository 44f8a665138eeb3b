//! One of a few, side by side.

use yew::{Callback, Html, classes, html};

/// `choices`: each with its name. The chosen one is pressed.
pub fn segments<T: Copy + PartialEq + 'static>(
    label: &'static str,
    choices: &[(T, &'static str)],
    chosen: T,
    on_choose: &Callback<T>,
) -> Html {
    let button = |(choice, name): &(T, &'static str)| {
        let choice = *choice;
        let is_chosen = choice == chosen;
        html! {
            <button type="button" class={classes!(is_chosen.then_some("on"))} aria-pressed={is_chosen.to_string()}
                onclick={on_choose.reform(move |_| choice)}>{ *name }</button>
        }
    };
    html! { <div class="segmented" role="group" aria-label={label}>{ for choices.iter().map(button) }</div> }
}
