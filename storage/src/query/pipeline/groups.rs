//! Groups with their aggregates: of one source, of one replica, of all.

use std::hash::BuildHasher;

use foldhash::HashMap;
use insighthub_model::query::pipeline::{Aggregate, Function};
use insighthub_model::table::{Table, Value};
use serde::{Deserialize, Serialize};

use super::GROUPS_MAX;
use super::group_ids::GroupIds;
use super::group_order::in_order;
use super::plan::{Grouping, Key};
use super::rate::Stretch;
use super::state::States;
use crate::column_source::ColumnSource;
use crate::query::bitmap::Bitmap;
use crate::query::error::QueryError;
use crate::query::filter::Filter;

/// See the module's documentation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Groups {
    keys: Vec<Vec<Value>>,
    /// One per aggregate.
    states: Vec<States>,
    /// Where keys are, by their hash; where several have the same, the others by the next numbers that are free.
    #[serde(skip)]
    places: HashMap<u64, usize>,
    /// The memory of the states is at most this.
    #[serde(skip)]
    bytes: usize,
}

impl PartialEq for Groups {
    fn eq(&self, other: &Groups) -> bool {
        (&self.keys, &self.states) == (&other.keys, &other.states)
    }
}

/// A grouping made ready: its conditions as filters.
#[derive(Debug)]
pub(super) struct Aggregation<'a> {
    pub(super) grouping: &'a Grouping,
    pub(super) conditions: Vec<Option<Filter>>,
}

