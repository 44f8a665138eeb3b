//! Signing in over an identity provider: a browser's way there and back, and everything that must not let anybody in.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::cluster::node::Node;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::cluster_of_eve;
use crate::provider::{CLIENT, Lie, Provider, SECRET};

/// A browser that keeps cookies and follows nothing by itself.
struct Browser {
    http: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Result<Browser> {
        let http = Client::builder().redirect(Policy::none()).build()?;
        Ok(Browser { http, cookies: BTreeMap::new() })
    }

    async fn get(&mut self, url: &str) -> Result<Response> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = self.http.get(url).header(COOKIE, cookies.join("; ")).send().await?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str()?;
            ensure!(cookie.contains("HttpOnly"), "{cookie}");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).context("no cookie")?;
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }

    /// To the provider and back, to another node than the one where it began.
    async fn sign_in(&mut self, from: &Node, to: &Node) -> Result<(u16, Value)> {
        let back = self.come_back(from).await?;
        let here = back.split_once("/api/").context("no callback")?.1;
        let answer = self.get(&format!("{}/api/{here}", to.url().trim_end_matches('/'))).await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Where the provider sends the browser.
    async fn come_back(&mut self, from: &Node) -> Result<String> {
        let begun = self.get(&format!("{}/api/login/oidc", from.url().trim_end_matches('/'))).await?;
        ensure!(begun.status() == 302, "{}: {}", begun.status(), begun.text().await?);
        let there = location(&begun)?;
        let sent = self.get(&there).await?;
        ensure!(sent.status() == 302, "{}: {}", sent.status(), sent.text().await?);
        location(&sent)
    }

    async fn session(&mut self, node: &Node) -> Result<(u16, Value)> {
        let answer = self.get(&format!("{}/api/session", node.url().trim_end_matches('/'))).await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }
}

fn location(answer: &Response) -> Result<String> {
    Ok(answer.headers().get(LOCATION).context("no location")?.to_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_provider_lets_in_its_people_and_nobody_else() -> Result<()> {
    let provider = Provider::start().await?;
    let cluster = cluster_of_eve(&[
        ("INSIGHTHUB_OIDC__ISSUER", provider.issuer()),
        ("INSIGHTHUB_OIDC__CLIENT_ID", CLIENT.to_owned()),
        ("INSIGHTHUB_OIDC__CLIENT_SECRET", SECRET.to_owned()),
        ("INSIGHTHUB_OIDC__ADMIN_GROUP", "on-call".to_owned()),
        ("INSIGHTHUB_OIDC__VIEWER_GROUP", "staff".to_owned()),
        ("INSIGHTHUB_ALERTING__PUBLIC_URL", "http://logs.example.com".to_owned()),
    ])
    .await?;
    let (one, other) = (cluster.node(0)?, cluster.node(1)?);
    let ways = one.api().get("/api/login", &[]).await?;
    ensure!(ways.json["oidc"] == "/api/login/oidc", "{}", ways.text);

    let ann = |groups: Value| json!({ "sub": "42", "email": "ann@example.com", "groups": groups });
    provider.next_is(ann(json!(["staff"])));
    let mut browser = Browser::new()?;
    let (status, page) = browser.sign_in(one, other).await?;
    ensure!(status == 200, "{status}: {page}");
    let (status, session) = browser.session(other).await?;
    ensure!(
        status == 200 && session["user"] == "ann@example.com" && session["role"] == "viewer",
        "{session}"
    );

    // Promoted there, promoted here, and signed out wherever she was less.
    provider.next_is(ann(json!(["staff", "on-call"])));
    let mut promoted = Browser::new()?;
    ensure!(promoted.sign_in(other, one).await?.0 == 200);
    ensure!(promoted.session(one).await?.1["role"] == "admin");
    let (_, session) = browser.session(one).await?;
    ensure!(session["user"].is_null(), "a session outlives the role it was opened with: {session}");
    provider.change_keys()?;
    ensure!(Browser::new()?.sign_in(one, one).await?.0 == 200, "new keys are not looked for");

    nobody_else(&provider, one).await?;
    replays(&provider, one).await?;
    let trail = one.admin().get("/api/audit", &[("action", "user.provided")]).await?;
    trail.expect(200)?;
    let entries = trail.json["entries"].as_array().map_or(0, Vec::len);
    // Ann twice, and two who were somebody else here.
    ensure!(entries == 4, "{entries} entries: {}", trail.text);
    cluster.keeps_to_itself(&[SECRET, &promoted.cookies["insighthub_session"]]).await
}

/// Everything a provider may say, or somebody in its name, that lets nobody in.
async fn nobody_else(provider: &Provider, node: &Node) -> Result<()> {
    let bob = json!({ "sub": "7", "email": "bob@example.com", "groups": ["staff"] });
    let lie = |claims: Value| Lie { claims, is_forged: false };
    let cases = [
        ("a forged signature", Lie { claims: Value::Null, is_forged: true }, 401),
        ("another audience", lie(json!({ "aud": "somebody else" })), 401),
        ("another issuer", lie(json!({ "iss": "http://evil.example" })), 401),
        ("another sign-in", lie(json!({ "nonce": "of another sign-in" })), 401),
        ("no nonce", lie(json!({ "nonce": null })), 401),
        ("another party", lie(json!({ "azp": "somebody else" })), 401),
        ("the past", lie(json!({ "exp": 1_000_000_000 })), 401),
        ("no end", lie(json!({ "exp": null })), 401),
        ("no group", lie(json!({ "groups": ["visitors"] })), 401),
        ("no name", lie(json!({ "email": null })), 401),
        ("no verified address", lie(json!({ "email_verified": false })), 401),
        ("the name of a local user", lie(json!({ "email": "admin" })), 409),
        ("the name of another", lie(json!({ "email": "ann@example.com" })), 409),
    ];
    provider.next_is(bob);
    for (name, lie, expected) in cases {
        provider.lies(lie);
        let mut browser = Browser::new()?;
        let (status, said) = browser.sign_in(node, node).await?;
        ensure!(status == expected, "{name}: {status} {said}");
        ensure!(!browser.cookies.contains_key("insighthub_session"), "{name}: a session");
    }
    provider.lies(Lie::default());
    Ok(())
}

/// What is brought back twice, or by somebody who did not begin it, or to a sign-in that is another.
async fn replays(provider: &Provider, node: &Node) -> Result<()> {
    provider.next_is(json!({ "sub": "42", "email": "ann@example.com", "groups": ["on-call"] }));
    let url = |back: &str| {
        let here = back.split_once("/api/").map(|(_, here)| here).unwrap_or_default();
        format!("{}/api/{here}", node.url().trim_end_matches('/'))
    };
    let mut browser = Browser::new()?;
    let back = url(&browser.come_back(node).await?);
    ensure!(Browser::new()?.get(&back).await?.status() == 401, "without the cookie of the sign-in");
    let mut other = Browser::new()?;
    other.come_back(node).await?;
    ensure!(other.get(&back).await?.status() == 401, "the state of another's sign-in");
    let kept = browser.cookies.clone();
    ensure!(browser.get(&back).await?.status() == 200);
    browser.cookies = kept;
    ensure!(browser.get(&back).await?.status() == 502, "a code is good once");
    let refused = browser.get(&url("x/api/login/oidc/callback?error=access_denied%0d%0a<script>")).await?;
    let (status, text) = (refused.status(), refused.text().await?);
    ensure!(status == 401 && text.contains("access_denied") && !text.contains('<'), "{status}: {text}");
    Ok(())
}
