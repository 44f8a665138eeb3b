//! Who is let in, on every node: what one node is told of users and tokens holds on all of them at once, and what people did is
//! written down the same everywhere.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::command_line::{as_admin, insighthub};
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::live_tail::LiveTail;
use serde_json::{Value, json};

/// A change is to be heard of within a second; debug builds on two cores are given more.
const HEARD_WITHIN: Duration = Duration::from_secs(5);
const PASSWORD: &str = "a canary of a password";
const OTHER_PASSWORD: &str = "another canary, as long";
/// An empty frame comes every five seconds.
const FRAME_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_for_a_user_changes_on_every_node() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let admin = cluster.node(0)?.admin();
    let eve = json!({ "name": "eve", "role": "viewer", "password": PASSWORD });
    admin.post_json("/api/users", &eve).await?.expect(201)?;
    admin.post_json("/api/users", &eve).await?.expect(409)?;
    let short = json!({ "name": "bob", "role": "viewer", "password": "too short" });
    let refused = admin.post_json("/api/users", &short).await?;
    ensure!(refused.status == 400 && refused.error("message").contains("12 characters"), "{}", refused.text);

    let secret = sign_in(cluster.node(1)?, PASSWORD).await?;
    for node in &cluster.nodes {
        let own = Api::new(&node.url())?.bearing(&secret);
        wait_until("a session holds on every node", HEARD_WITHIN, || async { own.is_in().await }).await?;
        for path in ["/api/users", "/api/tokens", "/api/audit"] {
            own.get(path, &[]).await?.expect(403)?;
        }
        let token = json!({ "service": "checkout", "name": "not hers to make" });
        own.post_json("/api/tokens", &token).await?.expect(403)?;
    }

    let role = json!({ "role": "admin" });
    ends_sessions(&cluster, &secret, "another role", async {
        admin.patch_json("/api/users/eve", &role).await?.expect(204)
    })
    .await?;
    let secret = sign_in(cluster.node(2)?, PASSWORD).await?;
    let own = Api::new(&cluster.node(2)?.url())?.bearing(&secret);
    ends_sessions(&cluster, &secret, "another password", async {
        let change = json!({ "current": PASSWORD, "new": OTHER_PASSWORD });
        own.post_json("/api/session/password", &change).await?.expect(204)
    })
    .await?;
    for node in &cluster.nodes {
        ensure!(sign_in(node, PASSWORD).await.is_err(), "the old password opens {}", node.name);
    }
    let secret = sign_in(cluster.node(0)?, OTHER_PASSWORD).await?;
    ends_sessions(&cluster, &secret, "the end of the user", async {
        cluster.node(1)?.admin().delete("/api/users/eve").await?.expect(204)
    })
    .await?;
    for node in &cluster.nodes {
        ensure!(sign_in(node, OTHER_PASSWORD).await.is_err(), "a user who is gone signs in at {}", node.name);
    }
    let last = admin.delete("/api/users/admin").await?;
    ensure!(last.status == 409 && last.error("code") == "last_admin", "{}", last.text);
    trail_is_whole(&cluster, &["user.create", "user.set_role", "user.set_password", "user.delete"]).await?;
    cluster.keeps_to_itself(&[PASSWORD, OTHER_PASSWORD, &secret]).await
}

