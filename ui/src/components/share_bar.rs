//! A share as the length of a small bar. It stands beside the number, which says the same.

use yew::{Html, html};

/// `share`: 0 to 1.
pub fn share_bar(share: f64) -> Html {
    let width = (share.clamp(0.0, 1.0) * 100.0).max(if share > 0.0 { 0.8 } else { 0.0 });
    html! {
        <svg class="share-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect class="share-ground" width="100" height="4" /><rect class="share" width={format!("{width:.1}")} height="4" />
        </svg>
    }
}
