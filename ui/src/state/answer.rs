//! What is known of a question that was put to the cluster: waiting, answered, failed, old, or given up.
//!
//! The value's type is left out: one compiled form serves all questions, which a browser would else download for each.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use yew::Reducible;

use crate::api::error::ApiError;

/// The answer so far. An answer stays while the question is put again, and while that fails.
#[derive(Clone, Default)]
pub struct Answer {
    pub value: Option<Rc<dyn Any>>,
    pub error: Option<ApiError>,
    /// Since when it has been waited for, milliseconds since 1970.
    pub waiting_since_ms: Option<f64>,
    /// The value is that of another question, shown until the new one is answered.
    pub is_of_before: bool,
    /// The reader gave up waiting.
    pub is_given_up: bool,
    /// When the value came, milliseconds since 1970.
    pub answered_ms: f64,
    /// Who gave it.
    pub node: String,
}

pub enum AnswerAction {
    /// The question is put; `is_new` if it is another than before.
    Asked {
        now_ms: f64,
        is_new: bool,
    },
    Answered {
        now_ms: f64,
        node: String,
        result: Result<Rc<dyn Any>, ApiError>,
    },
    GivenUp,
    /// There is no question any more.
    Unasked,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("has_value", &self.value.is_some()).finish_non_exhaustive()
    }
}

/// The same value, not an equal one: answers are large, and are drawn again only when they are others.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (&self.value, &other.value) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        is_same
            && self.error == other.error
            && self.waiting_since_ms == other.waiting_since_ms
            && self.is_of_before == other.is_of_before
            && self.is_given_up == other.is_given_up
            && self.answered_ms == other.answered_ms
    }
}

impl Answer {
    pub fn is_waiting(&self) -> bool {
        self.waiting_since_ms.is_some()
    }

    /// The value is old: to put the question again has failed.
    pub fn is_stale(&self) -> bool {
        self.value.is_some() && self.error.is_some()
    }

    fn apply(&mut self, action: AnswerAction) {
        match action {
            AnswerAction::Asked { now_ms, is_new } => {
                self.waiting_since_ms = Some(now_ms);
                self.is_given_up = false;
                if is_new {
                    self.error = None;
                    self.is_of_before = self.value.is_some();
                }
            }
            AnswerAction::Answered { now_ms, node, result: Ok(value) } => {
                *self = Answer { value: Some(value), answered_ms: now_ms, node, ..Answer::default() };
            }
            AnswerAction::Answered { result: Err(error), .. } => {
                // The answer to another question would be taken for that of this one.
                if self.is_of_before || error.is_final() {
                    self.value = None;
                    self.is_of_before = false;
                }
                self.error = Some(error);
                self.waiting_since_ms = None;
            }
            AnswerAction::GivenUp => {
                self.waiting_since_ms = None;
                self.is_given_up = true;
            }
            AnswerAction::Unasked => *self = Answer::default(),
        }
    }
}

impl Reducible for Answer {
    type Action = AnswerAction;

    fn reduce(self: Rc<Self>, action: AnswerAction) -> Rc<Self> {
        let mut next = (*self).clone();
        next.apply(action);
        Rc::new(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(is_new: bool) -> AnswerAction {
        AnswerAction::Asked { now_ms: 1.0, is_new }
    }

    fn answered(result: Result<u8, ApiError>) -> AnswerAction {
        AnswerAction::Answered {
            now_ms: 2.0,
            node: "n1".to_owned(),
            result: result.map(|value| Rc::new(value) as Rc<dyn Any>),
        }
    }

    fn after(actions: Vec<AnswerAction>) -> Answer {
        let mut answer = Answer::default();
        actions.into_iter().for_each(|action| answer.apply(action));
        answer
    }

    #[test]
    fn an_answer_stays_while_the_same_question_fails() {
        let answer =
            after(vec![asked(true), answered(Ok(7)), asked(false), answered(Err(ApiError::unreachable()))]);
        assert!(answer.value.as_ref().is_some_and(|value| value.downcast_ref::<u8>() == Some(&7)));
        assert!(answer.is_stale() && !answer.is_waiting());
    }

    #[test]
    fn an_answer_is_never_shown_for_another_question_that_failed() {
        let answer = after(vec![asked(true), answered(Ok(7)), asked(true)]);
        assert!(answer.is_of_before && answer.is_waiting());
        let failed =
            after(vec![asked(true), answered(Ok(7)), asked(true), answered(Err(ApiError::unreachable()))]);
        assert!(failed.value.is_none());
    }

    #[test]
    fn what_may_not_be_seen_any_more_is_not_shown_any_more() {
        let refused = ApiError::from_body(401, "");
        let answer = after(vec![asked(true), answered(Ok(7)), asked(false), answered(Err(refused))]);
        assert!(answer.value.is_none());
    }

    #[test]
    fn giving_up_ends_the_waiting() {
        let answer = after(vec![asked(true), AnswerAction::GivenUp]);
        assert!(answer.is_given_up && !answer.is_waiting());
    }
}
