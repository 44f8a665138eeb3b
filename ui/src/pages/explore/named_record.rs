//! The record that the address names: from the list if it is there, else asked for, whatever its time.

use yew::{Html, hook, html};

use crate::api::error::ApiError;
use crate::components::notice::Failure;
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::app::use_app;
use crate::network::requests;
use crate::pages::record_browser::Named;
use crate::state::explore::pattern;
use crate::state::search::{Search, Status};

#[derive(Default)]
pub(super) struct NamedRecord {
    pub(super) record: Option<Named>,
    /// It cannot be found.
    pub(super) trouble: Html,
}

#[hook]
pub(super) fn use_named(log_id: &str, search: &Search) -> NamedRecord {
    let app = use_app();
    let listed = search.lines.position(log_id).and_then(|place| search.lines.get(place)?.record().cloned());
    let is_wanted = !log_id.is_empty() && listed.is_none() && search.status != Status::Loading;
    let asked = use_answer(is_wanted.then(|| log_id.to_owned()), None, |log_id: &Option<String>| {
        let query = pattern::record_query(log_id.as_deref()?);
        asking(async move { requests::query::query(&query, None).await })
    });
    if log_id.is_empty() {
        return NamedRecord::default();
    }
    if let Some(record) = listed {
        return NamedRecord { record: Some(Named(record)), trouble: Html::default() };
    }
    let trouble = |error: ApiError| {
        html! { <Failure {error} on_retry={asked.again.clone()} on_sign_in={app.sign_in.clone()} is_banner=true /> }
    };
    match (asked.value(), &asked.answer.error) {
        (_, Some(error)) => NamedRecord { record: None, trouble: trouble(error.clone()) },
        (Some(answer), None) => match answer.records.as_ref().and_then(|records| records.first()) {
            Some(record) => NamedRecord { record: Some(Named(record.clone())), trouble: Html::default() },
            None if is_wanted && !asked.answer.is_of_before && !asked.answer.is_waiting() => NamedRecord {
                record: None,
                trouble: html! {
                    <p class="banner" role="status">{ format!("There is no record {log_id} any more: it was deleted, or its time has passed.") }</p>
                },
            },
            None => NamedRecord::default(),
        },
        (None, None) => NamedRecord::default(),
    }
}
