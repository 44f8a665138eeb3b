//! Effects, compiled once: as yew's own, which are compiled for each place where they are used.

use std::rc::Rc;

use yew::{TearDown, hook};

use super::compared::Dependency;

/// Undoes an effect.
type Undo = Box<dyn FnOnce()>;

/// Does something after a drawing if what it depends on has changed, and undoes what it did before.
#[hook]
pub fn use_effect_with<T, F, D>(dependencies: T, effect: F)
where
    T: PartialEq + 'static,
    F: FnOnce(&T) -> D + 'static,
    D: TearDown + 'static,
{
    let dependencies = Rc::new(dependencies);
    let dependency = Dependency::new(Rc::clone(&dependencies));
    use_any_effect(dependency, Box::new(move || undo(effect(&dependencies))));
}

/// Does something after each drawing, and undoes what it did before.
#[hook]
pub fn use_effect<F, D>(effect: F)
where
    F: FnOnce() -> D + 'static,
    D: TearDown + 'static,
{
    use_each_effect(Box::new(move || undo(effect())));
}

fn undo<D: TearDown + 'static>(done: D) -> Undo {
    Box::new(move || done.tear_down())
}

#[hook]
fn use_any_effect(dependency: Dependency, effect: Box<dyn FnOnce() -> Undo>) {
    yew::use_effect_with(dependency, |_| effect());
}

#[hook]
fn use_each_effect(effect: Box<dyn FnOnce() -> Undo>) {
    yew::use_effect(effect);
}
