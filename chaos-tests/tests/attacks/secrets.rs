//! Secrets with names of their own go through every way an error can take; afterwards none of them is written down anywhere.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::{Answer, Api};
use insighthub_chaos_tests::cluster::command_line::insighthub;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess, Role};
use serde_json::json;

use crate::target::{everything_below, exchange};

/// In every secret, so that one search finds all; a password and a token are told apart by what stands behind.
const CANARY: &str = "c4nary";
const ADMIN_PASSWORD: &str = "c4nary-of-the-admin-7f3a";
const USER_PASSWORD: &str = "c4nary-of-a-user-91bd";
const CLUSTER_SECRET: &str = "c4nary-of-the-cluster-00112233445566778899aabbccddeeff";
const CHANNEL_SECRET: &str = "c4nary-of-a-channel-55e2";

/// All that was answered, in one text: secrets that are random are searched for as well.
#[derive(Default)]
struct Heard {
    answers: String,
    count: usize,
}

impl Heard {
    fn note(&mut self, answer: &Answer) {
        self.answers.push_str(&answer.text);
        self.answers.push_str(&format!("{:?}\n", answer.headers));
        self.count += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_written_down() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let config = directory.path().join("cluster.toml");
    std::fs::write(
        &config,
        format!(
            "[cluster]\nsecret = \"{CLUSTER_SECRET}\"\n[[node]]\nname = \"n1\"\nhttp = \"0.0.0.0:0\"\n[log]\nfilter = \"debug\"\n"
        ),
    )?;
    let weak = weak_password_is_refused(directory.path(), &config)?;
    let mut options = NodeOptions::in_directory(directory.path())?;
    options.role = Role::Named { config, name: "n1".to_owned() };
    // Small segments: all of them are searched.
    let mut options = options.sealing_all_the_time();
    options.environment.push(("INSIGHTHUB_ADMIN_PASSWORD".to_owned(), ADMIN_PASSWORD.to_owned()));
    let node = NodeProcess::start(options).await?;
    let admin = node.api()?.signed_in("admin", ADMIN_PASSWORD);
    let mut heard = Heard::default();
    let (session, token) = signed_in(&admin, &node, &mut heard).await?;
    error_paths(&admin, &node, &session, &token, &mut heard).await?;
    let written = [weak, heard.answers.clone(), records_of(&admin).await?, node.last_output()];
    ensure!(written[3].contains("http.certificate and http.key are not set"), "no warning of clear text");
    ensure!(written[3].contains("DEBUG"), "the log is not at debug: {}", written[3]);
    // What identifies a token is no secret; what follows is.
    let secrets = [CANARY, session.as_str(), token.get(12..).context("a token")?];
    for text in &written {
        for secret in secrets {
            let at = text
                .find(secret)
                .map(|at| text[at.saturating_sub(200)..].chars().take(400).collect::<String>());
            ensure!(at.is_none(), "a secret was written down: {at:?}");
        }
    }
    let stored = everything_below(&directory.path().join("data"))?;
    for path in stored.iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(path)?;
        for secret in [ADMIN_PASSWORD, USER_PASSWORD, CLUSTER_SECRET, session.as_str(), &token[12..]] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            ensure!(!found, "{} holds a secret as it is", path.display());
        }
    }
    println!("{} answers, {} bytes of log, {} files: no secret", heard.count, written[3].len(), stored.len());
    Ok(())
}

/// At the very start, and without being repeated.
fn weak_password_is_refused(directory: &Path, config: &Path) -> Result<String> {
    let data = directory.join("never");
    let words = ["serve", "--config", &config.to_string_lossy(), "--data", &data.to_string_lossy()];
    let mut said = String::new();
    for (weak, reason) in [("admin-c4nary", "anybody would guess"), ("c4nary", "6 characters")] {
        let refused = insighthub(&words, &[("INSIGHTHUB_ADMIN_PASSWORD", weak)])?.refused()?;
        ensure!(refused.contains("INSIGHTHUB_ADMIN_PASSWORD") && refused.contains(reason), "{refused}");
        said.push_str(&refused);
    }
    Ok(said)
}

/// A session and a service token, as the node gives them.
async fn signed_in(admin: &Api, node: &NodeProcess, heard: &mut Heard) -> Result<(String, String)> {
    let user = json!({"name": "eve", "role": "viewer", "password": USER_PASSWORD});
    let made = admin.post_json("/api/users", &user).await?;
    ensure!(made.status == 201, "{} {}", made.status, made.text);
    heard.note(&made);
    heard.note(&admin.post_json("/api/users", &user).await?);
    let login =
        node.api()?.post_json("/api/login", &json!({"user": "eve", "password": USER_PASSWORD})).await?;
    let cookie =
        login.headers.get("set-cookie").and_then(|value| value.to_str().ok()).context("no cookie")?;
    let session = cookie.split(['=', ';']).nth(1).context("no session")?.to_owned();
    let token = admin.post_json("/api/tokens", &json!({"service": "checkout", "name": "t"})).await?;
    let token = token.json["token"].as_str().with_context(|| token.text.clone())?.to_owned();
    Ok((session, token))
}

