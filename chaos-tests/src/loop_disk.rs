//! A disk whose power can be cut and whose space can be taken: an ext4 file system in a file, and the ioctl that shuts it down.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// EXT4_IOC_SHUTDOWN, `_IOR('X', 125, __u32)`: the file system refuses everything from here on.
const SHUTDOWN_SCRIPT: &str = "import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(fd, 0x8004587d, struct.pack('I', int(sys.argv[2])))";
/// Large enough for a node's preallocated segments, small enough for any machine: the file is sparse.
const DISK_BYTES: u64 = 2 << 30;

/// Namespaces of other runs on this machine are left within this time.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// What the cut leaves of what was written but not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Everything reaches the disk: only the process dies.
    FlushAll = 0,
    /// The journal is written, file contents are not: files may have a length and no content.
    FlushJournal = 1,
    /// Nothing is written: unsynced appends, creations and renames vanish.
    FlushNothing = 2,
}

/// A mounted disk; dropped, it is unmounted and removed.
#[derive(Debug)]
pub struct LoopDisk {
    directory: tempfile::TempDir,
}

impl LoopDisk {
    /// Makes and mounts a disk, or says why this machine cannot.
    pub fn new() -> Result<LoopDisk> {
        let directory = tempfile::Builder::new().prefix("insighthub-power-cut-").tempdir()?;
        let disk = LoopDisk { directory };
        let image = std::fs::File::create(disk.image())?;
        image.set_len(DISK_BYTES)?;
        std::fs::create_dir(disk.mount_point())?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()))?;
        disk.mount()?;
        // python3 is what makes the ioctl; a cut that cannot be made must be known before the load.
        run(Command::new("python3").args(["-c", "import fcntl"]))?;
        Ok(disk)
    }

    pub fn mount_point(&self) -> PathBuf {
        self.directory.path().join("mount")
    }

    /// Beside the disk, not on it: survives the cut.
    pub fn outside(&self) -> &Path {
        self.directory.path()
    }

    /// The power goes: nothing more reaches the disk.
    pub fn cut(&self, cut: Cut) -> Result<()> {
        let flag = (cut as u32).to_string();
        run(Command::new("python3").args(["-c", SHUTDOWN_SCRIPT]).arg(self.mount_point()).arg(flag))
    }

    /// The power is back: the journal is replayed.
    pub fn power_on(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            run(Command::new("umount").arg(self.mount_point()))?;
            self.mount()?;
            if self.is_alive() {
                return Ok(());
            }
            // Another mount namespace, such as one of `ip netns exec`, holds a copy of the mount, and with it the
            // file system that was shut down.
            ensure!(started.elapsed() < GONE_WITHIN, "the disk that was cut is held by another namespace");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn is_alive(&self) -> bool {
        let sign = self.mount_point().join("power-is-back");
        std::fs::write(&sign, "x").is_ok() && std::fs::remove_file(&sign).is_ok()
    }

    /// Takes space until only this much is left; replaces what was taken before.
    pub fn leave_free(&self, bytes: u64) -> Result<()> {
        self.give_back()?;
        let taken = self.free_bytes()?.saturating_sub(bytes);
        run(Command::new("fallocate").args(["-l", &taken.to_string()]).arg(self.ballast()))
    }

    /// Space that a program without special rights may still use.
    pub fn free_bytes(&self) -> Result<u64> {
        let disk = rustix::fs::statvfs(self.mount_point())?;
        Ok(disk.f_bavail * disk.f_frsize)
    }

    /// Gives back what [`LoopDisk::leave_free`] took.
    pub fn give_back(&self) -> Result<()> {
        match std::fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn ballast(&self) -> PathBuf {
        self.mount_point().join("ballast")
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("disk.ext4")
    }

    fn mount(&self) -> Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.mount_point()))
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        // Lazily, because a failed test may still hold files open; not mounted is fine as well.
        drop(Command::new("umount").arg("--lazy").arg(self.mount_point()).output());
    }
}

fn run(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let output = command.output().with_context(|| name.clone())?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
