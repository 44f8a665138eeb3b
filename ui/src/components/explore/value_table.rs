//! A table of any answer, ordered by the column whose head is pressed.

use std::rc::Rc;

use serde_json::Value;
use yew::{Html, Properties, classes, component, html};

use crate::api::explore::QueryAnswer;
use crate::hooks::state::use_state_eq;
use crate::state::explore::table::{self, Order};

/// More rows are for a file.
const ROWS_MAX: usize = 500;

#[derive(Properties)]
pub struct ValueTableProps {
    pub answer: Rc<QueryAnswer>,
}

impl PartialEq for ValueTableProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.answer, &other.answer)
    }
}

#[component]
pub fn ValueTable(props: &ValueTableProps) -> Html {
    let order = use_state_eq(|| None::<Order>);
    let answer = &props.answer;
    let head = |(column, name): (usize, &String)| {
        let (next, order) = (Order::pressed(*order, column), order.clone());
        let sorted = order
            .filter(|order| order.column == column)
            .map(|order| if order.is_descending { "descending" } else { "ascending" });
        let mark = match sorted {
            Some("descending") => " ↓",
            Some(_) => " ↑",
            None => "",
        };
        html! {
            <th scope="col" aria-sort={sorted}><button type="button" class="quiet" onclick={move |_| order.set(Some(next))}>{ name }{ mark }</button></th>
        }
    };
    let rows = table::ordered(&answer.rows, *order);
    let row = |row: &&Vec<Value>| html! { <tr>{ for row.iter().map(cell) }</tr> };
    html! {
        <>
            <div class="table-frame value-table">
                <table>
                    <thead><tr>{ for answer.columns.iter().enumerate().map(head) }</tr></thead>
                    <tbody>{ for rows.iter().take(ROWS_MAX).map(row) }</tbody>
                </table>
            </div>
            if rows.len() > ROWS_MAX { <p class="hint">{ format!("The first {ROWS_MAX} of {} rows; the file has all.", rows.len()) }</p> }
        </>
    }
}

fn cell(value: &Value) -> Html {
    let class = classes!(value.is_number().then_some("number"), value.is_null().then_some("hint"));
    html! { <td {class}>{ table::shown(value) }</td> }
}
