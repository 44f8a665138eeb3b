//! The services that have sent records, for menus.

use yew::hook;

use super::answer::{asking, use_answer};
use crate::network::requests;

/// A new service shows up in the list after at most this long.
const RENEW_MS: u32 = 30_000;

/// Their names in order. A failed look keeps the old list.
#[hook]
pub fn use_services() -> Vec<String> {
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::logs::services()));
    let mut names: Vec<String> = asked
        .value()
        .map(|known| known.iter().map(|known| known.service.clone()).collect())
        .unwrap_or_default();
    names.sort();
    names
}
