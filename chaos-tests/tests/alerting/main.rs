//! Alerts of a real node to real receivers: what they say, that they come once, and what happens where receivers fail.

#![allow(clippy::unwrap_used, reason = "what the test itself does wrong must fail loudly")]

mod failing;
mod incidents;
mod kinds;
mod mistakes;

use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use hmac::{Hmac, KeyInit, Mac};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use insighthub_chaos_tests::receivers::{HttpReceiver, MailServer};
use serde_json::{Value, json};
use sha2::Sha256;

const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// A breaker is open for half a minute.
const BACK_WITHIN: Duration = Duration::from_secs(150);
const SECRET: &str = "a-secret-that-signs";
const HEADER: &str = "Bearer a-secret-header";

async fn node(directory: &std::path::Path) -> Result<NodeProcess> {
    let mut options = NodeOptions::in_directory(directory)?;
    for (name, value) in [
        ("INSIGHTHUB_ALERTING__ALLOW_ADDRESSES", "127.0.0.1"),
        ("INSIGHTHUB_ALERTING__PUBLIC_URL", "https://logs.example.com"),
    ] {
        options.environment.push((name.to_owned(), value.to_owned()));
    }
    NodeProcess::start(options).await
}

fn now_millis() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "a test outside of the node has its own clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as i64
}

/// Half an hour in which a service has two errors a minute, and twenty calm records.
async fn send_history(api: &Api, services: &[String]) -> Result<()> {
    let now = now_millis();
    let mut body = String::new();
    for (service, minute) in services.iter().flat_map(|service| (2..32).map(move |minute| (service, minute)))
    {
        for record in 0..22 {
            let at = now - minute * 60_000 + record * 2_000;
            let (level, message) = match record {
                0 | 1 => ("ERROR", format!("card {record} declined")),
                _ => ("INFO", format!("order {record} paid")),
            };
            let record = json!({ "timestamp": at, "level": level, "service": service, "message": message });
            writeln!(body, "{record}")?;
        }
    }
    sent(api, body).await
}

async fn send_spike(api: &Api, service: &str, cause: &str) -> Result<()> {
    let now = now_millis();
    let mut body = String::new();
    for record in 0..80 {
        let message = match record % 4 {
            0 => format!("card {record} declined"),
            _ => cause.to_owned(),
        };
        let record = json!({ "timestamp": now - record * 10, "level": "ERROR", "service": service, "message": message });
        writeln!(body, "{record}")?;
    }
    sent(api, body).await
}

async fn sent(api: &Api, body: String) -> Result<()> {
    let answer = api.ingest(&[("content-type", "application/x-ndjson")], body.into_bytes()).await?;
    ensure!(answer.status < 300, "{} {}", answer.status, answer.text);
    Ok(())
}

async fn put(api: &Api, path: &str, body: Value) -> Result<Value> {
    let answer = api.put_json(path, &body).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text);
    Ok(answer.json)
}

