//! Black box tests of the real binary: real processes, real kills, real disks.
//!
//! A ledger holds what was sent and what was acknowledged; the checker reads everything back over
//! HTTP and compares. Nothing here knows how a node works inside.

pub mod adapter_speed;
pub mod alert_incidents;
pub mod api;
pub mod binary;
pub mod browser;
pub mod certificates;
pub mod chaos_record;
pub mod chaos_run;
pub mod checker;
pub mod cluster;
pub mod dashboard;
pub mod dashboard_speed;
pub mod deadline;
pub mod demo_cluster;
pub mod dice;
pub mod grpc;
pub mod interrupted;
pub mod ledger;
pub mod live_tail;
pub mod load;
pub mod loop_disk;
pub mod nemesis;
pub mod node_process;
pub mod proof;
pub mod real_clients;
pub mod receivers;
pub mod reckoning;
pub mod run_options;
pub mod shared_start;
pub mod source_logs;
pub mod summary;
pub mod verdict;
pub mod workload;
