//! What must hold at every step, and what must have come about at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::{Offset, PartitionId, Record};
use insighthub_storage::block::BlockId;
use insighthub_storage::control::DeletionEntry;
use insighthub_storage::group::{Group, PartitionGroup};
use insighthub_storage::query::{Conditions, Filter, after_offset};
use insighthub_storage::wal::GroupId;
use xxhash_rust::xxh3::Xxh3;

use crate::cluster::SimulatedCluster;
use crate::history::Tracked;
use crate::node::Running;

/// Between two looks at what every node has committed.
const COMPARE_EVERY: Duration = Duration::from_millis(20);

/// Looks at every node while it runs.
#[derive(Default)]
pub(crate) struct Watcher {
    next: Duration,
    /// The last index of each node's group that was compared.
    compared: BTreeMap<(String, u16), u64>,
}

fn groups(running: &Running) -> Vec<(u16, Group)> {
    let store = &running.cluster.store;
    let partitions = store.partitions().into_iter();
    let groups = partitions.map(|hosted| (hosted.replica.partition().0 + 1, hosted.group));
    [(0, store.control.group.clone())].into_iter().chain(groups).collect()
}

impl Watcher {
    pub(crate) fn look(&mut self, cluster: &SimulatedCluster) {
        let compares = cluster.now() >= self.next;
        if compares {
            self.next = cluster.now() + COMPARE_EVERY;
        }
        for (name, running) in cluster.running() {
            let me = running.cluster.me();
            for (number, group) in groups(&running) {
                let metrics = group.metrics();
                let (leads, term, applied) = {
                    let metrics = metrics.borrow();
                    (metrics.state.is_leader(), metrics.current_term, metrics.last_applied)
                };
                if leads {
                    cluster.history.lock().lead(me, number, term);
                }
                if compares && let Some(applied) = applied {
                    self.compare(cluster, &name, &running, number, applied.index);
                }
            }
        }
    }

    /// Compares entries that were applied since the last look with those of the other nodes.
    fn compare(
        &mut self,
        cluster: &SimulatedCluster,
        name: &str,
        running: &Running,
        group: u16,
        applied: u64,
    ) {
        let from = self.compared.entry((name.to_owned(), group)).or_default();
        // A restart replays; what it replays is compared again.
        if applied < *from {
            *from = 0;
        }
        let range = *from + 1..applied + 1;
        *from = applied;
        let entries = running.cluster.store.wal().read_blocking(GroupId(group), range, u64::MAX);
        // A log that has failed or is cut from its disk says so elsewhere.
        for entry in entries.unwrap_or_default() {
            let mut hash = Xxh3::new();
            hash.update(&entry.term.to_le_bytes());
            hash.update(&entry.head);
            hash.update(&entry.body);
            cluster.history.lock().commit(name, group, entry.index, hash.digest());
        }
    }
}

/// Why the nodes do not agree yet; `None` when they do.
pub(crate) fn disagreement(cluster: &SimulatedCluster) -> Option<String> {
    let running = cluster.running();
    if running.len() < cluster.machines_count() {
        return Some(format!("{} of {} nodes run", running.len(), cluster.machines_count()));
    }
    let mut applied: BTreeMap<u16, u64> = BTreeMap::new();
    for (name, node) in &running {
        for (number, group) in groups(node) {
            let status = group.status();
            if let Some(failure) = status.failure {
                return Some(format!("{name}: group {number} has stopped: {failure}"));
            }
            if status.leader.is_none() {
                return Some(format!("{name}: group {number} knows no leader"));
            }
            let mine = status.applied_index.unwrap_or(0);
            let first = *applied.entry(number).or_insert(mine);
            if first != mine || status.last_log_index != Some(mine) {
                return Some(format!("{name}: group {number} applied {mine}, another {first}"));
            }
        }
        let unanswered = node.appends.unanswered();
        if unanswered > 0 {
            return Some(format!("{name}: {unanswered} proposals were never answered"));
        }
        let open = node.cluster.store.control.replica.read(|state| {
            let partitions = usize::from(crate::node::PARTITIONS);
            state.deletions.entries.values().filter(|entry| entry.erased.len() < partitions).count()
        });
        if open > 0 {
            return Some(format!("{name}: {open} deletions are not done"));
        }
        let moving = node.cluster.topology(|topology| topology.targets.len());
        if moving > 0 {
            return Some(format!("{name}: {moving} replicas are moving"));
        }
        for hosted in node.cluster.store.partitions() {
            let partition = hosted.replica.partition();
            if !hosted.replica.is_idle() {
                return Some(format!("{name}: blocks of p{partition} are not written"));
            }
            if let Some(erasure) = hosted.replica.erasures().first() {
                return Some(format!("{name}: deletion {} of p{partition} has not ended", erasure.id));
            }
        }
    }
    None
}

