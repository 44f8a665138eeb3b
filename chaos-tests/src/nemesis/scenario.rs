//! Scenarios and their schedules: pure functions of a seed.

use std::time::Duration;

use super::fault::{Fault, Way, Whom};
use crate::chaos_record::SERVICES;
use crate::cluster::blocks::Harm;
use crate::dice::Dice;
use crate::loop_disk::Cut;

/// Leaves more than a node's floor of free space demands, or nothing at all.
const LITTLE_BYTES: u64 = 64 << 20;

/// A family of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    LeaderKills,
    Kills,
    Pauses,
    Partitions,
    OneWay,
    Slow,
    PowerCut,
    Disk,
    Rot,
    Clock,
    Membership,
    HotServices,
    RollingRestart,
    OneDead,
    Netns,
    Alerts,
    All,
}

/// What to do next: some quiet, then these faults at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub calm: Duration,
    pub faults: Vec<Fault>,
}

impl Scenario {
    pub const EVERY: [Scenario; 17] = [
        Scenario::LeaderKills,
        Scenario::Kills,
        Scenario::Pauses,
        Scenario::Partitions,
        Scenario::OneWay,
        Scenario::Slow,
        Scenario::PowerCut,
        Scenario::Disk,
        Scenario::Rot,
        Scenario::Clock,
        Scenario::Membership,
        Scenario::HotServices,
        Scenario::RollingRestart,
        Scenario::OneDead,
        Scenario::Netns,
        Scenario::Alerts,
        Scenario::All,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Scenario::LeaderKills => "leader-kills",
            Scenario::Kills => "kills",
            Scenario::Pauses => "pauses",
            Scenario::Partitions => "partitions",
            Scenario::OneWay => "one-way",
            Scenario::Slow => "slow",
            Scenario::PowerCut => "power-cut",
            Scenario::Disk => "disk",
            Scenario::Rot => "rot",
            Scenario::Clock => "clock",
            Scenario::Membership => "membership",
            Scenario::HotServices => "hot-services",
            Scenario::RollingRestart => "rolling-restart",
            Scenario::OneDead => "one-dead",
            Scenario::Netns => "netns",
            Scenario::Alerts => "alerts",
            Scenario::All => "all",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Scenario::LeaderKills => "kill -9 of the leader of a partition, again and again",
            Scenario::Kills => "kill -9 of leaders, followers, and all nodes at once",
            Scenario::Pauses => "leaders and followers stopped for 0.1 to 10 s and continued",
            Scenario::Partitions => "nodes isolated, pairs cut, connections reset",
            Scenario::OneWay => "links that carry only one way",
            Scenario::Slow => "links with delay and little bandwidth",
            Scenario::PowerCut => "the power of one disk, or of all, goes under load (root)",
            Scenario::Disk => "disks that fill up, syncs that fail (root, strace)",
            Scenario::Rot => "block files at rest that lose a bit, their end, or themselves",
            Scenario::Clock => "clocks that jump (faketime)",
            Scenario::Membership => "nodes join, are drained and removed; leaders are moved",
            Scenario::HotServices => "services spread over more and more partitions while nodes fail",
            Scenario::RollingRestart => "each node in turn stopped and started",
            Scenario::OneDead => "throughput with one node dead against all healthy",
            Scenario::Netns => "partitions made of dropped frames between network namespaces (root)",
            Scenario::Alerts => {
                "incidents every two seconds, and whether each is told once, while nodes are killed"
            }
            Scenario::All => "everything this machine can do, two or three at a time",
        }
    }

    pub fn named(name: &str) -> Option<Scenario> {
        Scenario::EVERY.into_iter().find(|scenario| scenario.name() == name)
    }
}

/// What this machine can do besides killing, pausing and cutting links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    pub disks: bool,
    pub failing_syncs: bool,
    pub clocks: bool,
}

/// The steps of a run: the same for the same scenario, seed, partitions and abilities.
#[derive(Debug, Clone)]
pub struct Schedule {
    scenario: Scenario,
    partitions: u16,
    abilities: Abilities,
    dice: Dice,
    steps: u64,
}

impl Schedule {
    pub fn new(scenario: Scenario, partitions: u16, abilities: Abilities, seed: u64) -> Schedule {
        Schedule { scenario, partitions, abilities, dice: Dice::new(seed).of_their_own(1), steps: 0 }
    }

