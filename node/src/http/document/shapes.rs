//! Shapes of answers that no type of ours has: those written by hand, and those of types that know nothing of HTTP.

#![expect(dead_code, reason = "these say what answers look like; nothing is ever made of them")]

use std::collections::BTreeMap;

use insighthub_model::Record;
use insighthub_model::api::answer::Coverage;
use insighthub_model::api::query::QueryStats;
use serde_json::Value;
use utoipa::ToSchema;

/// An OpenAPI document.
#[derive(ToSchema)]
pub(crate) struct OpenApiDocument {
    openapi: String,
    info: BTreeMap<String, Value>,
    paths: BTreeMap<String, Value>,
}

/// `ExportLogsServiceRequest` of opentelemetry-proto, in its JSON.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct OtlpRequest {
    resource_logs: Vec<BTreeMap<String, Value>>,
}

/// `ExportLogsServiceResponse`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct OtlpAnswer {
    /// Left out where all records were stored.
    partial_success: Option<OtlpPartialSuccess>,
}

/// What of a request was refused. It is not to be sent again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct OtlpPartialSuccess {
    /// A number.
    rejected_log_records: String,
    error_message: String,
}

/// `google.rpc.Status`.
#[derive(ToSchema)]
pub(crate) struct OtlpStatus {
    /// Of `google.rpc.Code`.
    code: u8,
    message: String,
}

/// Nothing more to say.
#[derive(ToSchema)]
pub(crate) struct Nothing {}

/// Records, or a table where the query has stages that make one.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum QueryAnswer {
    Records {
        records: Vec<Record>,
        coverage: Coverage,
        stats: QueryStats,
        /// Where it was asked for.
        explain: Option<BTreeMap<String, Value>>,
    },
    Table {
        columns: Vec<String>,
        /// One value for each column.
        rows: Vec<Vec<Value>>,
        coverage: Coverage,
        stats: QueryStats,
        explain: Option<BTreeMap<String, Value>>,
    },
}

/// Records as they are searched, or the rows of a table with a name for each cell.
#[derive(ToSchema)]
pub(crate) struct ExportedRows(Vec<BTreeMap<String, Value>>);

/// One refused record.
#[derive(ToSchema)]
struct RejectionView {
    /// In the request, from 0.
    position: u64,
    /// Of the body, from 1.
    line: u64,
    field: Option<String>,
    reason: String,
}

/// All records are stored (`queued`), or some were refused (`partial`). Counts are left out for a single record.
#[derive(ToSchema)]
pub(crate) struct Receipt {
    status: ReceiptStatus,
    accepted: Option<u64>,
    rejected: Option<u64>,
    /// The first hundred.
    rejections: Option<Vec<RejectionView>>,
    /// The same batch had been stored before; it was not stored again.
    duplicate: Option<bool>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum ReceiptStatus {
    Queued,
    Partial,
}

/// The request cannot be read, or not one of its records can be taken; then counts are there.
#[derive(ToSchema)]
pub(crate) struct RecordsRefused {
    error: RefusedRecord,
    accepted: Option<u64>,
    rejected: Option<u64>,
    rejections: Option<Vec<RejectionView>>,
}

#[derive(ToSchema)]
struct RefusedRecord {
    code: String,
    message: String,
    field: Option<String>,
    /// Of the body, from 1.
    line: Option<u64>,
}

/// What is shown of an actor.
#[derive(ToSchema)]
pub(crate) struct ActorView {
    name: String,
    kind: String,
    queue_depth: u64,
    restarts: u64,
    /// `running` or `restarting`.
    state: String,
}

/// What the node lets in.
#[derive(ToSchema)]
pub(crate) struct AdmissionView {
    in_flight_bytes: u64,
    in_flight_bytes_max: u64,
    disk_full: bool,
    stopping: bool,
}

/// What a node is to the cluster.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum NodeStateView {
    Invited,
    Active,
    Draining,
    Removed,
}

/// Which kind of actor is made to fail.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum FaultTargetView {
    Ingest,
    Partition,
    Shard,
    TailHub,
    Session,
}

/// A record in its client's form; any other name is a field of the client's own.
#[derive(serde::Serialize, ToSchema)]
pub(crate) struct ClientRecord {
    service: Option<String>,
    level: Option<String>,
    message: Option<String>,
    timestamp: Option<String>,
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}
