//! Who may use which route: every route of the document, asked by everybody there is, on a node as it runs in production. A
//! route without a line in the table fails, and so does a line without a route.

mod asking;
mod form;
mod stores;
mod table;
mod tricks;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use serde_json::{Value, json};

use self::asking::{Ask, Body, JSON, Said, ask};
use self::table::{Line, lines};

/// Somebody who asks.
struct Caller {
    name: &'static str,
    authorization: Option<String>,
    /// May do so much: 0 nothing, 1 send records, 2 read, 3 everything.
    rank: u8,
}

/// What all parts of the test ask.
struct World {
    node: SocketAddr,
    callers: Vec<Caller>,
    token_id: String,
    document: Value,
    asked: std::cell::Cell<usize>,
}

#[tokio::test]
async fn every_route_lets_in_those_it_should_and_tells_the_others_nothing() -> Result<()> {
    let mut environment = ClusterOptions::default().environment;
    environment.push(("INSIGHTHUB_CLUSTER__PROFILE".to_owned(), "production".to_owned()));
    let cluster =
        Cluster::start(&ClusterOptions { nodes: 1, partitions: 4, environment, ..Default::default() })
            .await?;
    let world = World::of(&cluster).await?;
    let began = Instant::now();
    table_is_whole(&world.document)?;
    document_is_whole(&world.document)?;
    who_may_not_is_told_nothing(&world).await?;
    let refused = world.asked.replace(0);
    tricks::paths_are_not_talked_round(&world).await?;
    let tricks = world.asked.replace(0);
    form::refusals_have_our_form(&world).await?;
    let forms = world.asked.replace(0);
    who_may_is_answered(&world).await?;
    println!(
        "{} routes, {} callers: {refused} refusals, {tricks} path tricks, {forms} methods and bodies, {} answers, in {:?}",
        lines().len(),
        world.callers.len(),
        world.asked.get(),
        began.elapsed()
    );
    Ok(())
}

impl World {
    async fn of(cluster: &Cluster) -> Result<World> {
        let node = cluster.node(0)?;
        let admin = node.admin();
        let password = "a viewer's canary";
        let user = json!({ "name": "vera", "role": "viewer", "password": password });
        let made = admin.post_json("/api/users", &user).await?;
        ensure!(made.status == 201, "{}", made.text);
        let token = admin.post_json("/api/tokens", &json!({ "service": "checkout" })).await?;
        let other = admin.post_json("/api/tokens", &json!({ "service": "payment" })).await?;
        let text = |value: &Value, name| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let secret = text(&token.json, "token").context("no token")?;
        let basic =
            |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let caller = |name, authorization, rank| Caller { name, authorization, rank };
        Ok(World {
            node: node.http,
            callers: vec![
                caller("anonymous", None, 0),
                caller("bad token", Some("Bearer ihs_0123456789abcdef_nobody".to_owned()), 0),
                caller("service token", Some(format!("Bearer {secret}")), 1),
                caller("viewer", Some(basic("vera", password)), 2),
                caller("admin", Some(basic("admin", "correct horse battery staple")), 3),
            ],
            token_id: text(&other.json, "id").context("no id")?,
            document: admin.get("/api/openapi.json", &[]).await?.json,
            asked: std::cell::Cell::new(0),
        })
    }

    fn caller(&self, name: &str) -> Result<&Caller> {
        self.callers.iter().find(|caller| caller.name == name).context("no such caller")
    }

    async fn ask(&self, caller: &Caller, method: &str, target: &str, body: Option<Body<'_>>) -> Result<Said> {
        self.asked.set(self.asked.get() + 1);
        let authorization = caller.authorization.as_deref();
        ask(self.node, Ask { method, target, authorization, body }).await
    }

    async fn ask_line(&self, caller: &Caller, line: &Line) -> Result<Said> {
        let target = line.target.replace("TOKEN", &self.token_id);
        self.ask(caller, line.method, &target, line.body.map(as_json)).await
    }
}

fn as_json(text: &str) -> Body<'_> {
    Body { content_type: JSON, text }
}

/// Methods and paths of the document, each with what it says.
fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    });
    operations.collect()
}

