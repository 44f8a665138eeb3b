//! Any JSON as a rule or a channel, any text as a template: nothing panics, what is taken can be asked and shown, and
//! no secret is.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run alert_message fuzz/corpus-alert_message -- -max_total_time=60`

#![no_main]

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Channel, Notice, Rule};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(rule) = serde_json::from_slice::<Rule>(input)
        && rule.check().is_ok()
    {
        drop((rule.expression(), rule.service_of_filter()));
    }
    if let Ok(channel) = serde_json::from_slice::<Channel>(input) {
        drop((channel.check(), channel.receiver()));
        drop(channel.clone().with_secrets_of(Some(&channel)));
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut notice = Notice::test("fuzzed", Timestamp(1_764_670_202_000_000_000));
    notice.template = Some(text.to_owned());
    let lines = insighthub_model::alerts::render(&notice, "https://logs.example/");
    assert!(lines.len() <= text.lines().count(), "a template gives no more lines than it has");
});
