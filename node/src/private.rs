//! Whatever this process writes is for its owner: logs, hashes of passwords and secrets of channels are in it.

use rustix::fs::Mode;
use rustix::process::umask;

/// From here on every file and directory, whichever library makes it, is closed to group and others.
pub fn write_for_the_owner_only() {
    umask(Mode::RWXG | Mode::RWXO);
}
