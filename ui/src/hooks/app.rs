//! What every page may use: who is signed in, and how to go somewhere.

use yew::{Callback, hook, use_context};

use crate::api::session::{self, Session};
use crate::state::connection::Health;
use crate::state::page::Place;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct App {
    pub session: Option<Session>,
    /// Opens the sign-in dialog.
    pub sign_in: Callback<()>,
    /// Goes to a place; "back" returns.
    pub open: Callback<Place>,
    /// Says how current a stream is; `None` when it ends. Requests say so by themselves.
    pub tell_health: Callback<Option<Health>>,
}

impl App {
    pub fn is_admin(&self) -> bool {
        self.session.as_ref().is_some_and(session::is_admin)
    }

    /// Name of the user that is signed in.
    pub fn user(&self) -> Option<&str> {
        self.session.as_ref().and_then(|session| session.user.as_deref())
    }
}

#[hook]
pub fn use_app() -> App {
    use_context::<App>().unwrap_or_default()
}
