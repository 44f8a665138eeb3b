//! Records put into groups: over time, as a list of the largest, or as a table.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use super::desk::Desk;
use crate::api::explore::{Fields, QueryAnswer};
use crate::components::chart::lines::LineChart;
use crate::components::explore::group_controls::GroupControls;
use crate::components::explore::top_list::TopList;
use crate::components::explore::value_table::ValueTable;
use crate::components::notice::Empty;
use crate::components::states::{shown, skeleton_chart};
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::memo::use_memo;
use crate::network::requests;
use crate::state::explore::Tab;
use crate::state::explore::bars::bar_length;
use crate::state::explore::group::{Drawn, Group, POINTS_MAX};
use crate::state::explore::series;
use crate::state::format;
use crate::state::range::{Range, Span};

#[derive(PartialEq, Properties)]
pub(super) struct GroupTabProps {
    pub(super) desk: Desk,
    /// Fields to choose from.
    pub(super) fields: Option<Rc<Fields>>,
}

#[component]
pub(super) fn GroupTab(props: &GroupTabProps) -> Html {
    let desk = &props.desk;
    let group = &desk.view.group;
    let query = group.query(&desk.question);
    let key = (query.clone(), desk.question.span);
    let asked = use_answer(key, None, |(query, span): &(String, Span)| {
        let (query, span) = (query.clone(), *span);
        asking(async move { requests::query::query(&query, Some(span)).await })
    });
    let text = use_memo(query.clone(), String::clone);
    let by_hand = {
        let text = Rc::clone(&text);
        desk.step(move |view, _: yew::MouseEvent| {
            view.query = (*text).clone();
            view.tab = Tab::Query;
        })
    };
    html! {
        <section class="tab-page" aria-label="Groups">
            <GroupControls group={group.clone()} fields={props.fields.clone()} on_change={desk.to(|view, group| view.group = group)} />
            { shown(&asked, skeleton_chart(), |answer| drawn(desk, answer)) }
            <div class="asked-query">
                <code>{ query.clone() }</code>
                <button type="button" onclick={by_hand}>{ "Edit by hand" }</button>
                { super::menus::export_links(&query, desk.question.span, &[]) }
            </div>
        </section>
    }
}

fn drawn(desk: &Desk, answer: &Rc<QueryAnswer>) -> Html {
    let group = &desk.view.group;
    if answer.rows.is_empty() {
        return html! {
            <Empty title="No groups"><p>{ "No record matches in this time: look further back, or take away a condition." }</p></Empty>
        };
    }
    let on_choose = include_group(desk, group);
    match group.drawn {
        Drawn::Series | Drawn::Bars => over_time(desk, answer),
        Drawn::Top => {
            html! { <TopList rows={Rc::new(series::rows(answer, group))} group={group.clone()} {on_choose} /> }
        }
        Drawn::Table => html! { <ValueTable answer={Rc::clone(answer)} /> },
    }
}

fn over_time(desk: &Desk, answer: &Rc<QueryAnswer>) -> Html {
    let (group, span) = (&desk.view.group, desk.question.span);
    let step_ms = bar_length(span, POINTS_MAX).nanos() / 1_000_000;
    let lines = series::lines(answer, group, (span.from_ms, span.to_ms), step_ms);
    let left_out = lines.left_out;
    let on_range = desk.step(|view, (from, to): (i64, i64)| *view = view.zoomed(Range::between(from, to)));
    let title = format!("{} over time", group.title());
    html! {
        <>
            <LineChart lines={Rc::new(lines.chart(group))} label={title} height={260.0} {on_range} />
            if left_out > 0 && !group.is_stacked() {
                <p class="hint">{ format!("The {} largest are drawn, {} are not: see them as a list or a table.", series::LINES_MAX, format::plural(left_out as u64, "smaller group")) }</p>
            }
        </>
    }
}

/// Wants all values of a group.
fn include_group(desk: &Desk, group: &Group) -> Callback<Vec<String>> {
    let by = group.by.clone();
    desk.to(move |view, values: Vec<String>| {
        for (field, value) in by.iter().zip(&values) {
            view.filter.include(field, value);
        }
    })
}
