//! Files of what was found.

use yew::{Html, html};

use super::desk::Desk;
use crate::components::menu::Menu;
use crate::network::requests::query::export_address;
use crate::state::range::Span;

const FORMATS: [(&str, &str); 4] =
    [("csv", "CSV"), ("json", "JSON"), ("ndjson", "NDJSON"), ("parquet", "Parquet")];

/// Links that a browser saves by itself: everything, however much it is.
pub(super) fn export_links(query: &str, span: Span, fields: &[String]) -> Html {
    let link = |(format, title): (&'static str, &'static str)| {
        html! { <a href={export_address(query, span, format, fields)} download="" title={format!("Save all rows as {title}")}>{ title }</a> }
    };
    html! { <span class="export-links">{ "Save as " }{ for FORMATS.map(link) }</span> }
}

/// All records of the search.
pub(super) fn export_menu(desk: &Desk) -> Html {
    let columns: Vec<String> = desk.view.columns.iter().map(|column| column.name.clone()).collect();
    let (query, span) = (desk.question.filter.query(), desk.question.span);
    html! {
        <Menu title="Export">
            <p class="hint">{ "All records of the search, complete." }</p>
            <p>{ "All fields: " }{ export_links(&query, span, &[]) }</p>
            <p>{ "These columns: " }{ export_links(&query, span, &columns) }</p>
        </Menu>
    }
}
