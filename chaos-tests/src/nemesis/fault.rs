//! The faults there are, as plain data: what a schedule is made of. How each is done lies elsewhere.

use std::fmt;
use std::time::Duration;

use crate::cluster::blocks::Harm;
use crate::loop_disk;

/// Whom a fault hits. Which node that is, is known when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The leader of a partition.
    Leader(u16),
    /// The leader of the control group, which judges rules and sends alerts.
    ControlLeader,
    /// A node that does not lead the partition.
    Follower(u16),
    /// Any node that runs.
    Any,
    /// All nodes at once.
    All,
}

/// Which way of the links of a node is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Both,
    /// It is heard and hears nothing.
    Incoming,
    /// It hears and is not heard.
    Outgoing,
}

/// One fault from start to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// kill -9, and a new start after a while.
    Kill { whom: Whom, down: Duration },
    /// SIGSTOP, and SIGCONT after a while.
    Pause { whom: Whom, length: Duration },
    /// One node cut from all others.
    Isolate { whom: Whom, way: Way, length: Duration },
    /// One node cut from one other; both still reach the rest.
    CutPair { whom: Whom, way: Way, length: Duration },
    /// Connections of a node reset again and again.
    Resets { whom: Whom, length: Duration },
    /// Everything a node sends and gets is late, and comes slowly.
    Slow { whom: Whom, delay: Duration, bytes_per_sec: Option<u64>, length: Duration },
    /// The power of a node's disk goes, and the node with it.
    PowerCut { whom: Whom, leaves: loop_disk::Cut, down: Duration },
    /// The disk fills up to this.
    FullDisk { whom: Whom, left_bytes: u64, length: Duration },
    /// A block file at rest is harmed; it must be found and replaced while the node goes on.
    Rot { whom: Whom, harm: Harm },
    /// One sync of the log fails: the node must end, and is started again.
    FailedSync { whom: Whom },
    /// The node's clock jumps there, and back.
    ClockJump { whom: Whom, offset_secs: i64, length: Duration },
    /// The node gives up its partitions and takes them again.
    Drain { whom: Whom, length: Duration },
    /// A node with an empty disk joins.
    Join,
    /// A node is drained, removed and switched off.
    Leave,
    /// Another replica becomes leader, by order.
    MoveLeader { partition: u16 },
    /// A service is spread over so many partitions.
    Spread { service: &'static str, over: u16 },
    /// Each node in turn is stopped by SIGTERM and started again.
    RollingRestart,
}

impl Fault {
    /// What it is counted as.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Kill { whom: Whom::Leader(_), .. } => "leader killed",
            Fault::Kill { whom: Whom::ControlLeader, .. } => "control leader killed",
            Fault::Kill { whom: Whom::All, .. } => "all killed",
            Fault::Kill { .. } => "follower killed",
            Fault::Pause { whom: Whom::Leader(_), .. } => "leader paused",
            Fault::Pause { .. } => "follower paused",
            Fault::Isolate { way: Way::Both, .. } => "node isolated",
            Fault::Isolate { .. } => "node isolated one way",
            Fault::CutPair { way: Way::Both, .. } => "pair cut",
            Fault::CutPair { .. } => "pair cut one way",
            Fault::Resets { .. } => "connections reset",
            Fault::Slow { .. } => "links slow",
            Fault::PowerCut { whom: Whom::All, .. } => "power cut everywhere",
            Fault::PowerCut { .. } => "power cut",
            Fault::FullDisk { .. } => "disk full",
            Fault::Rot { .. } => "block rotten",
            Fault::FailedSync { .. } => "sync failed",
            Fault::ClockJump { .. } => "clock jumped",
            Fault::Drain { .. } => "node drained",
            Fault::Join => "node joined",
            Fault::Leave => "node removed",
            Fault::MoveLeader { .. } => "leader moved",
            Fault::Spread { .. } => "service spread",
            Fault::RollingRestart => "rolling restart",
        }
    }

    /// Whether it changes the weather of links, which only one fault at a time may do.
    pub fn is_of_links(&self) -> bool {
        matches!(
            self,
            Fault::Isolate { .. } | Fault::CutPair { .. } | Fault::Resets { .. } | Fault::Slow { .. }
        )
    }

    pub fn whom(&self) -> Whom {
        match *self {
            Fault::Kill { whom, .. }
            | Fault::Pause { whom, .. }
            | Fault::Isolate { whom, .. }
            | Fault::CutPair { whom, .. }
            | Fault::Resets { whom, .. }
            | Fault::Slow { whom, .. }
            | Fault::PowerCut { whom, .. }
            | Fault::FullDisk { whom, .. }
            | Fault::Rot { whom, .. }
            | Fault::FailedSync { whom }
            | Fault::ClockJump { whom, .. }
            | Fault::Drain { whom, .. } => whom,
            Fault::MoveLeader { partition } => Whom::Leader(partition),
            Fault::Join | Fault::Leave | Fault::Spread { .. } => Whom::Any,
            Fault::RollingRestart => Whom::All,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self:?}", self.kind())
    }
}
