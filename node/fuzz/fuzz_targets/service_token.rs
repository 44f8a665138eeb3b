//! Any text as a bearer token: what is taken for a service token has its form, and two of the same id and hash are the
//! same.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run service_token fuzz/corpus-service_token -- -max_total_time=60`

#![no_main]

use insighthub_node::access::token;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some((id, hash)) = token::read(text) else { return };
    assert!(token::is_service_token(text), "{text:?} is read and is none");
    assert!(text.contains(&id), "{text:?} has the id {id:?}");
    assert!(token::same_hash(&hash, &hash), "a hash is the same as itself");
});
