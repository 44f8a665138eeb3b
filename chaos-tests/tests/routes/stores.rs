//! The lines of routes that clients of other log stores know: many paths that are answered alike.

use super::table::{Line, SEND, get, post, put};

/// What clients of Elasticsearch ask or set up: the path as the document names it, and as it is asked.
const PROBES: [(&str, &str); 15] = [
    ("/_license", "/_license"),
    ("/_cluster/health", "/_cluster/health"),
    ("/_cat/health", "/_cat/health"),
    ("/_xpack", "/_xpack"),
    ("/_nodes", "/_nodes"),
    ("/_nodes/{rest}", "/_nodes/http"),
    ("/_ilm/policy/{rest}", "/_ilm/policy/logs"),
    ("/_index_template/{rest}", "/_index_template/logs"),
    ("/_component_template/{rest}", "/_component_template/logs"),
    ("/_template/{rest}", "/_template/logs"),
    ("/_ingest/pipeline/{rest}", "/_ingest/pipeline/logs"),
    ("/_data_stream/{rest}", "/_data_stream/logs"),
    ("/_alias/{rest}", "/_alias/logs"),
    ("/_refresh", "/_refresh"),
    ("/{index}/_refresh", "/logs/_refresh"),
];
const BULKS: [(&str, &str); 5] = [
    ("/_bulk", "/_bulk"),
    ("/_bulk/", "/_bulk/"),
    ("/{index}/_bulk", "/logs/_bulk"),
    ("/elasticsearch/_bulk", "/elasticsearch/_bulk"),
    ("/elasticsearch/{index}/_bulk", "/elasticsearch/logs/_bulk"),
];
const PUSHES: [&str; 2] = ["/loki/api/v1/push", "/api/prom/push"];
const DOCUMENT: &str = "{\"index\":{}}\n{\"message\":\"charge declined\"}\n";
/// Without entries, for what is old is refused.
const PUSH: &str = r#"{"streams": [{"stream": {"app": "checkout"}, "values": []}]}"#;

pub(crate) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (path, target) in PROBES {
        for prefix in ["", "/elasticsearch"] {
            lines.extend(asked(kept(prefix, path), kept(prefix, target)));
        }
    }
    for path in ["/elasticsearch", "/elasticsearch/"] {
        lines.extend(asked(path, path));
    }
    for (path, target) in BULKS {
        lines.extend([post(path, DOCUMENT, SEND).at(target), put(path, DOCUMENT, SEND).at(target)]);
    }
    lines.extend(PUSHES.map(|path| post(path, PUSH, SEND).gives(204)));
    lines
}

/// Whether bodies and refusals of a route are in the form of the store it stands for.
pub(crate) fn speaks_for_another(path: &str) -> bool {
    BULKS.iter().any(|(bulk, _)| *bulk == path) || PUSHES.contains(&path)
}

fn asked(path: &'static str, target: &'static str) -> [Line; 3] {
    [get(path, SEND), put(path, "", SEND).empty(), post(path, "", SEND).empty()].map(|line| line.at(target))
}

/// A path for as long as the test runs.
fn kept(prefix: &str, path: &str) -> &'static str {
    Box::leak(format!("{prefix}{path}").into_boxed_str())
}