impl<'a> Aggregation<'a> {
    pub(super) fn new(grouping: &'a Grouping) -> Result<Aggregation<'a>, QueryError> {
        let condition = |aggregate: &Aggregate| {
            aggregate.condition.as_ref().map(Filter::of_expression).transpose().map_err(QueryError::from)
        };
        let conditions = grouping.aggregates.iter().map(condition).collect::<Result<_, _>>()?;
        Ok(Aggregation { grouping, conditions })
    }

    /// The groups of the wanted rows of one source.
    pub(super) fn of(&self, source: &dyn ColumnSource, rows: &Bitmap) -> Result<Groups, QueryError> {
        let ids = GroupIds::new(source, &self.grouping.keys, rows)?;
        let mut groups = Groups::default();
        let mut counts = States::new(&Function::Count);
        counts.grow(ids.keys.len());
        counts.take_in(source, None, rows, &ids)?;
        for (aggregate, condition) in self.grouping.aggregates.iter().zip(&self.conditions) {
            let mut states = States::new(&aggregate.function);
            states.grow(ids.keys.len());
            let field = match &aggregate.function {
                Function::Of(_, field) => Some(field.as_str()),
                Function::Count | Function::Rate => None,
            };
            match condition {
                None => states.take_in(source, field, rows, &ids)?,
                Some(condition) => {
                    let mut meant = rows.clone();
                    condition.narrow(source, &mut meant)?;
                    states.take_in(source, field, &meant, &ids)?;
                }
            }
            groups.states.push(states);
        }
        groups.keys = ids.keys;
        // A value may have a number and no wanted row.
        if let States::Count(counts) = counts {
            groups.retain(&counts, &self.grouping.aggregates);
        }
        Ok(groups)
    }
}

impl Groups {
    pub(super) fn of(keys: Vec<Vec<Value>>, states: Vec<States>) -> Groups {
        Groups { keys, states, ..Groups::default() }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn retain(&mut self, counts: &[u64], aggregates: &[Aggregate]) {
        if counts.iter().all(|count| *count > 0) {
            return;
        }
        let kept: Vec<usize> =
            (0..self.keys.len()).filter(|at| counts.get(*at).is_some_and(|n| *n > 0)).collect();
        let mut places = vec![usize::MAX; self.keys.len()];
        for (new, old) in kept.iter().enumerate() {
            if let Some(place) = places.get_mut(*old) {
                *place = new;
            }
        }
        for (states, aggregate) in self.states.iter_mut().zip(aggregates) {
            let mut fewer = States::new(&aggregate.function);
            fewer.grow(kept.len());
            fewer.merge(std::mem::replace(states, States::Count(Vec::new())), &places);
            *states = fewer;
        }
        let mut at = 0;
        self.keys.retain(|_| {
            at += 1;
            counts.get(at - 1).is_some_and(|count| *count > 0)
        });
    }

    /// Puts another part in; fails where that would take more than a query may.
    pub fn merge(&mut self, other: Groups, bytes_max: usize) -> Result<(), QueryError> {
        let bytes = self.bytes.saturating_add(other.bytes_held());
        if self.states.is_empty() && self.keys.is_empty() {
            *self = Groups { bytes, ..other };
            return self.check(bytes_max);
        }
        self.bytes = bytes;
        if self.places.len() < self.keys.len() {
            self.places.clear();
            for key in std::mem::take(&mut self.keys) {
                self.place(key);
            }
        }
        let places: Vec<usize> = other.keys.into_iter().map(|key| self.place(key)).collect();
        for (states, part) in self.states.iter_mut().zip(other.states) {
            states.grow(self.keys.len());
            states.merge(part, &places);
        }
        self.check(bytes_max)
    }

    /// Where the group of a key is, a new one behind the others.
    fn place(&mut self, key: Vec<Value>) -> usize {
        let mut hash = self.places.hasher().hash_one(&key);
        loop {
            match self.places.get(&hash) {
                Some(place) if self.keys.get(*place) == Some(&key) => return *place,
                Some(_) => hash = hash.wrapping_add(1),
                None => break,
            }
        }
        let place = self.keys.len();
        self.places.insert(hash, place);
        self.keys.push(key);
        place
    }

    fn bytes_held(&self) -> usize {
        self.states.iter().map(States::bytes_held).sum()
    }

    fn check(&mut self, bytes_max: usize) -> Result<(), QueryError> {
        if self.keys.len() > GROUPS_MAX {
            return Err(QueryError::TooManyGroups { groups_max: GROUPS_MAX });
        }
        // What parts took is more than what they take together: adding up all groups can wait until that is too much.
        if self.bytes > bytes_max {
            self.bytes = self.bytes_held();
        }
        if self.bytes > bytes_max {
            return Err(QueryError::TooMuchMemory { bytes_max });
        }
        Ok(())
    }

    /// The groups in the order of their keys, and what their aggregates come to. Without keys there is one row,
    /// also of no records. `range_nanos` is the time range asked for, where it has two ends.
    pub fn into_table(self, grouping: &Grouping, columns: Vec<String>, range_nanos: Option<i64>) -> Table {
        let stretch = grouping
            .keys
            .iter()
            .find_map(|key| match key {
                Key::Time(length) | Key::TimeFrom(_, length) => Some(Stretch::Nanos(length.nanos())),
                Key::Field(_) | Key::Template => None,
            })
            .or(range_nanos.map(Stretch::Nanos))
            .unwrap_or(Stretch::OfRecords);
        let mut groups = self;
        if grouping.keys.is_empty() && groups.keys.is_empty() {
            groups.keys.push(Vec::new());
            groups.states =
                grouping.aggregates.iter().map(|aggregate| States::new(&aggregate.function)).collect();
            groups.states.iter_mut().for_each(|states| states.grow(1));
        }
        let Groups { mut keys, states, .. } = groups;
        let order = in_order(&keys, grouping.keys.len());
        let row = |group: usize| {
            let mut row = keys.get_mut(group).map(std::mem::take).unwrap_or_default();
            let aggregates = grouping.aggregates.iter().zip(&states);
            row.reserve_exact(states.len());
            row.extend(
                aggregates.map(|(aggregate, states)| states.value(&aggregate.function, group, stretch)),
            );
            row
        };
        Table { columns, rows: order.into_iter().map(row).collect() }
    }
}
