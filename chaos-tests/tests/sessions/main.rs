//! Sessions: what somebody carries, what ends it, who cannot make one, and that a node which hears nothing lets nobody in.

mod provider;
mod signing_in;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::node::Node;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::live_tail::LiveTail;
use serde_json::{Value, json};

const PASSWORD: &str = "a canary of a password";
const HEARD_WITHIN: Duration = Duration::from_secs(5);
const FRAME_WITHIN: Duration = Duration::from_secs(20);
/// A node that is cut off says so before a client gives up.
const REFUSED_WITHIN: Duration = Duration::from_secs(8);

/// A cluster with a viewer named eve. Who shows no credentials may look here; who shows some is held to them.
pub(crate) async fn cluster_of_eve(more: &[(&str, String)]) -> Result<Cluster> {
    let mut options = ClusterOptions::default();
    options.environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let cluster = Cluster::start(&options).await?;
    let eve = json!({ "name": "eve", "role": "viewer", "password": PASSWORD });
    cluster.node(0)?.admin().post_json("/api/users", &eve).await?.expect(201)?;
    Ok(cluster)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_refreshed_and_cannot_be_made_up() -> Result<()> {
    let cluster = cluster_of_eve(&[]).await?;
    let (one, other) = (cluster.node(0)?, cluster.node(1)?);
    let (access, refresh) = bearer(one).await?;
    let own = |node: &Node, token: &str| Ok::<_, anyhow::Error>(Api::new(&node.url())?.bearing(token));
    // At once: a balancer in front of the nodes waits for nothing.
    for round in 0..20 {
        let (access, _) = if round == 0 { (access.clone(), String::new()) } else { bearer(one).await? };
        for node in cluster.nodes.iter().rev() {
            own(node, &access)?.get("/api/session", &[]).await?.expect(200)?;
        }
    }
    let tampered = tampered(&access)?;
    for token in &tampered {
        for node in &cluster.nodes {
            own(node, token)?.get("/api/logs", &[]).await?.expect(401)?;
        }
    }
    println!("{} tokens that nobody gave out: refused on every node", tampered.len());

    let anybody = Api::new(&other.url())?;
    let refreshed = anybody.post_json("/api/session/refresh", &json!({ "refresh_token": refresh })).await?;
    refreshed.expect(200)?;
    let (next_access, next_refresh) = (refreshed.member("access_token")?, refreshed.member("refresh_token")?);
    ensure!(next_refresh != refresh, "the refresh secret is the same");
    own(other, &next_access)?.get("/api/session", &[]).await?.expect(200)?;
    // Another tab, or an answer that was lost: the old secret is good for a moment, and gives no other one.
    let late = anybody.post_json("/api/session/refresh", &json!({ "refresh_token": refresh })).await?;
    late.expect(200)?;
    ensure!(late.json.get("refresh_token").is_none(), "{}", late.text);
    for wrong in ["", ".", "zz.zz", &refresh[..40], &format!("{}.{}", &refresh[..32], "0".repeat(64))] {
        let answer = anybody.post_json("/api/session/refresh", &json!({ "refresh_token": wrong })).await?;
        answer.expect(401)?;
    }
    own(one, &next_access)?.post("/api/logout").await?.expect(200)?;
    let gone = anybody.post_json("/api/session/refresh", &json!({ "refresh_token": next_refresh })).await?;
    gone.expect(401)?;
    for node in &cluster.nodes {
        let own = own(node, &next_access)?;
        wait_until("a session that was ended opens nothing", HEARD_WITHIN, || async { !own.is_in().await })
            .await?;
    }
    cookies_hold(one).await?;
    guessing_is_counted_for_the_cluster(&cluster).await?;
    scopes_hold(&cluster).await?;
    cluster.keeps_to_itself(&[PASSWORD, &access, &refresh, &next_refresh]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_lets_nobody_in() -> Result<()> {
    let cluster = cluster_of_eve(&[]).await?;
    let (far, near) = (cluster.node(2)?, cluster.node(0)?);
    let (access, _) = bearer(far).await?;
    let own = Api::new(&far.url())?.bearing(&access);
    wait_until("a session holds", HEARD_WITHIN, || own.is_in()).await?;
    let mut tail = LiveTail::open_as(&far.url(), &access).await?;
    tail.next(FRAME_WITHIN).await?;

    // Asleep while the user is removed: what it knew when it fell asleep lets nobody in when it wakes.
    far.pause().await?;
    near.admin().delete("/api/users/eve").await?.expect(204)?;
    // What it had heard before is good for half a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    far.resume().await?;
    let asked = Instant::now();
    let first = own.get("/api/session", &[]).await?;
    ensure!(first.status != 200, "a node that woke up lets in somebody who was removed: {}", first.text);
    println!("woken up: {} after {:?}", first.status, asked.elapsed());

    let eve = json!({ "name": "eve", "role": "viewer", "password": PASSWORD });
    near.admin().post_json("/api/users", &eve).await?.expect(201)?;
    let (access, _) = bearer(far).await?;
    let own = Api::new(&far.url())?.bearing(&access);
    wait_until("a session holds", HEARD_WITHIN, || own.is_in()).await?;
    let mut tail = LiveTail::open_as(&far.url(), &access).await?;
    tail.next(FRAME_WITHIN).await?;
    for number in [0, 1] {
        for (from, to) in [(2, number), (number, 2)] {
            let cut = insighthub_chaos_tests::cluster::link::Weather { cut: true, ..Default::default() };
            cluster.links.set(from, to, cut);
        }
    }
    let began = Instant::now();
    let is_refused = || async { own.get("/api/session", &[]).await.is_ok_and(|answer| answer.status == 503) };
    wait_until("a node that is cut off lets nobody in", REFUSED_WITHIN, is_refused).await?;
    println!("cut off: refused after {:?}", began.elapsed());
    let closed = loop {
        match tail.next(FRAME_WITHIN).await {
            Ok(_) => {
                ensure!(began.elapsed() < REFUSED_WITHIN, "the live tail of a node that is cut off stays")
            }
            Err(error) => break error.to_string(),
        }
    };
    println!("live tail closed after {:?}: {closed}", began.elapsed());
    far.admin().get("/api/logs", &[]).await?.expect(503)?;
    near.admin().get("/api/session", &[]).await?.expect(200)?;
    cluster.links.heal();
    wait_until("back again, it lets in whom it should", Duration::from_secs(20), || own.is_in()).await
}

/// What a browser keeps, and what another site can do with it.
async fn cookies_hold(node: &Node) -> Result<()> {
    let anybody = Api::new(&node.url())?;
    let answer = anybody.post_json("/api/login", &json!({ "user": "eve", "password": PASSWORD })).await?;
    answer.expect(200)?;
    ensure!(answer.json.get("access_token").is_none(), "a browser is told what its scripts must not see");
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    ensure!(cookies.len() == 2, "{cookies:?}");
    for cookie in &cookies {
        ensure!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    }
    ensure!(
        cookies
            .iter()
            .any(|cookie| cookie.contains("insighthub_refresh") && cookie.contains("Path=/api/session;"))
    );
    let pairs: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    let sent = pairs.join("; ");
    let own_origin = node.url();
    let cases: [(&[(&str, &str)], u16); 6] = [
        (&[], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("origin", own_origin.trim_end_matches('/'))], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
    ];
    for (headers, status) in cases {
        let mut all = vec![("cookie", sent.as_str())];
        all.extend(headers);
        let answer = anybody.post_with("/api/session/refresh", &all).await?;
        ensure!(answer.status == status, "{headers:?}: {} {}", answer.status, answer.text);
    }
    Ok(())
}

async fn guessing_is_counted_for_the_cluster(cluster: &Cluster) -> Result<()> {
    let wrong = json!({ "user": "eve", "password": "not the password of eve" });
    let mut refused = 0;
    for attempt in 0..12 {
        let node = cluster.node(attempt % 3)?;
        let answer = Api::new(&node.url())?.post_json("/api/login", &wrong).await?;
        match answer.status {
            401 => ensure!(refused == 0, "a password is looked at after one was not"),
            429 => refused += 1,
            status => anyhow::bail!("{status}: {}", answer.text),
        }
    }
    ensure!((1..=2).contains(&refused), "{refused} of 12 attempts were refused unseen");
    for node in &cluster.nodes {
        let right = json!({ "user": "eve", "password": PASSWORD });
        let answer = Api::new(&node.url())?.post_json("/api/login", &right).await?;
        answer.expect(429)?;
        ensure!(answer.says_when_to_retry(), "{:?}", answer.headers);
        // From where it comes is not what the client says.
        let elsewhere = [("x-forwarded-for", "198.51.100.9"), ("content-type", "application/json")];
        let answer = Api::new(&node.url())?.post_body("/api/login", &elsewhere, right.to_string()).await?;
        answer.expect(429)?;
    }
    cluster.node(1)?.admin().get("/api/session", &[]).await?.expect(200)
}

/// Tokens open what they are for.
async fn scopes_hold(cluster: &Cluster) -> Result<()> {
    let node = cluster.node(0)?;
    let create = async |body: Value| {
        let made = node.admin().post_json("/api/tokens", &body).await?;
        made.expect(200)?;
        made.member("token")
    };
    for (body, field) in [
        (json!({ "scopes": [] }), "scopes"),
        (json!({ "scopes": ["read"], "service": "checkout" }), "scopes"),
        (json!({ "service": "" }), "service"),
    ] {
        let refused = node.admin().post_json("/api/tokens", &body).await?;
        ensure!(refused.status == 400 && refused.error("field") == field, "{body}: {}", refused.text);
    }
    let write = create(json!({ "service": "checkout" })).await?;
    let collector = create(json!({ "name": "the collector" })).await?;
    let read = create(json!({ "scopes": ["read"] })).await?;
    let metrics = create(json!({ "scopes": ["metrics"] })).await?;
    let cases = [
        ("one service", &write, [200, 400, 403, 403, 403]),
        ("every service", &collector, [200, 200, 403, 403, 403]),
        ("read", &read, [403, 403, 200, 200, 403]),
        ("metrics", &metrics, [403, 403, 403, 200, 403]),
    ];
    for (name, token, expected) in cases {
        let own = Api::new(&node.url())?.bearing(token);
        let send = async |service: &str| {
            let record = json!({ "service": service, "message": "sent with a token" });
            Ok::<_, anyhow::Error>(own.post_json("/api/logs", &record).await?.status)
        };
        let found = [
            send("checkout").await?,
            send("payment").await?,
            own.get("/api/logs", &[]).await?.status,
            own.get("/metrics", &[]).await?.status,
            own.get("/api/users", &[]).await?.status,
        ];
        ensure!(found == expected, "{name}: {found:?} instead of {expected:?}");
    }
    Ok(())
}

/// Tokens like this one that nobody gave out.
fn tampered(token: &str) -> Result<Vec<String>> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { anyhow::bail!("no token: {token}") };
    let decode =
        |part: &str| Ok::<Value, anyhow::Error>(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (said, claimed) = (decode(header)?, decode(claims)?);
    let changed = |value: &Value, name: &str, to: Value| {
        let mut value = value.clone();
        if let Some(object) = value.as_object_mut() {
            object.insert(name.to_owned(), to);
        }
        encode(&value)
    };
    let mut made = Vec::new();
    for alg in ["none", "None", "HS512", "RS256"] {
        let header = changed(&said, "alg", json!(alg));
        made.extend([format!("{header}.{claims}.{signature}"), format!("{header}.{claims}.")]);
    }
    for kid in ["0", "2", "../../../dev/null"] {
        made.push(format!("{}.{claims}.{signature}", changed(&said, "kid", json!(kid))));
    }
    for (name, to) in [("sub", json!("admin")), ("exp", json!(9_999_999_999_u64)), ("aud", json!("x"))] {
        made.push(format!("{header}.{}.{signature}", changed(&claimed, name, to)));
    }
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    made.push(format!("{header}.{claims}.{flipped}{}", &signature[1..]));
    made.extend([format!("{header}.{claims}"), format!("{token}.{token}"), "a.b.c".to_owned()]);
    Ok(made)
}

/// An access token and a refresh token of eve.
pub(crate) async fn bearer(node: &Node) -> Result<(String, String)> {
    let body = json!({ "user": "eve", "password": PASSWORD, "bearer": true });
    let answer = Api::new(&node.url())?.post_json("/api/login", &body).await?;
    answer.expect(200)?;
    ensure!(answer.headers.get("set-cookie").is_none(), "a program is given cookies");
    Ok((answer.member("access_token")?, answer.member("refresh_token")?))
}
