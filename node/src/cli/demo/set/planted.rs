//! What is put into every set so that a search for something rare has an answer that is known.

/// The phrase of which every set of ten records or more holds exactly [`PHRASES`]. Each of its words is in
/// many other messages: no filter of words alone can tell them apart.
#[cfg(test)]
pub(crate) const PHRASE: &str = "ledger checksum mismatch";
pub(crate) const PHRASES: u64 = 10;
pub(super) const PHRASE_MESSAGE: &str =
    "ledger checksum mismatch in batch {uuid}: expected {hex16}, found {hex16}";

/// The trace of one order, placed halfway through every set. The id is the example of W3C Trace Context.
pub(super) const TRACE_ID: (u64, u64) = (0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736);
#[cfg(test)]
pub(crate) const TRACE_ID_TEXT: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// Its request: POST /api/orders, which crosses seven services.
pub(super) const TRACE_ROUTE: usize = 9;

/// How many records come before this one of the phrases; never, when all are there.
pub(super) fn phrase_turn(number: u64, records: u64) -> u64 {
    if number >= PHRASES { u64::MAX } else { (2 * number + 1).saturating_mul(records) / (2 * PHRASES) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_holds_the_phrase() {
        assert!(PHRASE_MESSAGE.starts_with(PHRASE));
    }

    #[test]
    fn the_trace_is_one_id_in_two_forms() {
        assert_eq!(format!("{:016x}{:016x}", TRACE_ID.0, TRACE_ID.1), TRACE_ID_TEXT);
    }
}
