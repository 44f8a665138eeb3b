//! Fields and values that the search box offers: those of all records of the time, not only of what is found.

use std::rc::Rc;

use yew::{hook, use_state};

use super::desk::Desk;
use crate::api::explore::Fields;
use crate::browser::clock;
use crate::hooks::answer::{Asked, asking, use_answer};
use crate::hooks::effect::use_effect_with;
use crate::hooks::memo::use_memo;
use crate::network::requests;
use crate::state::explore::known::Known;
use crate::state::explore::question::Question;
use crate::state::filter::Filter;
use crate::state::range::Range;

/// Values of a field that are offered.
const VALUES: u32 = 20;

#[hook]
pub(super) fn use_known(desk: &Desk, found: &Asked<Fields>, services: &[String]) -> Rc<Known> {
    let of_all = use_state(|| None::<Rc<Fields>>);
    // Without a filter, what is found is everything, and need not be asked for twice.
    let is_open = desk.question.filter.is_open();
    let wanted = (!is_open && of_all.is_none()).then_some(desk.view.range);
    let asked = use_answer(wanted, None, |range: &Option<Range>| {
        let question = Question { filter: Filter::default(), span: (*range)?.at(clock::now_ms()) };
        asking(async move { requests::explore::fields(&question, VALUES).await })
    });
    let open_found =
        found.value().filter(|_| is_open && !found.answer.is_of_before && !found.answer.is_waiting());
    use_effect_with(asked.value().or(open_found).map(|fields| (Rc::as_ptr(fields), Rc::clone(fields))), {
        let of_all = of_all.clone();
        move |fields| {
            if let Some((_, fields)) = fields {
                of_all.set(Some(Rc::clone(fields)));
            }
        }
    });
    let key = (of_all.as_ref().map(Rc::as_ptr), services.to_vec());
    use_memo(key, |(_, services)| {
        of_all.as_ref().map(|fields| Known::of(fields, services)).unwrap_or_default()
    })
}
