//! What values cost on the heap, by their capacity: what a process holds, not what is in use.

use std::collections::VecDeque;

/// Bytes behind a vector.
pub(crate) fn of_vec<T>(values: &Vec<T>) -> usize {
    values.capacity() * size_of::<T>()
}

/// Bytes behind a queue.
pub(crate) fn of_queue<T>(values: &VecDeque<T>) -> usize {
    values.capacity() * size_of::<T>()
}
