//! What is no route, no method of a route, or no body of it is refused in the API's own form.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use super::asking::{Body, JSON};
use super::stores;
use super::table::lines;
use super::{World, operations};

/// Where the document says that a body may be JSON.
const JSON_BODY: &str = "/requestBody/content/application~1json";
const METHODS: [&str; 7] = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"];

pub(crate) async fn refusals_have_our_form(world: &World) -> Result<()> {
    methods_that_are_not_there(world).await?;
    paths_that_are_not_there(world).await?;
    bodies_that_cannot_be_read(world).await
}

async fn methods_that_are_not_there(world: &World) -> Result<()> {
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in &lines() {
        paths.entry(line.path).or_default().insert(line.method);
    }
    for (path, mut known) in paths {
        if known.contains("GET") {
            known.insert("HEAD");
        }
        // A name that is one route's word is no name of the other.
        for method in METHODS.iter().filter(|method| !known.contains(*method)) {
            for caller in ["anonymous", "admin"] {
                let target = path.replace(['{', '}'], "");
                let said = world.ask(world.caller(caller)?, method, &target, None).await?;
                let has_form = match path.starts_with("/services/collector") {
                    true => said.has_form_of_collector(),
                    false => said.has_our_form(),
                };
                ensure!(said.status == 405 && has_form, "{method} {path}: {said:?}");
                let allow = said.header("allow").with_context(|| format!("{method} {path}: no Allow"))?;
                let allowed: BTreeSet<&str> = allow.split(',').map(str::trim).collect();
                ensure!(allowed == known, "{method} {path}: Allow is {allow}, there are {known:?}");
            }
        }
    }
    Ok(())
}

async fn paths_that_are_not_there(world: &World) -> Result<()> {
    for caller in &world.callers {
        for path in ["/api", "/api/", "/api/nothing", "/api/logs/nothing", "/ws/nothing", "/debug/panic"] {
            for method in ["GET", "POST", "DELETE"] {
                let said = world.ask(caller, method, path, None).await?;
                ensure!(said.status == 404 && said.has_our_form(), "{method} {path}: {said:?}");
            }
        }
        // The dashboard is read, never written to: an address misspelt does not swallow records.
        let said =
            world.ask(caller, "POST", "/API/logs", Some(Body { content_type: JSON, text: "{}" })).await?;
        ensure!(said.status == 404 && said.has_our_form(), "POST /API/logs: {said:?}");
    }
    Ok(())
}

async fn bodies_that_cannot_be_read(world: &World) -> Result<()> {
    let admin = world.caller("admin")?;
    let routes = operations(&world.document);
    let lines = lines();
    let with_body = lines.iter().filter(|line| {
        let route = routes.get(&(line.method.to_owned(), line.path.to_owned()));
        // A raw line is whatever it is, and a journal none of these.
        let is_any = line.path.starts_with("/services/collector/raw")
            || line.path == "/upload"
            || stores::speaks_for_another(line.path);
        !is_any && route.is_some_and(|route| route.get("requestBody").is_some())
    });
    for line in with_body {
        // An id that can be read, so that the body is what is wrong.
        let target = line.target.replace("TOKEN", "0123456789abcdef");
        let key = (line.method.to_owned(), line.path.to_owned());
        let takes_json = routes.get(&key).is_some_and(|route| route.pointer(JSON_BODY).is_some());
        let of_json = if takes_json { 400 } else { 415 };
        let wrong =
            [(JSON, "{\"", of_json), (JSON, "[]]", of_json), (JSON, "7", of_json), ("text/html", "{}", 415)];
        for (content_type, text, status) in wrong {
            let said = world.ask(admin, line.method, &target, Some(Body { content_type, text })).await?;
            let has_form =
                if line.path == "/v1/logs" { said.has_form_of_otlp() } else { said.has_form_of(line) };
            // The collector takes JSON under any name.
            let status = if line.is_of_collector() { 400 } else { status };
            ensure!(
                said.status == status && has_form,
                "{} {target} with {text:?} as {content_type}: {said:?}",
                line.method
            );
        }
    }
    Ok(())
}