    pub fn next_step(&mut self) -> Step {
        let number = self.steps;
        self.steps += 1;
        let calm = match self.scenario {
            // A short run has its fault too; then there must be calms to measure in.
            Scenario::Alerts if number == 0 => self.dice.millis(4_000, 6_000),
            Scenario::Alerts => self.dice.millis(15_000, 25_000),
            _ => self.dice.millis(1_000, 2_500),
        };
        let faults = match self.scenario {
            Scenario::All => self.several(),
            one => vec![self.one_of(one, number)],
        };
        Step { calm, faults }
    }

    /// One fault, or two or three of different kinds.
    fn several(&mut self) -> Vec<Fault> {
        let mut families = vec![
            Scenario::Kills,
            Scenario::Kills,
            Scenario::Pauses,
            Scenario::Partitions,
            Scenario::OneWay,
            Scenario::Slow,
            Scenario::RollingRestart,
            Scenario::HotServices,
            Scenario::Rot,
        ];
        if self.abilities.disks {
            families.push(Scenario::PowerCut);
        }
        if self.abilities.disks || self.abilities.failing_syncs {
            families.push(Scenario::Disk);
        }
        if self.abilities.clocks {
            families.push(Scenario::Clock);
        }
        let count = 1 + self.dice.below(3);
        let mut faults: Vec<Fault> = Vec::new();
        for _ in 0..count {
            let family = self.dice.pick(&families).copied().unwrap_or(Scenario::Kills);
            let number = self.dice.throw();
            let fault = self.one_of(family, number);
            // What touches every node does not go together with anything else that does.
            let has_all = faults.iter().any(|other| other.whom() == Whom::All);
            let is_new = faults.iter().all(|other| other.kind() != fault.kind());
            let has_links = faults.iter().any(Fault::is_of_links);
            let is_in_the_way = (has_all && fault.whom() == Whom::All) || (has_links && fault.is_of_links());
            if is_new && !is_in_the_way {
                faults.push(fault);
            }
        }
        faults
    }

    fn one_of(&mut self, scenario: Scenario, number: u64) -> Fault {
        match scenario {
            Scenario::LeaderKills => Fault::Kill { whom: self.leader(), down: self.dice.millis(50, 2_500) },
            Scenario::Kills | Scenario::OneDead | Scenario::All => self.kill(number),
            Scenario::Pauses => self.pause(number),
            Scenario::Partitions | Scenario::Netns => self.partition(number),
            Scenario::OneWay => self.one_way(number),
            Scenario::Slow => self.slow(number),
            Scenario::PowerCut => self.power_cut(number),
            Scenario::Disk => self.disk(number),
            Scenario::Rot => self.rot(),
            Scenario::Clock => self.clock(),
            Scenario::Membership => self.membership(number),
            Scenario::HotServices => self.hot_services(number),
            Scenario::RollingRestart => Fault::RollingRestart,
            Scenario::Alerts => self.kill_one(number),
        }
    }

    fn leader(&mut self) -> Whom {
        Whom::Leader(self.a_partition())
    }

    fn a_partition(&mut self) -> u16 {
        u16::try_from(self.dice.below(u64::from(self.partitions))).unwrap_or(0)
    }

    /// Mostly leaders: they have most to lose.
    fn one_node(&mut self) -> Whom {
        if self.dice.percent(65) { self.leader() } else { Whom::Follower(self.a_partition()) }
    }

    fn kill(&mut self, number: u64) -> Fault {
        let down = self.dice.millis(50, 3_000);
        let whom = match number % 4 {
            0 | 2 => self.leader(),
            1 => Whom::Follower(self.a_partition()),
            _ => Whom::All,
        };
        Fault::Kill { whom, down }
    }

    /// Mostly who sends the alerts.
    fn kill_one(&mut self, number: u64) -> Fault {
        let whom = match number % 4 {
            0 | 2 => Whom::ControlLeader,
            1 => self.leader(),
            _ => Whom::Follower(self.a_partition()),
        };
        Fault::Kill { whom, down: self.dice.millis(500, 6_000) }
    }

    fn pause(&mut self, number: u64) -> Fault {
        // From a hiccup to well past every timeout.
        let length = match number % 3 {
            0 => self.dice.millis(100, 600),
            1 => self.dice.millis(1_000, 3_000),
            _ => self.dice.millis(4_000, 10_000),
        };
        Fault::Pause { whom: self.one_node(), length }
    }

