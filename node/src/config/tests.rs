//! The configuration: defaults, what the environment overrides, and every mistake told in full.

use super::{Config, LogFormat, Profile};
use insighthub_model::limits::IngestLimits;

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(text, &variables).map_err(|error| error.to_string())
}

#[test]
fn without_a_file_a_node_is_alone_on_loopback_and_lets_nobody_in() {
    let config = parse("", &[]).unwrap();
    assert_eq!((config.cluster.partitions, config.cluster.profile), (8, Profile::Production));
    assert_eq!(config.nodes.len(), 1);
    assert_eq!(config.nodes[0].http.to_string(), "127.0.0.1:8000");
    assert_eq!(config.limits, IngestLimits::default());
    assert_eq!((config.log.format, config.storage.dir), (LogFormat::Text, None));
}

#[test]
fn few_nodes_lack_replicas_only_where_more_are_asked_for() {
    let asked = |text: &str| {
        let config = parse(text, &[]).unwrap();
        config.replicas_asked(config.cluster.replicas())
    };
    assert_eq!(asked(""), 1, "one node with the defaults is well");
    assert_eq!(asked("[cluster]\nreplicas = 3"), 3);
    assert_eq!(asked(include_str!("../../../cluster.toml")), 3);
    let three = include_str!("../../../cluster.toml").replace("replicas = 3 ", "");
    assert_eq!(asked(&three), 3, "three nodes are listed, however many are there");
}

#[test]
fn the_file_in_the_repository_is_good() {
    let config = parse(include_str!("../../../cluster.toml"), &[]).unwrap();
    assert_eq!(config.cluster.profile, Profile::Development);
}

