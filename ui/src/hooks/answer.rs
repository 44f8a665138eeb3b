//! A question to the cluster that lives as long as the component that asks it.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable};
use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, UseReducerHandle, hook, use_mut_ref, use_reducer_eq};

use super::effect::use_effect_with;
use super::memo::use_callback;
use super::state::use_state_eq;
use crate::api::error::ApiError;
use crate::browser::{clock, dom};
use crate::network::peers;
use crate::state::answer::{Answer, AnswerAction};

/// An exchange that has not begun yet.
pub type Asking<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// Without the type of what comes: see [`Answer`].
type AnyAsking = Asking<Rc<dyn Any>>;
type Ask = Box<dyn Fn(&dyn Any) -> Option<AnyAsking>>;

/// A question and its answer so far.
pub struct Asked<T: 'static> {
    pub answer: UseReducerHandle<Answer>,
    value: Option<Rc<T>>,
    /// Puts the question again.
    pub again: Callback<()>,
    /// Stops waiting.
    pub give_up: Callback<()>,
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        Asked {
            answer: self.answer.clone(),
            value: self.value.clone(),
            again: self.again.clone(),
            give_up: self.give_up.clone(),
        }
    }
}

impl<T> PartialEq for Asked<T> {
    fn eq(&self, other: &Self) -> bool {
        *self.answer == *other.answer && self.again == other.again
    }
}

impl<T> Asked<T> {
    pub fn value(&self) -> Option<&Rc<T>> {
        self.value.as_ref()
    }
}

/// Asks when the component comes, whenever `key` changes, and every `renew_ms` if that is given (not while the tab is in the
/// background). `ask` says what to ask for a key; `None`: nothing. A question that is replaced is stopped.
#[hook]
pub fn use_answer<K, T, F>(key: K, renew_ms: Option<u32>, ask: F) -> Asked<T>
where
    K: PartialEq + 'static,
    T: 'static,
    F: Fn(&K) -> Option<Asking<T>> + 'static,
{
    let ask: Ask = Box::new(move |key| {
        let asking = ask(key.downcast_ref()?)?;
        Some(Box::pin(async move { asking.await.map(|value| Rc::new(value) as Rc<dyn Any>) }))
    });
    let (answer, again, give_up) = use_any_answer(AnyKey::new(key), renew_ms, ask);
    let value = answer.value.clone().and_then(|value| value.downcast().ok());
    Asked { answer, value, again, give_up }
}

/// What a question is asked for.
#[derive(Clone)]
struct AnyKey {
    key: Rc<dyn Any>,
    is_same: fn(&dyn Any, &dyn Any) -> bool,
}

impl AnyKey {
    fn new<K: PartialEq + 'static>(key: K) -> AnyKey {
        AnyKey {
            key: Rc::new(key),
            is_same: |a, b| a.downcast_ref::<K>().zip(b.downcast_ref::<K>()).is_some_and(|(a, b)| a == b),
        }
    }
}

impl PartialEq for AnyKey {
    fn eq(&self, other: &Self) -> bool {
        (self.is_same)(&*self.key, &*other.key)
    }
}

#[hook]
fn use_any_answer(
    key: AnyKey,
    renew_ms: Option<u32>,
    ask: Ask,
) -> (UseReducerHandle<Answer>, Callback<()>, Callback<()>) {
    let answer = use_reducer_eq(Answer::default);
    let round = use_state_eq(|| 0_u32);
    let running = use_mut_ref(|| None::<AbortHandle>);
    let asked_before = use_mut_ref(|| None::<AnyKey>);
    use_effect_with((key, *round), {
        let (dispatch, running) = (answer.dispatcher(), Rc::clone(&running));
        move |(key, _)| {
            let is_new = asked_before.borrow().as_ref() != Some(key);
            asked_before.replace(Some(key.clone()));
            match ask(&*key.key) {
                None => {
                    stop(&running.replace(None));
                    dispatch.dispatch(AnswerAction::Unasked);
                }
                Some(asking) => {
                    dispatch.dispatch(AnswerAction::Asked { now_ms: clock::now_ms(), is_new });
                    let (asking, handle) = abortable(asking);
                    stop(&running.replace(Some(handle)));
                    let running = Rc::clone(&running);
                    spawn_local(async move {
                        let Ok(result) = asking.await else { return };
                        running.replace(None);
                        let (now_ms, node) = (clock::now_ms(), peers::name());
                        dispatch.dispatch(AnswerAction::Answered { now_ms, node, result });
                    });
                }
            }
        }
    });
    use_stopped_at_end(Rc::clone(&running));
    let again = use_callback(round.clone(), |(), round| round.set(round.wrapping_add(1)));
    use_renewal(renew_ms, again.clone(), Rc::clone(&running));
    let give_up = use_callback((), {
        let dispatch = answer.dispatcher();
        move |(), ()| {
            stop(&running.replace(None));
            dispatch.dispatch(AnswerAction::GivenUp);
        }
    });
    (answer, again, give_up)
}

/// For the `ask` of [`use_answer`].
pub fn asking<T>(question: impl Future<Output = Result<T, ApiError>> + 'static) -> Option<Asking<T>> {
    Some(Box::pin(question))
}

fn stop(running: &Option<AbortHandle>) {
    if let Some(handle) = running {
        handle.abort();
    }
}

#[hook]
fn use_stopped_at_end(running: Rc<RefCell<Option<AbortHandle>>>) {
    use_effect_with((), move |()| move || stop(&running.borrow()));
}

#[hook]
fn use_renewal(renew_ms: Option<u32>, again: Callback<()>, running: Rc<RefCell<Option<AbortHandle>>>) {
    use_effect_with((renew_ms, again), move |(renew_ms, again)| {
        let again = again.clone();
        let interval = renew_ms.map(|every_ms| {
            Interval::new(every_ms, move || {
                // One that takes longer than the interval is not put twice.
                if !dom::is_hidden() && running.borrow().is_none() {
                    again.emit(());
                }
            })
        });
        move || drop(interval)
    });
}
