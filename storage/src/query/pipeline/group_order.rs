//! Groups in the order of their keys. Many groups share few values: each different value is compared, and the groups are
//! put in order by the ranks of theirs.

use foldhash::{HashMap, HashMapExt};
use insighthub_model::table::Value;

/// The numbers of the groups by their keys, which have so many values each.
pub(super) fn in_order(keys: &[Vec<Value>], width: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // From the last value to the first, each time keeping what is equal in the order it has.
    for place in (0..width).rev() {
        let (ranks, different) = ranks(keys, place);
        order = by_rank(&order, &ranks, different);
    }
    order
}

/// Group by group the rank of one value of its key, and how many ranks there are.
fn ranks(keys: &[Vec<Value>], place: usize) -> (Vec<usize>, usize) {
    let mut numbers: HashMap<&Value, usize> = HashMap::new();
    let mut values: Vec<(&Value, usize)> = Vec::new();
    let mut of_group = Vec::with_capacity(keys.len());
    for key in keys {
        let value = key.get(place).unwrap_or(&Value::Null);
        of_group.push(*numbers.entry(value).or_insert_with(|| {
            values.push((value, values.len()));
            values.len() - 1
        }));
    }
    values.sort_unstable_by_key(|(value, _)| *value);
    let mut rank_of = vec![0; values.len()];
    for (rank, (_, number)) in values.iter().enumerate() {
        rank_of.get_mut(*number).into_iter().for_each(|slot| *slot = rank);
    }
    of_group.iter_mut().for_each(|number| *number = rank_of.get(*number).copied().unwrap_or(0));
    (of_group, values.len())
}

/// Counted, then put in place.
fn by_rank(order: &[usize], ranks: &[usize], different: usize) -> Vec<usize> {
    let rank = |group: &usize| ranks.get(*group).copied().unwrap_or(0);
    let mut next = vec![0; different + 1];
    for group in order {
        next.get_mut(rank(group) + 1).into_iter().for_each(|count| *count += 1);
    }
    next.iter_mut().fold(0, |before, count| {
        *count += before;
        *count
    });
    let mut ordered = vec![0; order.len()];
    for group in order {
        let Some(next) = next.get_mut(rank(group)) else { continue };
        ordered.get_mut(*next).into_iter().for_each(|slot| *slot = *group);
        *next += 1;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use insighthub_model::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-3i64..3).prop_map(Value::Int),
            (-2i32..2).prop_map(|half| Value::Float(f64::from(half) / 2.0)),
            "[ab1]{0,2}".prop_map(Value::Text),
            (0i64..3).prop_map(|secs| Value::Time(Timestamp(secs * 1_000_000_000))),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
        ]
    }

    proptest! {
        #[test]
        fn groups_are_in_the_order_of_their_keys(
            keys in prop::collection::btree_set(prop::collection::vec(value(), 3), 0..60),
            first in 0usize..60,
        ) {
            let sorted: Vec<Vec<Value>> = keys.into_iter().collect();
            let mut mixed = sorted.clone();
            mixed.rotate_left(first.min(sorted.len()));
            let half = mixed.len() / 2;
            mixed[..half].reverse();
            let ordered: Vec<_> = in_order(&mixed, 3).into_iter().map(|group| mixed[group].clone()).collect();
            prop_assert_eq!(ordered, sorted);
        }
    }

    #[test]
    fn groups_without_keys_stay_as_they_are() {
        assert_eq!(in_order(&[Vec::new()], 0), [0]);
        assert_eq!(in_order(&[], 2), Vec::<usize>::new());
    }
}
