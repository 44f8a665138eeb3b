//! What is made anew only when what it depends on changes. Compiled once: as yew's own, which are compiled for each place where
//! they are used.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use yew::{Callback, hook, use_mut_ref};

use super::compared::Dependency;

/// What was made, and what of.
#[derive(Default)]
struct Memo(RefCell<Option<(Dependency, Rc<dyn Any>)>>);

impl Memo {
    fn recall(&self, dependency: &Dependency) -> Option<Rc<dyn Any>> {
        self.0.borrow().as_ref().filter(|(of, _)| of == dependency).map(|(_, made)| Rc::clone(made))
    }

    fn keep(&self, dependency: Dependency, made: Rc<dyn Any>) {
        self.0.replace(Some((dependency, made)));
    }
}

#[hook]
fn use_any_memo() -> Rc<RefCell<Memo>> {
    use_mut_ref(Memo::default)
}

/// What is made of the dependencies.
#[hook]
pub fn use_memo<T, F, D>(dependencies: D, make: F) -> Rc<T>
where
    T: 'static,
    F: FnOnce(&D) -> T,
    D: PartialEq + 'static,
{
    let memo = use_any_memo();
    let memo = memo.borrow();
    let dependencies = Rc::new(dependencies);
    let dependency = Dependency::new(Rc::clone(&dependencies));
    let known = memo.recall(&dependency).and_then(|made| made.downcast().ok());
    known.unwrap_or_else(|| {
        let made = Rc::new(make(&dependencies));
        memo.keep(dependency, Rc::clone(&made) as Rc<dyn Any>);
        made
    })
}

/// A callback that is the same until the dependencies change.
#[hook]
pub fn use_callback<I, O, F, D>(dependencies: D, act: F) -> Callback<I, O>
where
    I: 'static,
    O: 'static,
    F: Fn(I, &D) -> O + 'static,
    D: PartialEq + 'static,
{
    let memo = use_any_memo();
    let memo = memo.borrow();
    let dependencies = Rc::new(dependencies);
    let dependency = Dependency::new(Rc::clone(&dependencies));
    if let Some(known) = memo.recall(&dependency).and_then(|made| made.downcast::<Callback<I, O>>().ok()) {
        return (*known).clone();
    }
    let made = Callback::from(move |given| act(given, &dependencies));
    memo.keep(dependency, Rc::new(made.clone()));
    made
}