    fn partition(&mut self, number: u64) -> Fault {
        let length = self.dice.millis(500, 6_000);
        let whom = self.one_node();
        match number % 4 {
            0 | 2 => Fault::Isolate { whom, way: Way::Both, length },
            1 => Fault::CutPair { whom, way: Way::Both, length },
            _ if self.scenario == Scenario::Netns => Fault::Isolate { whom, way: Way::Outgoing, length },
            _ => Fault::Resets { whom, length: length / 3 },
        }
    }

    fn one_way(&mut self, number: u64) -> Fault {
        let length = self.dice.millis(1_000, 6_000);
        let whom = self.one_node();
        let way = if number.is_multiple_of(2) { Way::Outgoing } else { Way::Incoming };
        if number % 4 < 3 {
            Fault::Isolate { whom, way, length }
        } else {
            Fault::CutPair { whom, way, length }
        }
    }

    fn slow(&mut self, number: u64) -> Fault {
        let length = self.dice.millis(2_000, 6_000);
        let (delay, bytes_per_sec) = match number % 3 {
            0 => (self.dice.millis(20, 100), None),
            1 => (Duration::ZERO, Some(128_000)),
            _ => (self.dice.millis(100, 400), Some(256_000)),
        };
        Fault::Slow { whom: self.one_node(), delay, bytes_per_sec, length }
    }

    fn power_cut(&mut self, number: u64) -> Fault {
        let leaves = match self.dice.below(4) {
            0 => Cut::FlushJournal,
            1 => Cut::FlushAll,
            _ => Cut::FlushNothing,
        };
        // All at once first: what was acknowledged unsynced is gone from every replica then, and is missed. A
        // single node that forgot what it had confirmed only stops its Raft group, and nothing more is read.
        let whom = if number.is_multiple_of(3) { Whom::All } else { self.one_node() };
        Fault::PowerCut { whom, leaves, down: self.dice.millis(50, 1_500) }
    }

    fn disk(&mut self, number: u64) -> Fault {
        let (whom, length) = (self.one_node(), self.dice.millis(1_500, 4_000));
        let left_bytes = if self.dice.percent(50) { LITTLE_BYTES } else { 0 };
        let fails = self.abilities.failing_syncs && (number.is_multiple_of(2) || !self.abilities.disks);
        if fails { Fault::FailedSync { whom } } else { Fault::FullDisk { whom, left_bytes, length } }
    }

    fn rot(&mut self) -> Fault {
        let harm = self.dice.pick(&Harm::EVERY).copied().unwrap_or(Harm::FlipBit);
        Fault::Rot { whom: self.one_node(), harm }
    }

    fn clock(&mut self) -> Fault {
        // Less than the day by which a record's time may lie in the future.
        let offsets = [-3_600, -120, -5, 5, 120, 3_600];
        let offset_secs = self.dice.pick(&offsets).copied().unwrap_or(120);
        Fault::ClockJump { whom: self.one_node(), offset_secs, length: self.dice.millis(1_000, 4_000) }
    }

    fn membership(&mut self, number: u64) -> Fault {
        match number % 6 {
            0 => Fault::Join,
            1 | 4 => Fault::MoveLeader { partition: self.a_partition() },
            2 => Fault::Drain { whom: self.one_node(), length: self.dice.millis(500, 2_000) },
            3 => Fault::Leave,
            _ => Fault::Kill { whom: self.one_node(), down: self.dice.millis(50, 1_500) },
        }
    }

    /// Retries fall into the times at which a service begins to be spread, or is spread wider.
    fn hot_services(&mut self, number: u64) -> Fault {
        match number % 4 {
            0 | 2 => {
                let service = self.dice.pick(&SERVICES).copied().unwrap_or("checkout");
                let over = 2 + self.dice.below(u64::from(self.partitions.saturating_sub(1).max(1)));
                Fault::Spread { service, over: u16::try_from(over).unwrap_or(2) }
            }
            1 => Fault::Kill { whom: self.one_node(), down: self.dice.millis(50, 1_500) },
            _ => {
                Fault::Isolate { whom: self.one_node(), way: Way::Both, length: self.dice.millis(500, 2_000) }
            }
        }
    }
}

#[cfg(test)]
#[path = "scenario_tests.rs"]
mod tests;
