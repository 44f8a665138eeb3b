//! Pages that one node has served go on at another: each node lets the pages of the others in, and nobody else's.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use reqwest::{Client, Method, Response};
use serde_json::json;

const ALLOWED: &str = "access-control-allow-origin";

/// Asks a node as a page of some origin does.
async fn as_page(node: &Node, method: Method, path: &str, origin: &str) -> Result<Response> {
    let mut request =
        Client::new().request(method.clone(), format!("{}{path}", node.url())).header("origin", origin);
    if method == Method::OPTIONS {
        request = request.header("access-control-request-method", "PUT");
        request = request.header("access-control-request-headers", "content-type");
    } else if method == Method::POST {
        request = request.json(&json!({ "service": "page", "level": "INFO", "message": "from a page" }));
    }
    Ok(request.send().await?)
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_one_node_is_let_in_by_the_others_and_no_other_page_is() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let node = cluster.node(0)?;
    for other in [cluster.node(1)?, cluster.node(2)?] {
        let origin = other.url().trim_end_matches('/').to_owned();
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let path = if method == Method::GET { "/api/cluster" } else { "/api/logs" };
            let answer = as_page(node, method.clone(), path, &origin).await?;
            ensure!(answer.status().is_success(), "{method} from {origin}: {}", answer.status());
            ensure!(header(&answer, ALLOWED) == origin, "{method} from {origin}: {:?}", answer.headers());
            ensure!(header(&answer, "access-control-allow-credentials") == "true", "{:?}", answer.headers());
        }
        // What is refused is told as well, or the page could not say why.
        let refused = as_page(node, Method::GET, "/api/nothing", &origin).await?;
        ensure!(refused.status() == 404 && header(&refused, ALLOWED) == origin, "{:?}", refused.headers());
    }
    strangers_are_kept_out(&cluster).await?;
    pages_may_connect_to_the_cluster_alone(&cluster).await
}

async fn strangers_are_kept_out(cluster: &Cluster) -> Result<()> {
    let (node, other) = (cluster.node(0)?, cluster.node(1)?.url());
    let other = other.trim_end_matches('/');
    let strangers = [
        "https://evil.example".to_owned(),
        other.replace("http://", "https://"),
        format!("{other}0"),
        format!("{other}.evil.example"),
        other.replace("127.0.0.1", "127.0.0.2"),
        "http://127.0.0.1:1".to_owned(),
        "null".to_owned(),
    ];
    for origin in strangers {
        let posted = as_page(node, Method::POST, "/api/logs", &origin).await?;
        ensure!(posted.status() == 403, "a change from {origin}: {}", posted.status());
        for method in [Method::GET, Method::OPTIONS] {
            let answer = as_page(node, method.clone(), "/api/cluster", &origin).await?;
            ensure!(header(&answer, ALLOWED).is_empty(), "{method} from {origin}: {:?}", answer.headers());
        }
    }
    Ok(())
}

/// The content security policy names the other nodes as the browser reaches them, and nothing else.
async fn pages_may_connect_to_the_cluster_alone(cluster: &Cluster) -> Result<()> {
    let node = cluster.node(0)?.url();
    let ports: Vec<String> =
        cluster.nodes.iter().filter_map(|node| Some(port(&node.url())?.to_owned())).collect();
    let own = port(&node).context("the node has no port")?;
    for name in ["127.0.0.1", "localhost"] {
        let request = Client::new().get(&node).header("host", format!("{name}:{own}"));
        let policy = header(&request.send().await?, "content-security-policy");
        let connect = policy.split("; ").find(|part| part.starts_with("connect-src")).unwrap_or_default();
        let mut expected = "connect-src 'self'".to_owned();
        for port in ports.iter().filter(|port| *port != own) {
            expected.push_str(&format!(" http://{name}:{port} ws://{name}:{port}"));
        }
        ensure!(connect == expected, "{connect:?}, not {expected:?}");
    }
    Ok(())
}

fn port(url: &str) -> Option<&str> {
    url.trim_end_matches('/').rsplit(':').next()
}