/// Views are everybody's to see and their maker's to change; a restart of all nodes keeps them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_belong_to_who_made_them_on_every_node() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let admin = cluster.node(0)?.admin();
    for name in ["eve", "bob"] {
        let user = json!({ "name": name, "role": "viewer", "password": PASSWORD });
        admin.post_json("/api/users", &user).await?.expect(201)?;
    }
    let as_user = |node: usize, user: &str| -> Result<Api> {
        Ok(Api::new(&cluster.node(node)?.url())?.signed_in(user, PASSWORD))
    };
    let view = json!({ "title": "Slow", "page": "explore", "address": "q=latency_ms%3A%3E500" });
    let made = as_user(1, "eve")?.put_json("/api/views/slow", &view).await?;
    made.expect(200)?;
    ensure!(made.json["made_by"] == json!("eve") && made.json["address"] == view["address"], "{}", made.text);
    let shown = |expected: Value| {
        let cluster = &cluster;
        async move {
            for node in &cluster.nodes {
                wait_until("every node shows the views", HEARD_WITHIN, || async {
                    let views = node.admin().get("/api/views", &[]).await;
                    views.is_ok_and(|answer| answer.json["views"] == expected)
                })
                .await?;
            }
            Ok::<(), anyhow::Error>(())
        }
    };
    shown(json!([made.json])).await?;

    let refused = as_user(2, "bob")?.put_json("/api/views/slow", &view).await?;
    ensure!(
        refused.status == 403 && refused.error("message").contains("made by \"eve\""),
        "{}",
        refused.text
    );
    as_user(2, "bob")?.delete("/api/views/slow").await?.expect(403)?;
    as_user(2, "bob")?.delete("/api/views/none").await?.expect(404)?;
    Api::new(&cluster.node(0)?.url())?.put_json("/api/views/mine", &view).await?.expect(401)?;
    for (name, wrong, field) in [
        ("slow", json!({ "title": "", "page": "explore" }), "title"),
        ("slow", json!({ "title": "Slow", "page": "../" }), "page"),
        ("slow", json!({ "title": "Slow", "page": "live", "address": "x".repeat(4_097) }), "address"),
        ("Slow", view.clone(), "name"),
    ] {
        let refused = as_user(1, "eve")?.put_json(&format!("/api/views/{name}"), &wrong).await?;
        ensure!(refused.status == 400 && refused.error("field") == field, "{}", refused.text);
    }
    let replaced = admin.put_json("/api/views/slow", &json!({ "title": "Slower", "page": "live" })).await?;
    ensure!(replaced.status == 200 && replaced.json["made_by"] == json!("eve"), "{}", replaced.text);

    for node in &cluster.nodes {
        node.stop_gracefully(Duration::from_secs(30)).await?;
    }
    for node in &cluster.nodes {
        node.launch().await?;
    }
    for node in &cluster.nodes {
        node.wait_until_ready(Duration::from_secs(60)).await?;
    }
    shown(json!([replaced.json])).await?;
    as_user(0, "eve")?.delete("/api/views/slow").await?.expect(204)?;
    shown(json!([])).await?;
    trail_is_whole(&cluster, &["view.set", "view.remove"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_gives_way_to_another_and_expires() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let admin = cluster.node(0)?.admin();
    let wanted = json!({ "service": "checkout", "name": "the shop", "expires_in_days": 30 });
    let old = admin.post_json("/api/tokens", &wanted).await?;
    let (old_id, old_secret) = (old.member("id")?, old.member("token")?);
    admin.post_json("/api/tokens", &json!({ "service": "a", "expires_in_days": 0 })).await?.expect(400)?;
    let rotated =
        admin.post_json(&format!("/api/tokens/{old_id}/rotate"), &json!({ "overlap_secs": 4 })).await?;
    rotated.expect(200)?;
    let began = Instant::now();
    let new_secret = rotated.member("token")?;
    for node in &cluster.nodes {
        let sends = |secret: &str| {
            let (url, secret) = (node.url(), secret.to_owned());
            async move { send(&url, &secret, "checkout").await.is_ok_and(|status| status == 200) }
        };
        wait_until("the new token opens", HEARD_WITHIN, || sends(&new_secret)).await?;
        if began.elapsed() < Duration::from_secs(3) {
            ensure!(sends(&old_secret).await, "the old token does not open any more at {}", node.name);
        }
        let status = send(&node.url(), &new_secret, "payment").await?;
        ensure!(status == 400, "a token of checkout writes as payment: {status}");
    }
    for node in &cluster.nodes {
        let is_refused =
            || async { send(&node.url(), &old_secret, "checkout").await.is_ok_and(|status| status == 401) };
        wait_until("the old token is refused", Duration::from_secs(20), is_refused).await?;
    }
    let is_seen = || async {
        let listed = admin.get("/api/tokens", &[]).await.map(|answer| answer.json).unwrap_or_default();
        let tokens = listed.get("tokens").and_then(Value::as_array).cloned().unwrap_or_default();
        tokens.len() == 2 && tokens.iter().all(|token| token.get("last_used").is_some_and(Value::is_string))
    };
    wait_until("it is known when tokens were used", Duration::from_secs(60), is_seen).await?;
    trail_is_whole(&cluster, &["token.create", "token.rotate"]).await?;
    cluster.keeps_to_itself(&[&old_secret, &new_secret]).await
}

/// A session ends on every node, and a live tail with it.
async fn ends_sessions(
    cluster: &Cluster,
    secret: &str,
    by: &str,
    change: impl Future<Output = Result<()>>,
) -> Result<()> {
    let own: Vec<Api> =
        cluster.nodes.iter().map(|node| Ok(Api::new(&node.url())?.bearing(secret))).collect::<Result<_>>()?;
    for api in &own {
        wait_until("a session holds on every node", HEARD_WITHIN, || api.is_in()).await?;
    }
    let mut tail = LiveTail::open_as(&cluster.node(2)?.url(), secret).await?;
    tail.next(FRAME_WITHIN).await?;
    change.await?;
    let began = Instant::now();
    for api in &own {
        wait_until(&format!("{by} ends the session"), HEARD_WITHIN, || async { !api.is_in().await }).await?;
    }
    let refused = began.elapsed();
    let closed = loop {
        match tail.next(FRAME_WITHIN).await {
            Ok(_) => ensure!(began.elapsed() < HEARD_WITHIN, "{by} does not close the live tail"),
            Err(error) => break error.to_string(),
        }
    };
    ensure!(closed.contains("the session has ended"), "the live tail ended otherwise: {closed}");
    println!("{by}: refused on every node after {refused:?}, live tail closed after {:?}", began.elapsed());
    Ok(())
}

/// Every node has the same trail, in which these deeds are; a changed byte shows.
async fn trail_is_whole(cluster: &Cluster, actions: &[&str]) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let export = |node: &Node| insighthub(&["audit", "export"], &as_admin(&node.url()))?.accepted();
    let trail = export(cluster.node(0)?)?;
    for node in &cluster.nodes {
        ensure!(export(node)? == trail, "{} has another trail", node.name);
    }
    for action in actions {
        ensure!(trail.contains(&format!("\"action\":\"{action}\"")), "no {action} in {trail}");
    }
    let path = directory.path().join("audit.ndjson");
    let path_text = path.to_str().context("a path")?;
    std::fs::write(&path, &trail)?;
    insighthub(&["audit", "verify", path_text], &[])?.accepted()?;
    std::fs::write(&path, trail.replacen("\"user\":\"admin\"", "\"user\":\"nobody\"", 1))?;
    let said = insighthub(&["audit", "verify", path_text], &[])?.refused()?;
    ensure!(said.contains("was changed"), "{said}");
    Ok(())
}

/// The secret of a new session of eve.
async fn sign_in(node: &Node, password: &str) -> Result<String> {
    let body = json!({ "user": "eve", "password": password });
    let answer = Api::new(&node.url())?.post_json("/api/login", &body).await?;
    answer.expect(200)?;
    let cookie =
        answer.headers.get("set-cookie").and_then(|value| value.to_str().ok()).context("no cookie")?;
    ensure!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let value = cookie.split(';').next().and_then(|pair| pair.split_once('=')).context("no cookie")?.1;
    Ok(value.to_owned())
}

async fn send(url: &str, secret: &str, service: &str) -> Result<u16> {
    let bearer = format!("Bearer {secret}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let line = json!({ "service": service, "message": "sent with a token" }).to_string();
    Ok(Api::new(url)?.ingest(&headers, line.into_bytes()).await?.status)
}
