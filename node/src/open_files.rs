//! The system's limit on open files, and who may have how many of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The log, the index, peers' connections and what else a node opens.
const RESERVED: usize = 1_024;
/// Blocks that are read often stay open. More would save no time that counts: a file is opened in microseconds.
const BLOCKS_MAX: usize = 4_096;
const BLOCKS_SHARE: usize = 4;
/// Where the system allows fewer files than are reserved, blocks and clients get at least these.
const BLOCKS_MIN: usize = 16;
const CONNECTIONS_MIN: usize = 64;

/// Blocks that stay open between two reads.
pub(crate) fn blocks_max() -> usize {
    blocks_of(limit())
}

/// Connections of clients.
pub(crate) fn connections_max() -> usize {
    connections_of(limit())
}

fn blocks_of(limit: usize) -> usize {
    (limit / BLOCKS_SHARE).clamp(BLOCKS_MIN, BLOCKS_MAX)
}

fn connections_of(limit: usize) -> usize {
    limit.saturating_sub(RESERVED + blocks_of(limit)).max(CONNECTIONS_MIN)
}

/// Raises the soft limit to the hard one, and answers with what holds then.
fn limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let limit = match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_bounds_what_is_open() {
        let shares = [256, 1_024, 4_096, 65_536, usize::MAX]
            .map(|limit| (blocks_of(limit), connections_of(limit).min(100_000)));
        assert_eq!(shares, [(64, 64), (256, 64), (1_024, 2_048), (4_096, 60_416), (4_096, 100_000)]);
        assert_eq!(blocks_of(10), BLOCKS_MIN);
    }
}
