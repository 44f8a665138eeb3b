//! Line drawings of 16 by 16, in the colour of the text beside them.

use yew::{Html, html};

use crate::state::page::Page;

/// The icon of a page. It decorates a name and says nothing by itself.
pub fn page_icon(page: Page) -> Html {
    icon(match page {
        Page::Home => "M2.5 8 8 3l5.5 5M4 7v6h8V7",
        Page::Live => "M1.5 8h3l2-5 3 10 2-5h3",
        Page::Explore => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.7 3.7",
        Page::Analytics => "M2.5 13.5h11M4 11V7M8 11V3M12 11V5.5",
        Page::Alerts => {
            "M8 2.5c-2.5 0-4 1.8-4 4.2 0 3-1.5 4.3-1.5 4.3h11S12 9.700 12 6.700C12 4.300 10.500 2.500 8 2.500ZM6.500 13.300c.4.5.9.7 1.500.7s1.100-.2 1.500-.7"
        }
        Page::DeadLetters => "M2 4h12v8.500H2ZM2 4.300l6 4.700 6-4.700",
        Page::Cluster => {
            "M8 2.500a1.700 1.700 0 1 0 0 3.400 1.700 1.700 0 0 0 0-3.400ZM3.700 10.100a1.700 1.700 0 1 0 0 3.400 1.700 1.700 0 0 0 0-3.400ZM12.300 10.100a1.700 1.700 0 1 0 0 3.400 1.700 1.700 0 0 0 0-3.400ZM7 5.800l-2.500 4.400M9 5.800l2.500 4.400M5.500 11.800h5"
        }
        Page::Admin => {
            "M8 2.500a2.700 2.700 0 1 0 0 5.400 2.700 2.700 0 0 0 0-5.400ZM2.800 13.700c.5-2.500 2.500-4 5.200-4s4.700 1.500 5.200 4"
        }
        #[cfg(debug_assertions)]
        Page::Components => {
            "M2.500 2.500h4.500v4.500H2.500ZM9 2.500h4.500v4.500H9ZM2.500 9h4.500v4.500H2.500ZM9 9h4.500v4.500H9Z"
        }
    })
}

/// A drawing from the path of its lines.
pub fn icon(path: &'static str) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d={path} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
    }
}
