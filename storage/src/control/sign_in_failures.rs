//! Wrong passwords of the last minute, counted for the whole cluster: guessing does not begin anew at the next node.

use std::collections::BTreeMap;
use std::net::IpAddr;

use insighthub_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::ControlReply;

/// For how long failures count.
const WINDOW_SECS: u64 = 60;
/// Wrong passwords for one user from one address.
const OF_BOTH_MAX: u32 = 10;
/// From one address, whomever for: many people may share it.
const OF_ADDRESS_MAX: u32 = 50;
/// For one user, wherever from: guessing that is spread over many addresses is slowed down, and whoever knows the
/// password is kept out by nothing less.
const OF_USER_MAX: u32 = 200;
/// Whose failures are remembered at once.
const KEPT_MAX: usize = 10_000;

/// Somebody's password was wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignInFailed {
    pub user: String,
    pub address: IpAddr,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Failures {
    count: u32,
    since: Timestamp,
}

/// By user and address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignInFailures {
    by_both: BTreeMap<(String, IpAddr), Failures>,
    by_address: BTreeMap<IpAddr, Failures>,
    by_user: BTreeMap<String, Failures>,
}

impl SignInFailures {
    pub(super) fn apply(&mut self, failed: SignInFailed) -> ControlReply {
        let SignInFailed { user, address, at } = failed;
        count(&mut self.by_both, (user.clone(), address), at);
        count(&mut self.by_address, address, at);
        count(&mut self.by_user, user, at);
        ControlReply::Done
    }

    /// For how many more seconds this user's passwords are not looked at for this address.
    pub fn refused_for(&self, user: &str, address: IpAddr, now: Timestamp) -> Option<u64> {
        let both = self.by_both.get(&(user.to_owned(), address)).map(|failures| (failures, OF_BOTH_MAX));
        let from = self.by_address.get(&address).map(|failures| (failures, OF_ADDRESS_MAX));
        let of = self.by_user.get(user).map(|failures| (failures, OF_USER_MAX));
        let ends = [both, from, of].into_iter().flatten().filter(|(failures, most)| failures.count >= *most);
        let end = ends.map(|(failures, _)| failures.since.plus_secs(WINDOW_SECS)).max()?;
        let nanos = u64::try_from(end.0.saturating_sub(now.0)).ok().filter(|nanos| *nanos > 0)?;
        Some(nanos.div_ceil(1_000_000_000))
    }
}

fn count<K: Ord + Clone>(failures: &mut BTreeMap<K, Failures>, key: K, at: Timestamp) {
    let is_over = |failures: &Failures| failures.since.plus_secs(WINDOW_SECS) <= at;
    if failures.len() >= KEPT_MAX && !failures.contains_key(&key) {
        failures.retain(|_, failures| !is_over(failures));
        // Under attack from everywhere the fewest failures are forgotten first.
        if failures.len() >= KEPT_MAX
            && let Some(least) =
                failures.iter().min_by_key(|(_, failures)| failures.count).map(|(key, _)| key.clone())
        {
            failures.remove(&least);
        }
    }
    let entry = failures.entry(key).or_insert(Failures { count: 0, since: at });
    if is_over(entry) {
        *entry = Failures { count: 0, since: at };
    }
    entry.count = entry.count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp(0).plus_secs(secs)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn fail(failures: &mut SignInFailures, user: &str, from: u8, times: u32) {
        for _ in 0..times {
            failures.apply(SignInFailed { user: user.into(), address: address(from), at: at(100) });
        }
    }

    #[test]
    fn guessing_is_refused_where_it_comes_from_and_nowhere_else() {
        let mut failures = SignInFailures::default();
        fail(&mut failures, "eve", 1, OF_BOTH_MAX - 1);
        assert_eq!(failures.refused_for("eve", address(1), at(100)), None);
        fail(&mut failures, "eve", 1, 1);
        assert_eq!(failures.refused_for("eve", address(1), at(110)), Some(50));
        assert_eq!(failures.refused_for("eve", address(2), at(110)), None, "eve herself, from elsewhere");
        assert_eq!(failures.refused_for("bob", address(1), at(110)), None);
        assert_eq!(failures.refused_for("eve", address(1), at(160)), None, "a minute later");
    }

    #[test]
    fn an_address_that_tries_many_users_is_refused_for_all() {
        let mut failures = SignInFailures::default();
        for user in 0..OF_ADDRESS_MAX {
            fail(&mut failures, &format!("user {user}"), 1, 1);
        }
        assert_eq!(failures.refused_for("somebody else", address(1), at(100)), Some(WINDOW_SECS));
        assert_eq!(failures.refused_for("user 1", address(2), at(100)), None);
    }

    #[test]
    fn guessing_from_everywhere_is_slowed_down() {
        let mut failures = SignInFailures::default();
        for from in 0..=(OF_USER_MAX / 4) as u8 {
            fail(&mut failures, "eve", from, 4);
        }
        assert_eq!(failures.refused_for("eve", address(250), at(100)), Some(WINDOW_SECS));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_loudest_stay() {
        let mut failures = SignInFailures::default();
        fail(&mut failures, "eve", 1, OF_BOTH_MAX);
        for user in 0..KEPT_MAX {
            fail(&mut failures, &format!("user {user}"), 2, 1);
        }
        assert_eq!(failures.by_both.len(), KEPT_MAX);
        assert_eq!(failures.refused_for("eve", address(1), at(100)), Some(WINDOW_SECS));
    }
}
