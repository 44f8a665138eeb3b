//! What can go wrong with the simulated disk.

/// A fault to strike once, later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file sync after that many further good ones fails with EIO and loses what it should have stored.
    SyncFails { after: u64 },
    /// The write after that many further good ones fails with EIO and stores nothing.
    WriteFails { after: u64 },
    /// Every operation after that many further changing ones fails, until the next power cut or kill.
    StopsAfter { operations: u64 },
    /// Before the write after that many further ones somebody else takes all that is free, until
    /// [`super::SimFs::set_capacity`].
    FillsAfter { writes: u64 },
}
