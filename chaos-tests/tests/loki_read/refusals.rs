//! What cannot be answered is said, with the place in the query, where Grafana shows it; and who may read.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{ADMIN_PASSWORD, Cluster};
use serde_json::json;

use super::sent::{end, start};

pub(crate) async fn check(api: &Api) -> Result<()> {
    let (from, to) = (start().to_string(), end().to_string());
    let span = [("start", from.as_str()), ("end", to.as_str())];
    for (path, parameters, said) in [
        ("query_range", vec![], "query is missing"),
        ("query_range", vec![("query", "{a=\"b\"")], "parse error at line 1, col 7"),
        (
            "query_range",
            vec![("query", "{a=\"b\"}\n| jsn")],
            "parse error at line 2, col 3: there is no stage \"jsn\"",
        ),
        ("query_range", vec![("query", "rate_counter({} | unwrap x [1m])")], "rate_counter is not supported"),
        (
            "query_range",
            vec![("query", "{} |= ip(\"10.0.0.0/33\")")],
            "parse error at line 1, col 10: expected an address",
        ),
        ("query_range", vec![("query", "rate({} | distinct host [1m])")], "distinct is of records"),
        (
            "query_range",
            vec![("query", "{}"), ("limit", "5001")],
            "limit is \"5001\": it must be a number from 1 to 5000",
        ),
        ("query_range", vec![("query", "{}"), ("limit", "0")], "limit"),
        ("query_range", vec![("query", "{}"), ("direction", "sideways")], "backward or forward"),
        ("query_range", vec![("query", "rate({}[1m])"), ("step", "10ms")], "more than 11000 points"),
        ("query_range", vec![("query", "rate({}[1m])"), ("step", "often")], "step"),
        ("query", vec![("query", "{}")], "records have no one moment"),
        ("query", vec![("query", "rate({}[1m]) / on (region) rate({}[1m])")], ""),
        (
            "query",
            vec![("query", "count_over_time({}[1h]) + on (level) count_over_time({}[1h])"), ("time", &to)],
            "aggregate",
        ),
        ("query", vec![("query", "vector(1)"), ("time", "soon")], "time is \"soon\""),
        ("labels", vec![("query", "rate({}[1m])")], "no metric"),
        ("series", vec![("match[]", "{")], "parse error"),
        ("index/volume", vec![("aggregateBy", "colour")], "series or labels"),
        ("format_query", vec![("query", "{a=")], "parse error"),
    ] {
        let answer = api.get(&format!("/loki/api/v1/{path}"), &[&span[..], &parameters].concat()).await?;
        if said.is_empty() {
            continue;
        }
        ensure!(answer.status == 400, "{path} {parameters:?}: {} {}", answer.status, answer.text);
        let message = answer.json["message"].as_str().context("no sentence at the top")?;
        ensure!(message.contains(said), "{path} {parameters:?}: {message}");
        ensure!(answer.json["status"] == "error" && answer.error("message") == message, "{}", answer.text);
    }
    let answer =
        api.get("/loki/api/v1/query_range", &[("query", "{}"), ("start", &to), ("end", &from)]).await?;
    ensure!(answer.status == 400 && answer.error("field") == "start", "{}", answer.text);
    // A plain request where a WebSocket is expected.
    let answer = api.get("/loki/api/v1/tail", &[("query", "{}")]).await?;
    ensure!([400, 426].contains(&answer.status), "{} {}", answer.status, answer.text);
    Ok(())
}

/// A user with a password, or a token that may read; nobody else.
pub(crate) async fn check_credentials(cluster: &Cluster) -> Result<()> {
    let node = cluster.node(0)?;
    let made = |scopes: serde_json::Value| async move {
        let answer = node.admin().post_json("/api/tokens", &json!({ "scopes": scopes })).await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
        answer.member("token")
    };
    let (reads, writes) = (made(json!(["read"])).await?, made(json!(["write"])).await?);
    let nobody = Api::new(&node.url())?;
    for (api, status) in [
        (nobody.clone(), 401),
        (nobody.clone().bearing(&writes), 403),
        (nobody.clone().bearing(&reads), 200),
        (nobody.clone().signed_in("admin", ADMIN_PASSWORD), 200),
    ] {
        for path in ["query?query=vector(1)%2Bvector(1)", "labels", "drilldown-limits", "status/buildinfo"] {
            let answer = api.get(&format!("/loki/api/v1/{path}"), &[]).await?;
            ensure!(
                answer.status == status,
                "{path}: {} instead of {status}: {}",
                answer.status,
                answer.text
            );
        }
    }
    let ready = nobody.get("/ready", &[]).await?;
    ensure!(ready.status == 200, "{} {}", ready.status, ready.text);
    Ok(())
}
