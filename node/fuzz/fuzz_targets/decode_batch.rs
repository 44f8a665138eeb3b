//! Any bytes as a batch, as it comes from the log or from a peer: nothing panics, and what is read can be looked at row by
//! row and written again to bytes that read to the same.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run decode_batch fuzz/corpus-batch -- -max_total_time=60 -max_len=4096`

#![no_main]

use insighthub_model::batch::{decode, encode};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(batch) = decode(input) else { return };
    for row in 0..batch.len() {
        let view = batch.view(row).expect("every row can be looked at");
        let text = view.service().len() + view.message().len();
        assert!(text <= input.len(), "what is shown was there");
        view.fields().for_each(|(name, _)| assert!(batch.columns(name).next().is_some()));
    }
    assert!(batch.view(batch.len()).is_none());
    let written = encode(&batch);
    let again = decode(&written).expect("what was written can be read");
    assert!(encode(&again) == written, "a batch is written alike");
});
