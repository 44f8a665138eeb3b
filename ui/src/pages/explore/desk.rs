//! What every part of the page has before it: what is shown, what is asked, and how to show something else.

use std::rc::Rc;

use insighthub_model::query::Expression;
use yew::{Callback, hook};

use crate::browser::clock;
use crate::hooks::app::use_app;
use crate::hooks::memo::use_memo;
use crate::state::conditions;
use crate::state::explore::ExploreView;
use crate::state::explore::question::Question;
use crate::state::page::{Place, View};

#[derive(Clone, PartialEq)]
pub(super) struct Desk {
    pub(super) view: Rc<ExploreView>,
    pub(super) question: Rc<Question>,
    show: Callback<ExploreView>,
    open: Callback<Place>,
}

impl Desk {
    /// Changes the view by what is given.
    pub(super) fn to<T: 'static>(&self, change: impl Fn(&mut ExploreView, T) + 'static) -> Callback<T> {
        let (view, show) = (Rc::clone(&self.view), self.show.clone());
        Callback::from(move |given| {
            let mut next = (*view).clone();
            change(&mut next, given);
            show.emit(next);
        })
    }

    /// The same, as a step that "back" takes back.
    pub(super) fn step<T: 'static>(&self, change: impl Fn(&mut ExploreView, T) + 'static) -> Callback<T> {
        let (view, open) = (Rc::clone(&self.view), self.open.clone());
        Callback::from(move |given| {
            let mut next = (*view).clone();
            change(&mut next, given);
            open.emit(next.place());
        })
    }

    /// Wants, or does not want, a value of a field.
    pub(super) fn on_include(&self) -> Callback<(String, String)> {
        self.to(|view, (field, value): (String, String)| view.filter.include(&field, &value))
    }

    pub(super) fn on_exclude(&self) -> Callback<(String, String)> {
        self.to(|view, (field, value): (String, String)| view.filter.exclude(&field, &value))
    }

    /// Asks for one condition more.
    pub(super) fn on_condition(&self) -> Callback<Expression> {
        self.to(|view, condition: Expression| {
            view.filter.text = conditions::and(&view.filter.text, &condition);
        })
    }
}

/// The desk for this view. The stretch of time is set anew with each range, filter and round.
#[hook]
pub(super) fn use_desk(view: Rc<ExploreView>, show: Callback<ExploreView>, round: u32) -> Desk {
    let question = use_memo((view.filter.clone(), view.range, round), |(filter, range, _)| Question {
        filter: filter.clone(),
        span: range.at(clock::now_ms()),
    });
    Desk { view, question, show, open: use_app().open }
}