#[test]
fn the_example_on_the_page_of_syslog_is_good() {
    let page = include_str!("../../../docs/syslog.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let config = parse(example, &[]).unwrap();
    assert!(config.nodes[0].syslog_tls.is_some() && config.syslog.authority.is_some());
    let without = example.replace("certificate =", "# certificate =").replace("key =", "# key =");
    let error = parse(&without, &[]).unwrap_err();
    assert!(error.contains("node.syslog_tls") && error.contains("syslog.certificate"), "{error}");
}

#[test]
fn a_file_sets_what_it_names_and_leaves_the_rest() {
    let text = r#"
        [cluster]
        name = "eu"
        partitions = 16
        secret = "0123456789abcdef0123456789abcdef"
        [[node]]
        name = "n1"
        http = "10.0.0.1:8000"
        peer = "10.0.0.1:7000"
        control = "10.0.0.1:7100"
        [[node]]
        name = "n2"
        http = "[::]:8000"
        peer = "10.0.0.2:7000"
        control = "10.0.0.2:7100"
        [limits]
        body_bytes_max = 1048576
        [storage]
        dir = "/var/lib/insighthub"
        head_records_max = 4096
        [raft]
        heartbeat_ms = 50
        [enrich]
        env = "staging"
        [log]
        format = "json"
    "#;
    let config = parse(text, &[]).unwrap();
    assert_eq!((config.cluster.name.as_str(), config.cluster.partitions), ("eu", 16));
    assert_eq!(config.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["n1", "n2"]);
    let limits = IngestLimits { body_bytes_max: 1 << 20, ..IngestLimits::default() };
    assert_eq!(config.limits, limits);
    assert_eq!(config.storage.dir.unwrap().to_str(), Some("/var/lib/insighthub"));
    assert_eq!((config.storage.head_records_max, config.raft.heartbeat_ms), (4096, 50));
    assert_eq!((config.enrich.env.as_deref(), config.enrich.region), (Some("staging"), None));
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn a_variable_goes_before_the_file() {
    let text = "[limits]\nrecords_max = 5\n[cluster]\nname = \"file\"";
    let variables = [
        ("INSIGHTHUB_LIMITS__RECORDS_MAX", "7"),
        ("INSIGHTHUB_RAFT__LEASE_MS", " 900 "),
        ("INSIGHTHUB_CLUSTER__NAME", "42"),
        ("INSIGHTHUB_CLUSTER__PROFILE", "development"),
        // Not ours, or no key.
        ("INSIGHTHUB_ADMIN_PASSWORD", "secret"),
        ("INSIGHTHUB_CONFIG", "cluster.toml"),
        ("OTHER_LIMITS__RECORDS_MAX", "9"),
    ];
    let config = parse(text, &variables).unwrap();
    assert_eq!((config.limits.records_max, config.raft.lease_ms), (7, 900));
    assert_eq!((config.cluster.name.as_str(), config.cluster.profile), ("42", Profile::Development));
}

#[test]
fn each_mistake_names_key_value_range_and_example() {
    let cases: [(&str, &[&str]); 32] = [
        ("[cluster]\npartitions = 0", &["cluster.partitions is 0", "from 1 to 1024", "example 8"]),
        ("[cluster]\npartitions = 1025", &["cluster.partitions is 1025", "from 1 to 1024"]),
        ("[cluster]\npartitions = \"8\"", &["cluster.partitions is \"8\"", "whole number"]),
        ("[cluster]\npartitions = 8.5", &["cluster.partitions is 8.5", "whole number"]),
        ("[cluster]\nname = \"\"", &["cluster.name is \"\"", "1 to 64 bytes"]),
        ("[cluster]\nname = \"a\\nb\"", &["cluster.name", "control characters"]),
        (
            "[cluster]\nprofile = \"prod\"",
            &["cluster.profile is \"prod\"", "\"development\", \"production\""],
        ),
        ("[cluster]\npartition = 8", &["cluster.partition is no key", "did you mean cluster.partitions?"]),
        ("[limit]\nrecords_max = 8", &["limit is no key", "did you mean limits?"]),
        ("[colours]\nred = 8", &["colours is no key of the configuration"]),
        ("[limits]\nbody_bytes_max = \"32MB\"", &["limits.body_bytes_max is \"32MB\"", "example 33554432"]),
        ("[limits]\ndepth_max = 65", &["limits.depth_max is 65", "from 1 to 64"]),
        ("[limits]\nfields_max = 4000", &["limits.fields_max is 4000", "from 1 to 2048"]),
        ("[limits]\ninflated_bytes_max = 2000", &["limits.record_bytes_max is 1048576", "at most"]),
        ("limits = 3", &["limits is 3", "a section", "[limits]"]),
        ("[node]\nname = \"n1\"", &["node is a single section", "[[node]]"]),
        ("[[node]]\nname = \"n1\"", &["node.http is missing", "IP address and a port"]),
        (
            "[[node]]\nname = \"n1\"\nhttp = \"localhost:1\"",
            &["node.http is \"localhost:1\"", "127.0.0.1:8000"],
        ),
        (
            "[[node]]\nname=\"a\"\nhttp=\"127.0.0.1:1\"\n[[node]]\nname=\"a\"\nhttp=\"127.0.0.1:2\"",
            &["node.name is \"a\"", "another value for each node"],
        ),
        (
            "[storage]\nwal_bytes_max = 67108864",
            &["storage.wal_bytes_max is 67108864", "4 x storage.wal_segment_bytes"],
        ),
        ("[raft]\nheartbeat_ms = 400", &["raft.lease_ms is 300", "2 x raft.heartbeat_ms (400)"]),
        (
            "[[node]]\nname=\"a\"\nhttp=\"127.0.0.1:1\"\n[[node]]\nname=\"b\"\nhttp=\"127.0.0.1:2\"",
            &["node.peer is missing", "an address for a", "several nodes"],
        ),
        (
            "[[node]]\nname=\"a\"\nhttp=\"127.0.0.1:1\"\npeer=\"10.0.0.1:7000\"",
            &["cluster.secret is missing", "beyond loopback"],
        ),
        (
            "[[node]]\nname=\"a\"\nhttp=\"127.0.0.1:1\"\npeer=\"127.0.0.1:1\"",
            &["node.peer is \"127.0.0.1:1\"", "another value for each node"],
        ),
        ("[cluster]\nsecret = \"hunter2\"", &["cluster.secret is 7 bytes long", "at least 32"]),
        ("[peer_tls]\nkey = \"n1.key\"", &["peer_tls is 1 of 3 files", "or none of them"]),
        ("[http]\ncertificate = \"site.pem\"", &["http.key is missing", "because http.certificate is set"]),
        ("[http]\nkey = \"site.key\"", &["http.certificate is missing", "because http.key is set"]),
        (
            "[http]\nallowed_origins = \"https://a.example, *\"",
            &["http.allowed_origins", "\"*\" in it", "without a path"],
        ),
        ("[http]\nconnections_max = 1", &["http.connections_max is 1", "from 16 to 1000000"]),
        ("[log]\nformat = \"xml\"", &["log.format is \"xml\"", "\"text\", \"json\""]),
        ("[cluster\nname", &["the configuration is not TOML", "line 1"]),
    ];
    for (text, parts) in cases {
        let error = parse(text, &[]).unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{text:?} says: {error}");
        }
    }
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    for (name, value, parts) in [
        (
            "INSIGHTHUB_RAFT__HEARTBEAT_MS",
            "fast",
            ["INSIGHTHUB_RAFT__HEARTBEAT_MS is \"fast\"", "10 to 10000"],
        ),
        (
            "INSIGHTHUB_RAFT__HEARTBEAT",
            "9",
            ["INSIGHTHUB_RAFT__HEARTBEAT is no key", "INSIGHTHUB_RAFT__HEARTBEAT_MS?"],
        ),
        ("INSIGHTHUB_NODE__HTTP", "1.2.3.4:5", ["INSIGHTHUB_NODE__HTTP is no key", ""]),
    ] {
        let error = parse("", &[(name, value)]).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{name}={value} says: {error}");
    }
}

#[test]
fn the_development_profile_stays_on_loopback() {
    let file = |profile: &str, http: &str| {
        format!("[cluster]\nprofile = \"{profile}\"\n[[node]]\nname = \"n1\"\nhttp = \"{http}\"")
    };
    for (profile, http, taken) in [
        ("development", "127.0.0.1:8000", true),
        ("development", "127.9.9.9:0", true),
        ("development", "[::1]:8000", true),
        ("development", "0.0.0.0:8000", false),
        ("development", "[::]:8000", false),
        ("development", "192.168.1.4:8000", false),
        ("production", "0.0.0.0:8000", true),
    ] {
        let outcome = parse(&file(profile, http), &[]);
        assert_eq!(outcome.is_ok(), taken, "{profile} {http}: {outcome:?}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let missing = std::path::Path::new("/nowhere/cluster.toml");
    let error = Config::load(Some(missing)).unwrap_err().to_string();
    assert!(error.contains("cannot read the configuration /nowhere/cluster.toml"), "{error}");
}
