//! Every bound on what a client may send and what a node may hold, each with its reason.
//!
//! Bounds that decide how a request is cut into chunks are constants: a retry must be cut the same way.

use crate::settings;
use crate::settings::Range::Integer;

/// A chunk is closed when its raw bytes reach this: one Raft entry then carries 64 to 256 KiB compressed.
pub const CHUNK_BYTES_TARGET: usize = 512 * 1024;
/// A chunk is closed at this many records, so that a row number fits well in 16 bits on disk.
pub const CHUNK_RECORDS_MAX: usize = 8_192;
/// A chunk holds at most this many distinct (field, type) columns; more would cost memory per name, not per byte.
pub const CHUNK_COLUMNS_MAX: usize = 4_096;
/// Raw bytes kept of a refused record: enough to mend nearly every record by hand.
pub const DEAD_LETTER_RAW_BYTES_MAX: usize = 64 * 1024;
/// Rejections listed in one reply; the rest are counted and in the dead-letter store.
pub const REJECTIONS_LISTED_MAX: usize = 100;
/// Length of a producer id in bytes.
pub const PRODUCER_BYTES_MAX: usize = 128;
/// A retry is recognised while fewer than this many newer batches of its producer were stored.
pub const SEQUENCE_WINDOW: u64 = 1_024;
/// Largest page of `GET /api/logs`: bounds the memory of one answer.
pub const PAGE_RECORDS_MAX: usize = 10_000;
/// Text of a query: a longer one is a mistake or an attack on the parser.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// Nesting of a query's parentheses and NOTs: bounds recursion.
pub const QUERY_DEPTH_MAX: usize = 64;
/// A regular expression of a query: far more than anybody types, and little to keep for each node asked.
pub const QUERY_REGEX_BYTES_MAX: usize = 1_024;
/// Nesting of a regular expression: bounds recursion.
pub const QUERY_REGEX_DEPTH_MAX: u32 = 32;
/// Parts of a regular expression with its counted repetitions written out: bounds the memory it is compiled to.
pub const QUERY_REGEX_SIZE_MAX: u64 = 2_000;
/// Values of one set (`field:in(...)`): looked up at once, whatever their number.
pub const QUERY_SET_VALUES_MAX: usize = 1_000;
/// Stages of a query: bounds the passes over its rows.
pub const QUERY_STAGES_MAX: usize = 32;
/// Aggregates of one stage: each keeps a state per group.
pub const QUERY_AGGREGATES_MAX: usize = 32;
/// Fields in one list of a stage (groups, sort keys, projected fields).
pub const QUERY_FIELDS_MAX: usize = 64;
/// Rows a stage may ask for: bounds the memory of one answer.
pub const QUERY_ROWS_MAX: u32 = 10_000;
/// Rows a stage may pass over: they must all be kept in order to be skipped.
pub const QUERY_OFFSET_MAX: u32 = 100_000;
/// Neighbours of a record on either side.
pub const QUERY_CONTEXT_MAX: u32 = 1_000;
/// Shortest stretch of `time()`: shorter ones are noise of the clocks.
pub const QUERY_BUCKET_NANOS_MIN: i64 = 1_000_000;
/// Terms of a query: bounds the work per record.
pub const QUERY_TERMS_MAX: usize = 512;
/// Bars of a histogram and columns of a heatmap that is asked for a length: more than any screen has room for.
pub const BARS_MAX: usize = 1_000;
/// Bars where nothing is said: an hour by minutes, a day by quarters of an hour.
pub const BARS_DEFAULT: usize = 100;
/// Different names of fields that one answer may be made of: bounds the memory of names a client invents.
pub const FIELDS_SEEN_MAX: usize = 10_000;
/// Fields in one answer; the most frequent of the client's own.
pub const FIELDS_LISTED_MAX: usize = 500;
/// Different values of one field that are counted one by one; beyond, counts are of a sample. 4,096 values of 64
/// bytes are 256 KiB, and estimate the number of all with a standard error of 1.6 %.
pub const FIELD_VALUES_COUNTED_MAX: usize = 4_096;
/// Values in the answer for one field.
pub const FIELD_VALUES_LISTED_MAX: usize = 100;
/// Records that each side of a comparison is drawn down to, roughly: what one in a thousand has is met 50 times.
pub const SAMPLE_RECORDS_TARGET: u64 = 50_000;
/// The same for the frequent values of fields that have many: ids of 60 fields stay below 128 MiB.
pub const FIELD_SAMPLE_RECORDS_TARGET: u64 = 20_000;
/// Different patterns one answer may be made of; more are messages without any pattern.
pub const PATTERNS_SEEN_MAX: usize = 100_000;
/// Patterns in one answer.
pub const PATTERNS_LISTED_MAX: usize = 1_000;
/// Patterns that are shown with a whole record: each is one look-up.
pub const PATTERN_SAMPLES_MAX: usize = 100;
/// Stretches of time that the records of a pattern are counted in: a line as wide as a word has no room for more.
pub const PATTERN_BARS_MAX: usize = 100;
/// Findings of a comparison in one answer.
pub const FINDINGS_LISTED_MAX: usize = 100;

