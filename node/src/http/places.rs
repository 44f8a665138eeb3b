//! How many live tails a node carries: each holds a session and a queue of frames.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;

use super::ApiError;

/// The live tails there are.
#[derive(Debug)]
pub struct Places {
    places_max: usize,
    user_places_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Those of people who are signed in.
    by_user: HashMap<String, usize>,
}

/// One live tail's; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    user: Option<String>,
}

impl Places {
    pub fn new(places_max: usize, user_places_max: usize) -> Arc<Places> {
        Arc::new(Places { places_max, user_places_max, taken: Mutex::default() })
    }

    pub(super) fn take(self: &Arc<Self>, user: Option<&str>) -> Result<Place, ApiError> {
        let mut taken = self.taken.lock();
        if taken.all >= self.places_max {
            let message = format!(
                "this node carries http.tails_max ({}) live tails already: use another, or raise it",
                self.places_max
            );
            return Err(too_many(message));
        }
        if let Some(user) = user {
            let own = taken.by_user.entry(user.to_owned()).or_default();
            if *own >= self.user_places_max {
                let message = format!(
                    "{user:?} has http.user_tails_max ({}) live tails on this node already: close some",
                    self.user_places_max
                );
                return Err(too_many(message));
            }
            *own += 1;
        }
        taken.all += 1;
        Ok(Place { places: Arc::clone(self), user: user.map(str::to_owned) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.all -= 1;
        if let Some(user) = &self.user
            && let Some(own) = taken.by_user.get_mut(user)
        {
            *own -= 1;
            if *own == 0 {
                taken.by_user.remove(user);
            }
        }
    }
}

fn too_many(message: String) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tails", message).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_node_have_a_bound_each_and_places_come_back() {
        let places = Places::new(3, 2);
        let refusal = |user| places.take(user).unwrap_err().message;
        let anna = [places.take(Some("anna")).unwrap(), places.take(Some("anna")).unwrap()];
        assert!(refusal(Some("anna")).contains("http.user_tails_max (2)"));
        let anybody = places.take(None).unwrap();
        assert!(refusal(Some("bob")).contains("http.tails_max (3)"));
        assert!(refusal(None).contains("http.tails_max (3)"));
        drop((anna, anybody));
        assert!(places.taken.lock().by_user.is_empty());
        assert_eq!(places.taken.lock().all, 0);
        assert!(places.take(Some("anna")).is_ok());
    }
}
