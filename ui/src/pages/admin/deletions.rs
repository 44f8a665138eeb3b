//! Deleting logs by a query: counted first, then confirmed.

use std::rc::Rc;

use serde_json::Value;
use yew::{Callback, Html, Properties, component, html};

use crate::api::audit::{Counted, ListedDeletion};
use crate::browser::clock;
use crate::components::admin::tables::DeletionsTable;
use crate::components::forms::confirm::Confirm;
use crate::components::forms::field::TextField;
use crate::components::forms::form::{Form, SubmitLine};
use crate::components::notice::Empty;
use crate::components::states;
use crate::hooks::answer::{Asking, asking, use_answer};
use crate::hooks::sending::use_sending;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::admin::deletion_form::DeletionForm;
use crate::state::{format, query_check};

const RENEW_MS: u32 = 5_000;

/// What is about to be deleted.
#[derive(Clone, PartialEq)]
struct Counting {
    deletion: Value,
    records: u64,
}

#[component]
pub(super) fn DeletionsTab() -> Html {
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::audit::deletions()));
    html! {
        <>
            <NewDeletion on_begun={asked.again.clone()} />
            { states::shown(&asked, states::skeleton_lines(3), |deletions: &Rc<Vec<ListedDeletion>>| if deletions.is_empty() {
                html! { <Empty title="Nothing was deleted by a query so far" /> }
            } else {
                html! { <DeletionsTable deletions={deletions.clone()} /> }
            }) }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct NewDeletionProps {
    on_begun: Callback<()>,
}

#[component]
fn NewDeletion(props: &NewDeletionProps) -> Html {
    let form = use_state_eq(DeletionForm::default);
    let counting = use_state_eq(|| None::<Counting>);
    let sending = use_sending({
        let counting = counting.clone();
        Callback::from(move |(deletion, counted): (Value, Counted)| {
            counting.set(Some(Counting { deletion, records: counted.matched_records }));
        })
    });
    let on_submit = {
        let (form, sending) = (form.clone(), sending.clone());
        Callback::from(move |()| {
            sending.send_or_refuse(form.deletion(clock::offset_ms).map(
                |deletion| -> Asking<(Value, Counted)> {
                    Box::pin(async move { Ok((deletion.clone(), requests::audit::count(deletion).await?)) })
                },
            ));
        })
    };
    let set = |apply: fn(&mut DeletionForm, String)| {
        let form = form.clone();
        Callback::from(move |text| {
            let mut next = (*form).clone();
            apply(&mut next, text);
            form.set(next);
        })
    };
    let on_close = {
        let counting = counting.clone();
        Callback::from(move |()| counting.set(None))
    };
    let on_done = {
        let (form, on_close, on_begun) = (form.clone(), on_close.clone(), props.on_begun.clone());
        Callback::from(move |()| {
            form.set(DeletionForm::default());
            on_close.emit(());
            on_begun.emit(());
        })
    };
    html! {
        <section class="card" aria-labelledby="delete-title">
            <div class="card-head"><h2 id="delete-title">{ "Delete logs" }</h2></div>
            <Form fault={sending.fault.clone()} {on_submit}>
                <div class="form-grid">
                    <TextField name="query" label="Records that meet" value={form.query.clone()} on_change={set(|form, text| form.query = text)} is_code=true is_wide=true
                        problem={query_check::problem(&form.query)} placeholder="userId:1932" hint="In the query language; * means all of them." />
                    <TextField name="from" label="From" kind="datetime-local" value={form.from.clone()} on_change={set(|form, text| form.from = text)} hint="Empty: the beginning." />
                    <TextField name="to" label="Until" kind="datetime-local" value={form.to.clone()} on_change={set(|form, text| form.to = text)} hint="Empty: the end." />
                    <TextField name="reason" label="Reason" value={form.reason.clone()} on_change={set(|form, text| form.reason = text)} hint="Kept with the deletion." />
                </div>
                <SubmitLine label="Count what would go" is_sending={sending.is_sending} />
            </Form>
            if let Some(counting) = &*counting { <ConfirmDeletion counting={counting.clone()} {on_close} {on_done} /> }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct ConfirmDeletionProps {
    counting: Counting,
    on_close: Callback<()>,
    on_done: Callback<()>,
}

#[component]
fn ConfirmDeletion(props: &ConfirmDeletionProps) -> Html {
    let Counting { deletion, records } = props.counting.clone();
    let query = deletion.get("query").and_then(Value::as_str).unwrap_or_default().to_owned();
    let ask = Callback::from(move |()| -> Asking<()> {
        let deletion = deletion.clone();
        Box::pin(async move { requests::audit::delete(deletion).await.map(drop) })
    });
    let records = format::plural(records, "record");
    html! {
        <Confirm title={format!("Delete {records}?")} action={format!("Delete {records}")} {ask} on_done={props.on_done.clone()} on_close={props.on_close.clone()}>
            <p>{ "Nobody finds them from then on, on any node, and they are erased from disk within minutes; records that come meanwhile and meet the query go as well. It cannot be undone." }</p>
            <pre class="secret">{ query }</pre>
        </Confirm>
    }
}
