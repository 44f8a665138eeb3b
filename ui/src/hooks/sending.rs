//! A change that is sent to the cluster: under way, refused, or done.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use yew::{Callback, hook};

use super::answer::Asking;
use super::state::use_state_eq;
use crate::state::forms::Fault;

/// A change and what became of it.
pub struct Sending<T: 'static> {
    pub is_sending: bool,
    pub fault: Option<Rc<Fault>>,
    /// Sends it, unless one is under way.
    pub send: Callback<Asking<T>>,
    /// Says what is wrong before anything is sent; `None` takes it back.
    pub refuse: Callback<Option<Fault>>,
}

impl<T> Sending<T> {
    /// Sends what was made, or says why nothing could be.
    pub fn send_or_refuse(&self, made: Result<Asking<T>, Fault>) {
        match made {
            Ok(asking) => self.send.emit(asking),
            Err(fault) => self.refuse.emit(Some(fault)),
        }
    }
}

impl<T> Clone for Sending<T> {
    fn clone(&self) -> Self {
        Sending {
            is_sending: self.is_sending,
            fault: self.fault.clone(),
            send: self.send.clone(),
            refuse: self.refuse.clone(),
        }
    }
}

/// `on_done` hears of the answer.
#[hook]
pub fn use_sending<T: 'static>(on_done: Callback<T>) -> Sending<T> {
    let is_sending = use_state_eq(|| false);
    let fault = use_state_eq(|| None::<Rc<Fault>>);
    let send = {
        let (is_sending, fault) = (is_sending.clone(), fault.clone());
        Callback::from(move |asking: Asking<T>| {
            if *is_sending {
                return;
            }
            let (is_sending, fault, on_done) = (is_sending.clone(), fault.clone(), on_done.clone());
            is_sending.set(true);
            fault.set(None);
            spawn_local(async move {
                let result = asking.await;
                is_sending.set(false);
                match result {
                    Ok(answer) => on_done.emit(answer),
                    Err(error) => fault.set(Some(Rc::new(Fault::from(&error)))),
                }
            });
        })
    };
    let refuse = {
        let fault = fault.clone();
        Callback::from(move |found: Option<Fault>| fault.set(found.map(Rc::new)))
    };
    Sending { is_sending: *is_sending, fault: (*fault).clone(), send, refuse }
}
