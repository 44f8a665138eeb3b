//! Two shares, one under the other, so that their lengths are compared.

use yew::{Html, html};

use crate::state::format;

pub fn paired_bars(selection: f64, rest: f64) -> Html {
    let bar = |class: &'static str, share: f64, name: &'static str| {
        let width = (share.clamp(0.0, 1.0) * 100.0).max(if share > 0.0 { 0.6 } else { 0.0 });
        html! {
            <div class="pair" title={format!("{name}: {}", format::percent(share))}>
                <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="pair-ground" width="100" height="8" /><rect {class} width={format!("{width:.2}")} height="8" />
                </svg>
                <span><span class="visually-hidden">{ name }{ " " }</span>{ format::percent(share) }</span>
            </div>
        }
    };
    html! {
        <div class="pairs">{ bar("pair-selection", selection, "marked") }{ bar("pair-rest", rest, "all others") }</div>
    }
}
