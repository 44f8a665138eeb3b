//! Partitions, their Raft groups, the write-ahead log and the cache: of the replicas on this node.

use insighthub_storage::group::GroupStatus;
use insighthub_storage::partition::PartitionStatus;

use super::super::{Counters, Node};
use super::page::{Kind, Page};

/// One replica: the number of its partition, what it holds and how its group does.
struct Replica {
    partition: String,
    state: PartitionStatus,
    group: GroupStatus,
    dead_letters: Option<u64>,
}

/// A family of one sample for each replica: its kind, name and help, and what is shown.
type PerReplica = (Kind, &'static str, &'static str, fn(&Replica) -> f64);

const OF_REPLICAS: [PerReplica; 17] = [
    (Kind::Gauge, "insighthub_partition_records", "Records stored.", |one| one.state.next_offset as f64),
    (
        Kind::Gauge,
        "insighthub_partition_head_records",
        "Records in memory that are in no block yet.",
        |one| one.state.head_records as f64,
    ),
    (Kind::Gauge, "insighthub_partition_head_bytes", "Bytes in memory that are in no block yet.", |one| {
        one.state.head_bytes as f64
    }),
    (
        Kind::Gauge,
        "insighthub_partition_frozen_heads",
        "Heads on their way to a block: more than a few, and the disk does not keep up.",
        |one| one.state.frozen_heads as f64,
    ),
    (Kind::Gauge, "insighthub_partition_blocks", "Block files.", |one| one.state.blocks as f64),
    (Kind::Gauge, "insighthub_partition_block_bytes", "Bytes of block files.", |one| {
        one.state.block_bytes as f64
    }),
    (
        Kind::Gauge,
        "insighthub_partition_damaged_blocks",
        "Blocks found damaged and not repaired yet.",
        |one| one.state.damaged_blocks as f64,
    ),
    (Kind::Gauge, "insighthub_partition_producers", "Senders whose recent batches are remembered.", |one| {
        one.state.producers as f64
    }),
    (Kind::Gauge, "insighthub_partition_leads", "1 where this node leads.", |one| flag(one.group.leads)),
    (Kind::Gauge, "insighthub_partition_has_leader", "1 where this node knows a leader.", |one| {
        flag(one.group.leader.is_some())
    }),
    (
        Kind::Gauge,
        "insighthub_partition_stopped",
        "1 where the replica has stopped; the log says why.",
        |one| flag(one.group.failure.is_some()),
    ),
    (Kind::Gauge, "insighthub_raft_term", "Grows with every election.", |one| one.group.term as f64),
    (Kind::Gauge, "insighthub_raft_last_log_index", "The last entry of the log.", |one| {
        one.group.last_log_index.unwrap_or(0) as f64
    }),
    (Kind::Gauge, "insighthub_raft_applied_index", "The last entry that was applied.", |one| {
        one.group.applied_index.unwrap_or(0) as f64
    }),
    (Kind::Gauge, "insighthub_raft_snapshot_index", "The last entry that a snapshot holds.", |one| {
        one.group.snapshot_index.unwrap_or(0) as f64
    }),
    (
        Kind::Gauge,
        "insighthub_raft_unapplied_entries",
        "Entries of the log that are not applied yet.",
        |one| {
            one.group.last_log_index.unwrap_or(0).saturating_sub(one.group.applied_index.unwrap_or(0)) as f64
        },
    ),
    (
        Kind::Gauge,
        "insighthub_raft_follower_lag_entries",
        "On the leader: how far the last of its followers is behind.",
        |one| {
            let last = one.group.last_log_index.unwrap_or(0);
            let slowest = one.group.matched.values().min().copied().filter(|_| one.group.leads);
            last.saturating_sub(slowest.unwrap_or(last)) as f64
        },
    ),
];

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