/// The status of a refusal, or none for a caller who may.
fn refusal(asks: &str, caller: &Caller) -> Option<u16> {
    match (asks, caller.rank) {
        ("open", _) | (_, 3) | ("send_records", 1) | ("read_logs" | "read_metrics" | "save_views", 2) => None,
        // Known, and not for this.
        (_, 1 | 2) => Some(403),
        _ => Some(401),
    }
}

/// Every route of the document has a line, every line a route, and both ask the same.
fn table_is_whole(document: &Value) -> Result<()> {
    let routes = operations(document);
    let mut known = BTreeSet::new();
    for line in &lines() {
        let key = (line.method.to_owned(), line.path.to_owned());
        let route = routes.get(&key).with_context(|| format!("the table has {key:?}, which is no route"))?;
        let says = route.get("x-insighthub-access").and_then(Value::as_str);
        ensure!(says == Some(line.asks), "{key:?} asks {says:?}, the table says {:?}", line.asks);
        ensure!(known.insert(key.clone()), "the table has {key:?} twice");
    }
    let missing: Vec<_> = routes.keys().filter(|key| !known.contains(*key)).collect();
    ensure!(missing.is_empty(), "routes without a line in chaos-tests/tests/routes/table.rs: {missing:?}");
    Ok(())
}

/// What people read of each route is there, and what the document refers to.
fn document_is_whole(document: &Value) -> Result<()> {
    let mut ids = BTreeSet::new();
    for (key, operation) in operations(document) {
        let text = |name| operation.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        ensure!(text("summary").is_some(), "{key:?} has no summary");
        let id = text("operationId").with_context(|| format!("{key:?} has no id"))?;
        ensure!(ids.insert(id), "two routes are called {id}");
        ensure!(operation.get("tags").is_some(), "{key:?} stands under no heading");
        let answers = operation.get("responses").and_then(Value::as_object).context("no answers")?;
        for (status, answer) in answers {
            let is_refusal = status.starts_with(['4', '5']);
            ensure!(!is_refusal || answer.get("content").is_some(), "{key:?}: {status} has no form");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        ensure!(document.pointer(reference).is_some(), "{reference} is not there");
    }
    Ok(())
}

/// A refusal is the same, whatever else the request holds: what cannot be read, what is not there.
async fn who_may_not_is_told_nothing(world: &World) -> Result<()> {
    for line in &lines() {
        for caller in &world.callers {
            let Some(status) = refusal(line.asks, caller) else { continue };
            // The collector knows a token that is wrong from none.
            let is_wrong = line.is_of_collector() && caller.authorization.is_some();
            let status = if is_wrong { 403 } else { status };
            let plain = world.ask_line(caller, line).await?;
            ensure!(
                plain.status == status && plain.has_form_of(line),
                "{} {} by {}: {} instead of {status}: {}",
                line.method,
                line.path,
                caller.name,
                plain.status,
                plain.body
            );
            let elsewhere = line.path.replace(['{', '}'], "").replace("name", "%ff");
            let broken = Body { content_type: JSON, text: "{\"" };
            let foreign = Body { content_type: "text/html", text: "<p>" };
            let probes = [
                (line.target.to_owned(), Some(broken)),
                (line.target.to_owned(), Some(foreign)),
                (format!("{}?limit=none&limit=none&%zz", line.path), None),
                (elsewhere, line.body.map(as_json)),
            ];
            for (target, body) in probes {
                let said = world.ask(caller, line.method, &target, body).await?;
                ensure!(
                    (said.status, &said.body) == (plain.status, &plain.body),
                    "{} {target} tells {} more than it should: {} {}",
                    line.method,
                    caller.name,
                    said.status,
                    said.body
                );
            }
            if line.method == "GET" {
                let head = world.ask(caller, "HEAD", line.target, None).await?;
                ensure!(head.status == status, "HEAD {} by {}: {}", line.path, caller.name, head.status);
            }
        }
    }
    Ok(())
}

/// In the order of the table: for those who may read first, then for an admin, who changes things.
async fn who_may_is_answered(world: &World) -> Result<()> {
    for line in &lines() {
        for caller in &world.callers {
            if refusal(line.asks, caller).is_some() {
                continue;
            }
            let said = world.ask_line(caller, line).await?;
            ensure!(
                said.status == line.status,
                "{} {} by {}: {} instead of {}: {}",
                line.method,
                line.target,
                caller.name,
                said.status,
                line.status,
                said.body
            );
        }
    }
    Ok(())
}