/// Saved views of the dashboard: more than anybody keeps an overview of.
pub const VIEWS_MAX: usize = 500;
pub const VIEW_TITLE_BYTES_MAX: usize = 200;
pub const VIEW_PAGE_BYTES_MAX: usize = 32;
/// The query string of a page's address; longer ones do not pass every proxy.
pub const VIEW_ADDRESS_BYTES_MAX: usize = 4_096;
/// Of one user: each is an entry of the audit trail.
pub const VIEW_CHANGES_PER_HOUR_MAX: u32 = 100;

/// Rules of a cluster: each is a question every few seconds.
pub const ALERT_RULES_MAX: usize = 500;
/// Channels, and silences, of a cluster: more than anybody keeps an overview of.
pub const ALERT_CHANNELS_MAX: usize = 200;
pub const ALERT_SILENCES_MAX: usize = 1_000;
/// Channels that one rule tells.
pub const ALERT_CHANNELS_PER_RULE_MAX: usize = 10;
/// Groups of one rule that are judged; those beyond, in the order of their names, are not.
pub const ALERT_GROUPS_MAX: usize = 1_000;
/// Rules and groups that are pending, firing or lately resolved; beyond, nothing new fires.
pub const ALERT_TRACKERS_MAX: usize = 10_000;
/// Incidents kept; the one resolved longest ago makes room.
pub const ALERT_INCIDENTS_MAX: usize = 2_000;
/// Transitions, and deliveries, kept of an incident; the oldest make room.
pub const ALERT_TRANSITIONS_MAX: usize = 50;
/// Messages that wait; the oldest make room and count as given up.
pub const ALERT_OUTBOX_MAX: usize = 10_000;
/// Messages kept that were delivered or given up; the oldest make room. At half a kilobyte each.
pub const ALERT_SETTLED_MAX: usize = 1_000;
/// A message that cannot be delivered is tried for so long.
pub const ALERT_DELIVERY_SECS_MAX: u64 = 86_400;
/// Name of a rule, channel, silence or label.
pub const ALERT_NAME_BYTES_MAX: usize = 64;
/// Titles, labels, notes and other lines for people.
pub const ALERT_TEXT_BYTES_MAX: usize = 1_000;
/// A message's template: Slack takes 3,000 characters a block.
pub const ALERT_TEMPLATE_BYTES_MAX: usize = 2_000;
pub const ALERT_LABELS_MAX: usize = 20;
pub const ALERT_GROUP_FIELDS_MAX: usize = 4;
pub const ALERT_RECIPIENTS_MAX: usize = 50;
pub const ALERT_HEADERS_MAX: usize = 10;

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

settings! {
    "limits";
    /// What clients may send and what a node holds of it.
    pub struct IngestLimits {
        /// Body of one request as it arrives, bytes.
        body_bytes_max: usize = 32 << 20, Integer(KIB, GIB);
        /// Body of one request after decompression, bytes: the bound on a decompression bomb.
        inflated_bytes_max: usize = 256 << 20, Integer(KIB, 4 * GIB);
        /// One record in its raw form, bytes.
        record_bytes_max: usize = 1 << 20, Integer(256, 16 * MIB);
        /// Records in one request.
        records_max: usize = 100_000, Integer(1, 1_000_000);
        /// Fields of one record after flattening.
        // A record may add this many columns to a chunk that is not full yet.
        fields_max: usize = 512, Integer(1, CHUNK_COLUMNS_MAX as i64 / 2);
        /// Nesting of a record.
        // Objects are read by recursion.
        depth_max: usize = 16, Integer(1, 64);
        /// A field's name after flattening, bytes.
        field_name_bytes_max: usize = 256, Integer(16, 4 * KIB);
        /// A service's name, bytes.
        service_bytes_max: usize = 128, Integer(1, KIB);
        /// Raw bytes of records that are between the edge and the acknowledgement, on this node; above it: 429.
        in_flight_bytes_max: usize = 128 << 20, Integer(MIB, 64 * GIB);
        /// Records per second and service; 0 means no limit.
        service_records_per_sec: u64 = 0, Integer(0, 1_000_000_000), like "50000";
        /// Records a service may send at once above its rate; 0 means one second's worth.
        service_burst_records: u64 = 0, Integer(0, 1_000_000_000), like "100000";
        /// Different services that one partition takes within an hour; each costs a detector and a shard. Above it: 429.
        // Some KiB each.
        services_max: usize = 4_096, Integer(1, 65_536);
        /// How far in the future a timestamp may lie, seconds: a wrong clock must not hide today's logs.
        // Ten years: more is no limit.
        future_secs_max: u64 = 24 * 3_600, Integer(0, 315_360_000);
    }
}
