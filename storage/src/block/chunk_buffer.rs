//! The bytes of the chunk a thread read last. Memory that is asked for anew for each chunk is given back to the system each
//! time, and to have it again costs more than to read into it. And what stands in the slots of messages is read slot by slot,
//! many of which lie in one chunk: it is read and checked once.

use std::cell::Cell;

/// A thread keeps no larger buffer than this: nearly all chunks are smaller.
const KEPT_BYTES: usize = 2 << 20;

thread_local! {
    static BUFFER: Cell<ChunkBuffer> = const { Cell::new(ChunkBuffer { bytes: Vec::new(), chunk: None }) };
}

/// See the module's documentation. One that is not [kept](ChunkBuffer::keep) is given up: what went wrong is read anew.
#[derive(Debug, Default)]
pub(super) struct ChunkBuffer {
    bytes: Vec<u8>,
    /// Numbers of block and chunk whose bytes these are, read and checked. A block's number is never given twice, and its
    /// bytes never change.
    chunk: Option<(u64, usize)>,
}

impl ChunkBuffer {
    /// The thread's own; within another's use an empty one.
    pub(super) fn take() -> ChunkBuffer {
        BUFFER.take()
    }

    /// True when the chunk need not be read.
    pub(super) fn holds(&self, block: u64, at: usize) -> bool {
        self.chunk == Some((block, at))
    }

    pub(super) fn content(&self, length: u32) -> &[u8] {
        self.bytes.get(..length as usize).unwrap_or_default()
    }

    /// Room for a chunk of this length, whatever is in it.
    pub(super) fn for_chunk(&mut self, length: u32) -> &mut [u8] {
        self.chunk = None;
        if self.bytes.len() < length as usize {
            self.bytes.resize(length as usize, 0);
        }
        self.bytes.get_mut(..length as usize).unwrap_or_default()
    }

    /// Gives it back to the thread with this chunk in it.
    pub(super) fn keep(mut self, block: u64, at: usize) {
        if self.bytes.len() <= KEPT_BYTES {
            self.chunk = Some((block, at));
            BUFFER.set(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_held_until_the_next_one_is_read() {
        let mut buffer = ChunkBuffer::take();
        buffer.for_chunk(4).copy_from_slice(b"abcd");
        buffer.keep(1_000_000, 2);
        let buffer = ChunkBuffer::take();
        assert!(buffer.holds(1_000_000, 2) && !buffer.holds(1_000_000, 3) && !buffer.holds(1_000_001, 2));
        assert_eq!(buffer.content(4), b"abcd");
        buffer.keep(1_000_000, 2);
        let mut buffer = ChunkBuffer::take();
        assert!(!ChunkBuffer::take().holds(1_000_000, 2), "it is in use");
        assert_eq!(buffer.for_chunk(2).len(), 2);
        assert!(!buffer.holds(1_000_000, 2));
        drop(buffer);
        assert!(!ChunkBuffer::take().holds(1_000_000, 2), "what went wrong is not kept");
        let mut buffer = ChunkBuffer::take();
        buffer.for_chunk(KEPT_BYTES as u32 + 1);
        buffer.keep(1_000_000, 2);
        assert!(!ChunkBuffer::take().holds(1_000_000, 2), "it is too large");
    }
}
