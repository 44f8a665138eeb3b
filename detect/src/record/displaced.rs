//! Rows of a sample that others have taken the places of: with them what the sample was at an earlier moment is known.

use serde::{Deserialize, Serialize};

use crate::memory;

/// Places ascending, and the rows that were there: the same however the order in which they went.
type Stored = (Vec<u16>, Vec<f32>);

/// See the module's documentation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(into = "Stored", from = "Stored")]
pub(super) struct Displaced {
    /// In the order in which they went: to keep them in another would move most of them each time.
    places: Vec<u16>,
    rows: Vec<f32>,
    /// A bit for each of `places`.
    is_there: Vec<u64>,
}

impl Displaced {
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.rows.clear();
        self.is_there.clear();
    }

    pub(super) fn holds(&self, place: u16) -> bool {
        let bits = self.is_there.get(usize::from(place / 64));
        bits.is_some_and(|bits| bits >> (place % 64) & 1 == 1)
    }

    /// Keeps the row of a place that it does not hold yet.
    pub(super) fn push(&mut self, place: u16, row: &[f32]) {
        let at = usize::from(place / 64);
        if self.is_there.len() <= at {
            self.is_there.resize(at + 1, 0);
        }
        if let Some(bits) = self.is_there.get_mut(at) {
            *bits |= 1 << (place % 64);
        }
        self.places.push(place);
        self.rows.extend_from_slice(row);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Each place with its row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &[f32])> {
        self.places.iter().copied().zip(self.rows.chunks_exact(self.row_length()))
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        memory::of_vec(&self.places) + memory::of_vec(&self.rows) + memory::of_vec(&self.is_there)
    }

    fn row_length(&self) -> usize {
        (self.rows.len() / self.places.len().max(1)).max(1)
    }
}

impl From<Displaced> for Stored {
    fn from(displaced: Displaced) -> Stored {
        let mut ordered: Vec<(u16, &[f32])> = displaced.iter().collect();
        ordered.sort_unstable_by_key(|(place, _)| *place);
        let rows = ordered.iter().flat_map(|(_, row)| row.iter().copied()).collect();
        (ordered.iter().map(|(place, _)| *place).collect(), rows)
    }
}

impl From<Stored> for Displaced {
    fn from((places, rows): Stored) -> Displaced {
        let length = (rows.len() / places.len().max(1)).max(1);
        let mut displaced = Displaced::default();
        for (place, row) in places.into_iter().zip(rows.chunks_exact(length)) {
            displaced.push(place, row);
        }
        displaced
    }
}

impl PartialEq for Displaced {
    fn eq(&self, other: &Displaced) -> bool {
        Stored::from(self.clone()) == Stored::from(other.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_which_rows_went_is_not_stored() {
        let rows = [(900u16, [1.0f32, 2.0]), (3, [3.0, 4.0]), (64, [5.0, 6.0])];
        let of = |order: [usize; 3]| {
            let mut displaced = Displaced::default();
            order.iter().for_each(|at| displaced.push(rows[*at].0, &rows[*at].1));
            displaced
        };
        let (one, other) = (of([0, 1, 2]), of([2, 0, 1]));
        let stored = Stored::from(one.clone());
        assert_eq!(stored, (vec![3, 64, 900], vec![3.0, 4.0, 5.0, 6.0, 1.0, 2.0]));
        assert_eq!((Stored::from(other.clone()), &one), (stored.clone(), &other));
        let read = Displaced::from(stored);
        assert_eq!(read, one);
        assert!(rows.iter().all(|(place, _)| read.holds(*place)) && !read.holds(4) && !read.holds(1_000));
        assert_eq!(Displaced::from((Vec::new(), Vec::new())), Displaced::default());
    }
}
