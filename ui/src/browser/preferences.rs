//! What the reader chose once and wants to find again. Storage may be forbidden; then a choice lasts
//! until the page is closed.

use crate::state::theme::Theme;

/// `static/theme.js` reads the same key before the first paint.
const THEME_KEY: &str = "insighthub.theme";

pub fn theme() -> Theme {
    let stored = storage().and_then(|storage| storage.get_item(THEME_KEY).ok().flatten());
    Theme::from_name(&stored.unwrap_or_default())
}

/// Remembers the theme and shows it.
pub fn set_theme(theme: Theme) {
    if let Some(storage) = storage() {
        storage.set_item(THEME_KEY, theme.name()).unwrap_or_default();
    }
    let root =
        web_sys::window().and_then(|window| window.document()).and_then(|page| page.document_element());
    if let Some(root) = root {
        root.set_attribute("data-theme", theme.name()).unwrap_or_default();
    }
}

pub fn system_is_dark() -> bool {
    web_sys::window()
        .and_then(|window| window.match_media("(prefers-color-scheme: dark)").ok().flatten())
        .is_some_and(|query| query.matches())
}

/// A text that was kept under this name; nothing where none was.
pub fn kept(name: &str) -> String {
    storage().and_then(|storage| storage.get_item(name).ok().flatten()).unwrap_or_default()
}

pub fn keep(name: &str, text: &str) {
    if let Some(storage) = storage() {
        storage.set_item(name, text).unwrap_or_default();
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}
