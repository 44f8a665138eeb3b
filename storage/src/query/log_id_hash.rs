//! The hash that samples are drawn by: the same for a record wherever it lies, so a smaller sample is part of a
//! larger one. The mixing of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014):
//! a question hashes every record it may draw.

use insighthub_model::LogId;

#[inline]
pub(super) fn log_id_hash(log_id: LogId) -> u64 {
    // Offsets leave the upper bits to the partition for some years of ten million records a second.
    let mut mixed = log_id.offset ^ u64::from(log_id.partition.0) << 48;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
