//! A value that is drawn anew when it changes. Compiled once: as yew's own, which is compiled for each type.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

use yew::{Reducible, UseReducerDispatcher, UseReducerHandle, hook, use_reducer_eq};

use super::compared::Dependency;

/// A value without its type; there is one as soon as the hook has run.
#[derive(Default, PartialEq)]
struct Held(OnceCell<Dependency>);

impl Reducible for Held {
    type Action = Dependency;

    fn reduce(self: Rc<Self>, next: Dependency) -> Rc<Self> {
        Rc::new(Held(OnceCell::from(next)))
    }
}

/// The value as it is now, and the way to change it.
pub struct State<T> {
    held: UseReducerHandle<Held>,
    is_a: PhantomData<T>,
}

/// The way to change a value.
pub struct Setter<T> {
    held: UseReducerDispatcher<Held>,
    is_a: PhantomData<T>,
}

/// Setting a value that equals the one before draws nothing.
#[hook]
pub fn use_state_eq<T, F>(first: F) -> State<T>
where
    T: PartialEq + 'static,
    F: FnOnce() -> T,
{
    let held = use_held();
    held.0.get_or_init(|| Dependency::new(Rc::new(first())));
    State { held, is_a: PhantomData }
}

#[hook]
fn use_held() -> UseReducerHandle<Held> {
    use_reducer_eq(Held::default)
}

impl<T: PartialEq + 'static> State<T> {
    pub fn set(&self, value: T) {
        self.held.dispatch(Dependency::new(Rc::new(value)));
    }

    pub fn setter(&self) -> Setter<T> {
        Setter { held: self.held.dispatcher(), is_a: PhantomData }
    }
}

impl<T: PartialEq + 'static> Setter<T> {
    pub fn set(&self, value: T) {
        self.held.dispatch(Dependency::new(Rc::new(value)));
    }
}

impl<T: 'static> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self.held.0.get().and_then(|held| held.value().downcast_ref()) {
            Some(value) => value,
            None => unreachable!("a state is of the type it was made with"),
        }
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        State { held: self.held.clone(), is_a: PhantomData }
    }
}

impl<T> Clone for Setter<T> {
    fn clone(&self) -> Self {
        Setter { held: self.held.clone(), is_a: PhantomData }
    }
}

impl<T> PartialEq for State<T> {
    fn eq(&self, other: &Self) -> bool {
        self.held == other.held
    }
}
