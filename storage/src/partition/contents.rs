//! Requests that are known by what they hold, because their protocol gives them no number: the last of them, so that one sent
//! again is not stored twice. Part of the replicated state, like [`super::Producers`].

use std::collections::{BTreeMap, VecDeque};

use insighthub_model::ids::BatchIdentity;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// Requests remembered of one partition. Clients give up after a minute or a few: at a hundred requests a second for each of
/// its partitions, a node of eight remembers two and a half minutes.
const CONTENTS_MAX: usize = 16_384;

/// The last requests, by digest, and the chunk of each that comes next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Contents {
    next_chunk: BTreeMap<u128, NextChunk>,
    /// Oldest first.
    order: VecDeque<u128>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum NextChunk {
    Number(u32),
    /// The request is stored whole.
    None,
}

impl Contents {
    /// Judges a chunk of a request and, when it is new, remembers it as stored.
    pub(super) fn admit(&mut self, digest: u128, identity: &BatchIdentity) -> Verdict {
        let next = self.next_chunk.get(&digest).copied().unwrap_or(NextChunk::Number(0));
        let NextChunk::Number(next) = next else { return Verdict::Duplicate };
        match identity.chunk.cmp(&next) {
            std::cmp::Ordering::Less => return Verdict::Duplicate,
            std::cmp::Ordering::Greater => return Verdict::OutOfOrder,
            std::cmp::Ordering::Equal => {}
        }
        let is_whole = identity.chunk + 1 >= identity.chunks;
        let after = if is_whole { NextChunk::None } else { NextChunk::Number(next + 1) };
        if self.next_chunk.insert(digest, after).is_none() {
            self.order.push_back(digest);
            self.forget_oldest();
        }
        Verdict::New
    }

    fn forget_oldest(&mut self) {
        while self.order.len() > CONTENTS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.next_chunk.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(chunk: u32, chunks: u32) -> BatchIdentity {
        BatchIdentity { chunk, chunks, ..BatchIdentity::whole("body:7", 0) }
    }

    #[test]
    fn a_request_is_stored_once_chunk_by_chunk() {
        let mut contents = Contents::default();
        assert_eq!(contents.admit(7, &chunk(1, 3)), Verdict::OutOfOrder);
        for number in 0..3 {
            assert_eq!(contents.admit(7, &chunk(number, 3)), Verdict::New);
            assert_eq!(contents.admit(7, &chunk(number, 3)), Verdict::Duplicate);
        }
        assert_eq!(contents.admit(7, &chunk(0, 3)), Verdict::Duplicate);
        assert_eq!(contents.admit(8, &chunk(0, 1)), Verdict::New);
    }

    #[test]
    fn the_oldest_is_forgotten_beyond_the_bound() {
        let mut contents = Contents::default();
        for digest in 0..=CONTENTS_MAX as u128 {
            assert_eq!(contents.admit(digest, &chunk(0, 1)), Verdict::New);
        }
        assert_eq!((contents.next_chunk.len(), contents.order.len()), (CONTENTS_MAX, CONTENTS_MAX));
        assert_eq!(contents.admit(1, &chunk(0, 1)), Verdict::Duplicate);
        assert_eq!(contents.admit(0, &chunk(0, 1)), Verdict::New);
    }
}