/// The rule that a cluster begins with, told to these channels.
async fn tell(api: &Api, channels: &[&str]) -> Result<()> {
    let installed = || async {
        let answer = api.get("/api/alerts/rules/error-spike", &[]).await;
        answer.is_ok_and(|answer| answer.status == 200)
    };
    wait_until("the first rules", TOLD_WITHIN, installed).await?;
    let mut rule = api.get("/api/alerts/rules/error-spike", &[]).await?.json["rule"].clone();
    rule["channels"] = json!(channels);
    rule["resolve_after_secs"] = json!(5);
    put(api, "/api/alerts/rules/error-spike", rule).await?;
    for other in ["slow", "anomaly"] {
        api.delete(&format!("/api/alerts/rules/{other}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spike_is_told_once_to_every_kind_of_channel() -> Result<()> {
    let (directory, http, mail) =
        (tempfile::tempdir()?, HttpReceiver::start().await?, MailServer::start().await?);
    let mut node = node(directory.path()).await?;
    let api = node.admin_api()?;
    let url = |path: &str| format!("http://{}{path}", http.address);
    let hook = json!({ "kind": { "webhook": {
        "url": url("/hook"), "secret": SECRET, "headers": { "Authorization": HEADER } } } });
    put(&api, "/api/alerts/channels/hook", hook).await?;
    put(
        &api,
        "/api/alerts/channels/slack",
        json!({ "kind": { "slack": { "webhook_url": url("/slack-secret") } } }),
    )
    .await?;
    let bot =
        json!({ "kind": { "slack": { "token": "xoxb-1", "channel": "#ops", "api_url": url("/bot") } } });
    put(&api, "/api/alerts/channels/bot", bot).await?;
    let mailbox = json!({ "kind": { "email": { "host": "127.0.0.1", "port": mail.address.port(),
        "security": "plain", "from": "hub@example.com", "to": ["ops@example.com", "boss@example.com"] } } });
    put(&api, "/api/alerts/channels/mail", mailbox).await?;
    tell(&api, &["hook", "slack", "bot", "mail"]).await?;
    send_history(&api, &["payment".to_owned()]).await?;
    let began = Instant::now();
    send_spike(&api, "payment", "Stripe Timeout <!channel> *now*").await?;
    wait_until("the webhook is told", TOLD_WITHIN, || async { !http.taken("/hook").is_empty() }).await?;
    println!("told {:?} after the spike", began.elapsed());
    let all_told = || async {
        !http.taken("/slack-secret").is_empty() && !http.taken("/bot").is_empty() && !mail.mails().is_empty()
    };
    wait_until("everybody is told", TOLD_WITHIN, all_told).await?;
    check_webhook(&http)?;
    check_slack(&http)?;
    check_mail(&mail)?;
    check_incident(&api).await?;
    check_secrets(&api, &node).await?;
    // Another leader, in another life of the process, neither repeats nor forgets.
    node.kill_nine()?;
    node.restart().await?;
    let is_over = || http.taken("/hook").iter().any(|received| received.json()["kind"] == "resolved");
    let resolved = || async { is_over() };
    wait_until("the end is told", BACK_WITHIN, resolved).await?;
    let kinds: Vec<Value> =
        http.taken("/hook").iter().map(|received| received.json()["kind"].clone()).collect();
    ensure!(kinds == ["fired", "resolved"], "{kinds:?}");
    check_deliveries(&node.admin_api()?).await
}

/// What became of the messages to one channel, newest first; also of what was told in the other life of the process.
async fn check_deliveries(api: &Api) -> Result<()> {
    let asked = [("channel", "hook"), ("state", "delivered")];
    let answer = || api.get("/api/alerts/deliveries", &asked);
    let is_kept = || async {
        answer().await.is_ok_and(|answer| answer.json["deliveries"].as_array().map(Vec::len) == Some(2))
    };
    wait_until("what was delivered is kept", TOLD_WITHIN, is_kept).await?;
    let deliveries = answer().await?.json["deliveries"].clone();
    for (number, kind) in [(0, "resolved"), (1, "fired")] {
        let delivery = &deliveries[number];
        let has_times = delivery["queued_at"].is_string() && delivery["delivered_at"].is_string();
        ensure!(delivery["kind"] == kind && delivery["incident"] == 1 && has_times, "{delivery}");
        ensure!(delivery["heading"] == "Payment Service ERROR SPIKE", "{delivery}");
        ensure!(
            delivery["attempts"].as_u64() >= Some(1) && delivery["next_attempt_at"].is_null(),
            "{delivery}"
        );
    }
    let other = api.get("/api/alerts/deliveries", &[("incident", "2")]).await?;
    ensure!(other.json["deliveries"] == json!([]) && other.json["more"] == false, "{}", other.text);
    api.get("/api/alerts/deliveries", &[("state", "lost")]).await?.expect(400)
}

fn check_webhook(http: &HttpReceiver) -> Result<()> {
    let received = http.taken("/hook").remove(0);
    let (body, at) = (received.json(), received.header("x-insighthub-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(&received.body);
    let digest = mac.finalize().into_bytes();
    let expected = digest.iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"));
    ensure!(received.header("x-insighthub-signature") == expected, "{received:?}");
    ensure!(received.header("idempotency-key") == "insighthub-1-1-hook", "{received:?}");
    ensure!(received.header("authorization") == HEADER, "{received:?}");
    ensure!(body["text"][0] == "InsightHub Alert: Payment Service ERROR SPIKE", "{body}");
    let observed = body["evidence"]["observed"].as_f64().context("no figure")?;
    ensure!((80.0..=84.0).contains(&observed) && body["evidence"]["normal"] == 2.0, "{body}");
    let link = body["link"].as_str().context("no link")?;
    ensure!(
        link.starts_with("https://logs.example.com/explore?from=20") && link.contains("payment"),
        "{link}"
    );
    println!("{}", body["text"]);
    Ok(())
}

fn check_slack(http: &HttpReceiver) -> Result<()> {
    for path in ["/slack-secret", "/bot"] {
        let received = http.taken(path).remove(0);
        let text = received.json().to_string();
        ensure!(text.contains("Payment Service ERROR SPIKE") && text.contains("(Normal: 2)"), "{text}");
        ensure!(text.contains("Potential Cause: Stripe Timeout &lt;!channel&gt; *now*"), "{text}");
        ensure!(!text.contains("<!channel>"), "{text}");
        ensure!(received.json()["blocks"][0]["type"] == "header", "{text}");
    }
    let bot = http.taken("/bot").remove(0);
    ensure!(bot.json()["channel"] == "#ops" && bot.header("authorization") == "Bearer xoxb-1", "{bot:?}");
    Ok(())
}

fn check_mail(mail: &MailServer) -> Result<()> {
    let mut mail = mail.mails().remove(0);
    // Long lines are folded by the encoding.
    mail.data = mail.data.replace("=\r\n", "");
    ensure!(mail.from == "hub@example.com" && mail.to == ["ops@example.com", "boss@example.com"], "{mail:?}");
    for part in [
        "Subject: InsightHub Alert: Payment Service ERROR SPIKE",
        "Message-ID: <insighthub-1-1-mail@example.com>",
        "text/plain",
        "text/html",
        "Start Time: ",
        "&lt;!channel&gt;",
    ] {
        ensure!(mail.data.contains(part), "no {part:?} in {}", mail.data);
    }
    Ok(())
}

async fn check_incident(api: &Api) -> Result<()> {
    let is_written_down = || async {
        let incident = api.get("/api/alerts/incidents/1", &[]).await;
        incident.is_ok_and(|answer| answer.json["deliveries"].as_array().is_some_and(|all| all.len() == 4))
    };
    wait_until("four deliveries are written down", TOLD_WITHIN, is_written_down).await?;
    let incident = api.get("/api/alerts/incidents/1", &[]).await?.json;
    ensure!(incident["state"] == "firing" && incident["transitions_total"] == 1, "{incident}");
    let said = api.post_json("/api/alerts/incidents/1/acknowledge", &json!({ "note": "on it" })).await?;
    ensure!(said.status == 200 && said.json["by"] == "admin", "{}", said.text);
    Ok(())
}

/// Nobody reads a secret again: not from the API, not from the node's log.
async fn check_secrets(api: &Api, node: &NodeProcess) -> Result<()> {
    let channels = api.get("/api/alerts/channels", &[]).await?.text;
    ensure!(channels.contains("(set)") && channels.contains("closed"), "{channels}");
    for text in [channels, node.last_output()] {
        for secret in [SECRET, HEADER, "xoxb-1", "/slack-secret"] {
            ensure!(!text.contains(secret), "{secret} stands in {text}");
        }
    }
    let anonymous = node.api()?;
    let refused =
        anonymous.put_json("/api/alerts/channels/hook", &json!({ "kind": { "slack": {} } })).await?;
    ensure!(refused.status == 401, "{} {}", refused.status, refused.text);
    ensure!(
        anonymous.get("/api/alerts/rules", &[]).await?.status == 200,
        "reading is for all who may read logs"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_the_past_and_a_test_reaches_only_what_is_allowed() -> Result<()> {
    let (directory, http) = (tempfile::tempdir()?, HttpReceiver::start().await?);
    let node = node(directory.path()).await?;
    let api = node.admin_api()?;
    tell(&api, &[]).await?;
    send_history(&api, &["payment".to_owned()]).await?;
    send_spike(&api, "payment", "Stripe Timeout").await?;
    let rule = api.get("/api/alerts/rules/error-spike", &[]).await?.json["rule"].clone();
    let (from, to) = ((now_millis() - 1_200_000).to_string(), (now_millis() + 120_000).to_string());
    let asked = json!({ "rule": rule, "from": from, "to": to });
    let preview = api.post_json("/api/alerts/rules/preview", &asked).await?;
    ensure!(preview.status == 200, "{} {}", preview.status, preview.text);
    let firings = preview.json["firings"].as_array().context("no firings")?;
    ensure!(firings.len() == 1 && firings[0]["heading"] == "Payment Service ERROR SPIKE", "{}", preview.text);
    let wrong =
        api.put_json("/api/alerts/rules/x", &json!({ "title": "x", "condition": { "latency": {} } })).await?;
    ensure!(wrong.status == 400 && wrong.error("field").contains("statistic"), "{}", wrong.text);
    let url = format!("http://{}/hook", http.address);
    put(&api, "/api/alerts/channels/hook", json!({ "kind": { "webhook": { "url": url } } })).await?;
    let tried = api.post("/api/alerts/channels/hook/test").await?;
    ensure!(tried.json["delivered"] == true && http.taken("/hook").len() == 1, "{}", tried.text);
    for address in ["127.0.0.2", "169.254.169.254", "[::1]", "0x7f000002", "10.0.0.1"] {
        let kind = json!({ "webhook": { "url": format!("http://{address}:{}/", http.address.port()) } });
        put(&api, "/api/alerts/channels/inside", json!({ "kind": kind })).await?;
        let tried = api.post("/api/alerts/channels/inside/test").await?;
        let error = tried.json["error"].as_str().unwrap_or("");
        ensure!(error.contains("not public"), "{address}: {}", tried.text);
    }
    Ok(())
}
