//! What a hook depends on, without its type: so that hooks are compiled once and not for each type.

use std::any::Any;
use std::rc::Rc;

/// A value that can be held against an earlier one.
trait Compared: Any {
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: PartialEq + 'static> Compared for T {
    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }
}

/// What a hook depends on.
#[derive(Clone)]
pub(super) struct Dependency(Rc<dyn Compared>);

impl Dependency {
    pub(super) fn new<T: PartialEq + 'static>(value: Rc<T>) -> Dependency {
        Dependency(value)
    }

    pub(super) fn value(&self) -> &dyn Any {
        &*self.0
    }
}

impl PartialEq for Dependency {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0.is_same(other.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_the_same_by_type_and_value() {
        let of = |value: &str| Dependency::new(Rc::new(value.to_owned()));
        assert!(of("a") == of("a") && of("a") != of("b"));
        assert!(
            of("1") != Dependency::new(Rc::new(1))
                && Dependency::new(Rc::new(1_u8)) != Dependency::new(Rc::new(1_u16))
        );
        let nan = Dependency::new(Rc::new(f64::NAN));
        assert!(nan == nan.clone() && nan != Dependency::new(Rc::new(f64::NAN)));
    }
}