async fn error_paths(
    admin: &Api,
    node: &NodeProcess,
    session: &str,
    token: &str,
    heard: &mut Heard,
) -> Result<()> {
    let nobody = node.api()?;
    let (bearing, sending) = (nobody.clone().bearing(session), nobody.clone().bearing(token));
    for password in [format!("{USER_PASSWORD}x"), "c".repeat(3_000) + CANARY, format!("{CANARY}\r\nX: y\0")] {
        heard.note(&nobody.post_json("/api/login", &json!({"user": "eve", "password": password})).await?);
        heard.note(
            &admin.patch_json("/api/users/eve", &json!({"role": "owner", "password": password})).await?,
        );
        let short = json!({"name": "bob", "role": "viewer", "password": CANARY});
        heard.note(&admin.post_json("/api/users", &short).await?);
        heard.note(
            &bearing.post_json("/api/session/password", &json!({"current": password, "new": CANARY})).await?,
        );
    }
    for body in [
        format!("{{\"user\":\"eve\",\"password\":\"{USER_PASSWORD}\""),
        format!("{{\"user\":\"eve\",\"password\":[\"{USER_PASSWORD}\"]}}"),
        format!("{{\"user\":\"eve\",\"{USER_PASSWORD}\":1}}"),
    ] {
        let length = body.len();
        let request = format!(
            "POST /api/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let answer = exchange(([127, 0, 0, 1], node.address().port()).into(), request.as_bytes()).await?;
        ensure!(!answer.is_empty(), "no answer to a broken login");
        heard.count += 1;
    }
    for wrong in [format!("{token}x"), token[..token.len() - 1].to_owned(), format!("{session}x")] {
        heard.note(&nobody.clone().bearing(&wrong).get("/api/users", &[]).await?);
        heard.note(&nobody.clone().bearing(&wrong).ingest(&[], b"{}".to_vec()).await?);
    }
    for api in [&bearing, &sending] {
        for path in ["/api/users", "/api/nothing", "/api/logs?limit=x", "/ws/logs", "/api/audit"] {
            heard.note(&api.get(path, &[]).await?);
        }
        for body in [&b"{"[..], b"[1]", b"{\"service\":\"other\",\"level\":\"INFO\",\"message\":\"m\"}"] {
            heard.note(&api.ingest(&[("content-type", "application/json")], body.to_vec()).await?);
        }
        heard.note(&api.ingest(&[("content-encoding", "gzip")], b"no gzip".to_vec()).await?);
    }
    channels(admin, heard).await
}

async fn channels(admin: &Api, heard: &mut Heard) -> Result<()> {
    let kinds = [
        json!({"slack": {"webhook_url": format!("https://127.0.0.1/services/{CHANNEL_SECRET}")}}),
        json!({"slack": {"token": CHANNEL_SECRET, "channel": "#ops"}}),
        json!({"webhook": {"url": format!("http://localhost:1/{CHANNEL_SECRET}"), "secret": CHANNEL_SECRET}}),
        json!({"webhook": {"url": format!("http://eve:{CHANNEL_SECRET}@host/")}}),
        json!({"webhook": {"url": format!("ftp://host/{CHANNEL_SECRET}")}}),
        json!({"webhook": {"url": "https://host/", "headers": {"authorization": format!("Bearer {CHANNEL_SECRET}\r\nx: y")}}}),
        json!({"email": {"host": "127.0.0.1", "from": "a@b.example", "to": ["c@d.example"], "user": "u", "password": CHANNEL_SECRET}}),
        json!({"email": {"password": [CHANNEL_SECRET]}}),
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let path = format!("/api/alerts/channels/c{number}");
        heard.note(&admin.put_json(&path, &json!({"kind": kind})).await?);
        heard.note(&admin.get(&path, &[]).await?);
        heard.note(&admin.post(&format!("{path}/test")).await?);
    }
    Ok(())
}

/// What the node keeps for people to read.
async fn records_of(admin: &Api) -> Result<String> {
    let mut all = String::new();
    for path in [
        "/metrics",
        "/api/audit",
        "/api/dead-letters",
        "/api/users",
        "/api/tokens",
        "/api/cluster",
        "/api/alerts/channels",
    ] {
        let answer = admin.get(path, &[]).await?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text);
        all.push_str(&answer.text);
    }
    Ok(all)
}
