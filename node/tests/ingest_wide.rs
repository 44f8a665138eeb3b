//! Many different field names cost no more memory than their bytes pay for. Alone in its file: the
//! process's peak memory is the measure.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use insighthub_model::Timestamp;
use insighthub_model::limits::{IngestLimits, REJECTIONS_LISTED_MAX};
use insighthub_model::routing::HomeRoutes;
use insighthub_node::ingest::{BodyFormat, RequestContext, parse_request};

const MIB: usize = 1 << 20;

/// The most memory this process ever held, bytes.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn names_that_differ_in_each_record_cost_no_memory() {
    let members: Vec<String> = (0..500).map(|at| format!("\"{at}\":1")).collect();
    let members = members.join(",");
    let mut body = String::new();
    while body.len() < 16 * MIB {
        let name = format!("{:0>240}", body.len());
        let service = body.len() % 1_000;
        body.push_str(&format!(
            "{{\"service\":\"s{service}\",\"message\":\"m\",\"{name}\":{{{members}}}}}\n"
        ));
    }
    let limits = IngestLimits::default();
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits: &limits,
        partitions: 256,
        routes: &HomeRoutes { partitions: 256 },
        now: Timestamp(0),
        origin: "http",
        token_service: None,
        enrich: &[],
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    let before = peak_bytes();
    let parsed = parse_request(body.as_bytes(), BodyFormat::Detect, &context).unwrap();
    assert!(parsed.accepted > 50 && parsed.rejected > 1_000, "{} {}", parsed.accepted, parsed.rejected);
    assert!(parsed.rejections[0].reason.contains("too many different field names"));
    assert!(peak_bytes() - before < 160 * MIB, "{} MiB", (peak_bytes() - before) / MIB);
}