pub(super) fn write(node: &Node, page: &mut Page) {
    let replicas: Vec<Replica> = node
        .store
        .partitions()
        .into_iter()
        .map(|group| Replica {
            partition: group.replica.partition().to_string(),
            state: group.replica.status(),
            group: group.group.status(),
            dead_letters: group.replica.dead_letters_waiting(),
        })
        .collect();
    for (kind, name, help, value) in OF_REPLICAS {
        let mut family = page.family(kind, name, help);
        for replica in &replicas {
            family.sample(&[("partition", &replica.partition)], value(replica));
        }
    }
    let help = "Records that were refused and wait to be mended or replayed.";
    let mut family = page.family(Kind::Gauge, "insighthub_partition_dead_letters", help);
    for replica in &replicas {
        if let Some(waiting) = replica.dead_letters {
            family.sample(&[("partition", &replica.partition)], waiting as f64);
        }
    }
    let control = node.store.control.group.leadership();
    page.gauge("insighthub_control_leads", "1 where this node leads the control group.", flag(control.leads));
    let help = "1 where this node knows who leads the control group.";
    page.gauge("insighthub_control_has_leader", help, flag(control.leader.is_some()));
    let help = "Time from the proposal of a command to its apply, on the leader.";
    let mut family = page.family(Kind::Histogram, "insighthub_commit_duration_seconds", help);
    family.histogram(&[], &node.cluster.commits.lengths());
    log(node, page);
    cache(node, page);
    scrub(node, page);
}

fn log(node: &Node, page: &mut Page) {
    let wal = node.store.wal();
    let stats = wal.stats();
    page.counter("insighthub_log_syncs_total", "Synced writes of the write-ahead log.", stats.syncs);
    page.counter("insighthub_log_bytes_total", "Bytes written to the write-ahead log.", stats.bytes_written);
    page.counter(
        "insighthub_log_records_total",
        "Records written to the write-ahead log.",
        stats.records_written,
    );
    page.counter("insighthub_log_rotations_total", "Segments begun after the first.", stats.rotations);
    let help = "Time of one write to the log with its sync.";
    let mut family = page.family(Kind::Histogram, "insighthub_log_sync_duration_seconds", help);
    family.histogram(&[], &wal.sync_lengths());
    let queued = stats.queued_bytes as f64;
    page.gauge("insighthub_log_queued_bytes", "Bytes that wait for the log, or are being written.", queued);
    let help = "Bytes of the write-ahead log on the disk.";
    page.gauge("insighthub_log_size_bytes", help, node.store.wal_bytes() as f64);
}

fn cache(node: &Node, page: &mut Page) {
    let status = node.store.world().cache.status();
    page.gauge("insighthub_cache_bytes", "Columns of blocks held in memory.", status.bytes as f64);
    page.gauge("insighthub_cache_entries", "Columns in the cache.", status.entries as f64);
    let mut family = page.family(
        Kind::Counter,
        "insighthub_cache_lookups_total",
        "Columns asked for, by whether they were there.",
    );
    family.sample(&[("result", "hit")], status.hits as f64);
    family.sample(&[("result", "miss")], status.misses as f64);
}

fn scrub(node: &Node, page: &mut Page) {
    let counters = &node.cluster.scrub;
    let mut count = |name, help, counter| page.counter(name, help, Counters::get(counter));
    count(
        "insighthub_scrub_passes_total",
        "Checks of everything at rest that were finished.",
        &counters.passes,
    );
    count("insighthub_scrub_blocks_checked_total", "Blocks checked.", &counters.blocks_checked);
    count("insighthub_scrub_blocks_damaged_total", "Blocks found damaged.", &counters.blocks_damaged);
    count(
        "insighthub_scrub_blocks_repaired_total",
        "Blocks repaired from a peer.",
        &counters.blocks_repaired,
    );
    count(
        "insighthub_scrub_blocks_diverged_total",
        "Blocks that differ from those of other replicas.",
        &counters.blocks_diverged,
    );
}