/// Checks every replica: all that was acknowledged once, nothing else, and equal to its peers.
pub(crate) fn check_end(cluster: &SimulatedCluster) {
    let mut first: BTreeMap<PartitionId, (String, Content)> = BTreeMap::new();
    let running = cluster.running();
    for (name, node) in &running {
        for hosted in node.cluster.store.partitions() {
            let partition = hosted.replica.partition();
            let content = match Content::of(&hosted) {
                Ok(content) => content,
                Err(error) => {
                    cluster.history.lock().violate(format!("{name}: p{partition} cannot be read: {error}"));
                    continue;
                }
            };
            check_content(cluster, &format!("{name}: p{partition}"), partition, &content);
            match first.get(&partition) {
                None => drop(first.insert(partition, (name.clone(), content))),
                Some((other, peer)) if *peer != content => {
                    let difference = content.difference(peer);
                    let fault = format!("p{partition} differs on {other} and {name} {difference}");
                    cluster.history.lock().violate(fault);
                }
                Some(_) => {}
            }
        }
    }
    check_control(cluster, &running);
}

fn check_content(cluster: &SimulatedCluster, replica: &str, partition: PartitionId, content: &Content) {
    let mut history = cluster.history.lock();
    let found: Vec<Tracked> =
        content.records.iter().map(|record| (partition, record.message.clone())).collect();
    let all = (history.acknowledged_count(), history.erased_count());
    history.check_read(replica, &found, all, |(of, _)| *of == partition);
    // What is deleted leaves gaps.
    if !history.erases_anything()
        && let Some((expected, _)) =
            (0..).zip(&content.records).find(|(expected, record)| record.log_id.offset != *expected)
    {
        history.violate(format!("{replica} has no record at offset {expected}"));
    }
    let merged = content.blocks.iter().filter(|(id, _)| id.written_by != id.seal_index).count();
    history.counts.merged_blocks += merged as u64;
    let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
    for record in &content.records {
        let (service, minute) = (record.service.clone(), record.timestamp.minute());
        let key = MinuteKey { service, minute, level: record.level };
        minutes.entry(key).or_default().add(record.is_anomaly, record.latency_ms);
    }
    if minutes != content.minutes {
        history.violate(format!("{replica} counts minutes that its records do not give"));
    }
}

fn check_control(cluster: &SimulatedCluster, running: &[(String, Running)]) {
    let states: Vec<_> = running
        .iter()
        .map(|(name, node)| (name, node.cluster.store.control.replica.read(Clone::clone)))
        .collect();
    let progress = cluster.progress.lock();
    let mut history = cluster.history.lock();
    for (name, state) in &states {
        let is_open = |entry: &DeletionEntry| entry.erased.len() < usize::from(crate::node::PARTITIONS);
        if let Some(open) = state.deletions.entries.values().find(|entry| is_open(entry)) {
            history.violate(format!("{name} does not know that a deletion is done: {}", open.query));
        }
        if let Some(lost) = progress.tokens.iter().find(|id| !state.tokens.by_id.contains_key(*id)) {
            history.violate(format!("{name} has lost an acknowledged control change: {lost}"));
        }
        if states.first().is_some_and(|(_, first)| first != state) {
            history.violate(format!("{name} has another control state than its peers"));
        }
    }
}

/// What a replica holds, by content.
#[derive(PartialEq)]
struct Content {
    records: Vec<Record>,
    minutes: BTreeMap<MinuteKey, MinuteAggregate>,
    blocks: Vec<(BlockId, u64)>,
    next_offset: Offset,
    producers: usize,
}

impl Content {
    fn of(hosted: &PartitionGroup) -> anyhow::Result<Content> {
        let replica = &hosted.replica;
        let filter = Filter::new(&Conditions::default())?;
        let view = replica.view();
        let sources: Vec<_> = view.sources().collect();
        let status = replica.status();
        Ok(Content {
            records: after_offset(&sources, &filter, 0, usize::MAX)?,
            minutes: replica.minutes(None, i64::MIN, i64::MAX)?,
            blocks: replica.checksums().blocks,
            next_offset: status.next_offset,
            producers: status.producers,
        })
    }

    fn difference(&self, other: &Content) -> &'static str {
        match () {
            () if self.records != other.records => "in its records",
            () if self.blocks != other.blocks => "in its blocks",
            () if self.minutes != other.minutes => "in its minutes",
            () if self.next_offset != other.next_offset => "in its next offset",
            () => "in its producers",
        }
    }
}
