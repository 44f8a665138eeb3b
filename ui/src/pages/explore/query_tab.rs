//! The whole query language by hand: filter and stages, answered with a table or with records.

use std::rc::Rc;

use yew::{Html, KeyboardEvent, Properties, component, html, use_node_ref};

use super::desk::Desk;
use crate::api::explore::QueryAnswer;
use crate::browser::dom;
use crate::components::explore::record_table::record_table;
use crate::components::explore::value_table::ValueTable;
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::format;
use crate::state::query_check;
use crate::state::range::Span;

#[derive(PartialEq, Properties)]
pub(super) struct QueryTabProps {
    pub(super) desk: Desk,
}

#[component]
pub(super) fn QueryTab(props: &QueryTabProps) -> Html {
    let desk = &props.desk;
    let text = if desk.view.query.is_empty() {
        desk.view.group.query(&desk.question)
    } else {
        desk.view.query.clone()
    };
    let (node, problem) = (use_node_ref(), use_state_eq(|| None::<String>));
    use_effect_with((text.clone(), node.clone()), |(text, node)| dom::set_text(node, text));
    let asked = use_answer((text.clone(), desk.question.span), None, |(text, span): &(String, Span)| {
        let (text, span) = (text.clone(), *span);
        asking(async move { requests::query::query(&text, Some(span)).await })
    });
    let run = {
        let (node, problem, apply) =
            (node.clone(), problem.clone(), desk.to(|view, text: String| view.query = text));
        move || {
            let text = dom::text(&node);
            let found = query_check::problem_of_query(&text);
            if found.is_none() {
                apply.emit(text);
            }
            problem.set(found);
        }
    };
    let onkeydown = {
        let run = run.clone();
        move |event: KeyboardEvent| match event.key().as_str() {
            "Enter" if !event.shift_key() => {
                event.prevent_default();
                run();
            }
            "Escape" => dom::blur(),
            _ => {}
        }
    };
    html! {
        <section class="tab-page" aria-label="Query by hand">
            <div class="query-editor">
                <textarea ref={node} rows="3" aria-label="Query with stages" spellcheck="false" {onkeydown}
                    aria-invalid={problem.is_some().to_string()} />
                <button type="button" class="primary" onclick={move |_| run()} title="Enter; Shift and Enter for a new line">{ "Run" }</button>
            </div>
            if let Some(problem) = &*problem { <pre class="form-error" role="status">{ problem }</pre> }
            <p class="hint">{ "A filter, then stages behind pipes: level:error | stats count() as n by service | sort n desc | limit 20. The time above applies, the filter above does not." }</p>
            { shown(&asked, skeleton_lines(8), result) }
            { super::menus::export_links(&text, desk.question.span, &[]) }
        </section>
    }
}

fn result(answer: &Rc<QueryAnswer>) -> Html {
    let rows = answer.records.as_ref().map_or(answer.rows.len(), Vec::len) as u64;
    let line = format!(
        "{} of {}, {}",
        format::plural(rows, "row"),
        format::plural(answer.stats.matched_records, "record"),
        format::duration_ms(answer.stats.elapsed_ms)
    );
    let body = match &answer.records {
        _ if rows == 0 => {
            html! { <Empty title="No rows"><p>{ "No record matches in this time." }</p></Empty> }
        }
        Some(records) => record_table(records),
        None => html! { <ValueTable answer={Rc::clone(answer)} /> },
    };
    html! { <><p class="hint">{ line }</p>{ body }</> }
}
