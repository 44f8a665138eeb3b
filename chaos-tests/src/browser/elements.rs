//! Elements of the page: found by selector or by what assistive software calls them, read, clicked, filled in.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::keys::{CONTROL, RELEASED};
use super::{Browser, FOUND_WITHIN};

/// Between two looks; each is some questions to the browser.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Which element is meant: exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// The first that matches a CSS selector.
    Css(String),
    /// The only one with this role and accessible name, as a screen reader says them.
    Named { role: String, name: String, inside: String },
}

impl From<&str> for Locator {
    fn from(selector: &str) -> Locator {
        Locator::Css(selector.to_owned())
    }
}

impl From<&Locator> for Locator {
    fn from(locator: &Locator) -> Locator {
        locator.clone()
    }
}

/// The element with this ARIA role and exactly this accessible name: `named("button", "Save")`.
pub fn named(role: &str, name: &str) -> Locator {
    Locator::Named { role: role.to_owned(), name: name.to_owned(), inside: "body".to_owned() }
}

impl Locator {
    /// The same within the first element that matches a selector; for one named by a selector nothing changes.
    #[must_use]
    pub fn inside(mut self, selector: &str) -> Locator {
        if let Locator::Named { inside, .. } = &mut self {
            selector.clone_into(inside);
        }
        self
    }
}

impl Browser {
    /// Clicks in the middle; waits until it is there and nothing lies over it.
    pub async fn click(&self, locator: impl Into<Locator>) -> Result<()> {
        let locator = &locator.into();
        self.until_it_works(locator, || async {
            let element = self.look_for(locator).await?;
            self.driver.post(&format!("/element/{element}/click"), &json!({})).await
        })
        .await
        .map(drop)
    }

    /// Types into the element, key by key, behind what it holds.
    pub async fn type_into(&self, locator: impl Into<Locator>, text: &str) -> Result<()> {
        let element = self.find(&locator.into()).await?;
        self.driver.post(&format!("/element/{element}/value"), &json!({ "text": text })).await.map(drop)
    }

    /// Types over what the element holds.
    pub async fn fill(&self, locator: impl Into<Locator>, text: &str) -> Result<()> {
        self.type_into(locator, &format!("{CONTROL}a{RELEASED}{text}")).await
    }

    /// Chooses the option of a list by what it says.
    pub async fn select(&self, locator: impl Into<Locator>, option: &str) -> Result<()> {
        let locator = &locator.into();
        self.until_it_works(locator, || async {
            let element = self.look_for(locator).await?;
            let by_text = format!(".//option[normalize-space(.)={option:?}]");
            let query = json!({ "using": "xpath", "value": by_text });
            let found = self.driver.post(&format!("/element/{element}/element"), &query).await?;
            let found = reference(&found).with_context(|| format!("no option {option:?}"))?;
            self.driver.post(&format!("/element/{found}/click"), &json!({})).await
        })
        .await
        .map(drop)
    }

    /// The text of one element as it is drawn.
    pub async fn text_of(&self, locator: impl Into<Locator>) -> Result<String> {
        let element = self.find(&locator.into()).await?;
        let text = self.driver.get(&format!("/element/{element}/text")).await?;
        Ok(text.as_str().context("the text is none")?.to_owned())
    }

    /// The texts of all that match a CSS selector now.
    pub async fn texts(&self, selector: &str) -> Result<Vec<String>> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map(it => it.innerText ?? it.textContent);";
        Ok(serde_json::from_value(self.run(script, &[json!(selector)]).await?)?)
    }

    /// What a field holds.
    pub async fn value_of(&self, locator: impl Into<Locator>) -> Result<String> {
        let element = self.find(&locator.into()).await?;
        let value = self.driver.get(&format!("/element/{element}/property/value")).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Names of everything on the page that has a role and can be used: what a person who hears the page may choose from.
    pub async fn names_of(&self, role: &str) -> Result<Vec<String>> {
        let nodes = self.accessible("body", role).await?;
        let is_usable = |node: &&Accessible| !node.is_disabled;
        Ok(nodes.iter().filter(is_usable).map(|node| node.name.clone()).collect())
    }

    /// Waits until it is there; the id that the driver gave it.
    pub(super) async fn find(&self, locator: &Locator) -> Result<String> {
        self.until_it_works(locator, || self.look_for(locator)).await
    }

    /// Tries until it works: what is covered, redrawn or not there yet may be so a moment later.
    async fn until_it_works<T, Trying>(&self, what: &Locator, attempt: impl Fn() -> Trying) -> Result<T>
    where
        Trying: Future<Output = Result<T>>,
    {
        let started = Instant::now();
        loop {
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) if started.elapsed() > FOUND_WITHIN => {
                    let page = self.run("return document.body.innerText;", &[]).await.unwrap_or_default();
                    let page = page.as_str().unwrap_or_default();
                    return Err(
                        error.context(format!("{what:?} not within {FOUND_WITHIN:?}; the page says: {page}"))
                    );
                }
                Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn look_for(&self, locator: &Locator) -> Result<String> {
        let found = match locator {
            Locator::Css(selector) => {
                let query = json!({ "using": "css selector", "value": selector });
                self.driver.post("/element", &query).await?
            }
            Locator::Named { role, name, inside } => {
                let nodes = self.accessible(inside, role).await?;
                let matching: Vec<&Accessible> = nodes.iter().filter(|node| node.name == *name).collect();
                let [node] = matching.as_slice() else {
                    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
                    bail!("{} are a {role} named {name:?}; there are {names:?}", matching.len());
                };
                self.element_of(node.node).await?
            }
        };
        reference(&found).with_context(|| format!("nothing is {locator:?}"))
    }

    /// What has the role among what assistive software is told of an element.
    async fn accessible(&self, inside: &str, role: &str) -> Result<Vec<Accessible>> {
        let expression = format!("document.querySelector({})", json!(inside));
        let root = self.devtools("Runtime.evaluate", &json!({ "expression": expression })).await?;
        let root =
            root.pointer("/result/objectId").cloned().with_context(|| format!("nothing matches {inside}"))?;
        let query = json!({ "objectId": root, "role": role });
        let found = self.devtools("Accessibility.queryAXTree", &query).await?;
        let nodes = found.get("nodes").and_then(Value::as_array).context("no accessibility tree")?;
        Ok(nodes.iter().filter_map(Accessible::read).collect())
    }

    /// The same node as the driver names it. The page's script is the way between the two protocols.
    async fn element_of(&self, backend_node: u64) -> Result<Value> {
        let node = self.devtools("DOM.resolveNode", &json!({ "backendNodeId": backend_node })).await?;
        let object = node.pointer("/object/objectId").cloned().context("the node is gone")?;
        let keep =
            json!({ "objectId": object, "functionDeclaration": "function() { globalThis.located = this; }" });
        self.devtools("Runtime.callFunctionOn", &keep).await?;
        let script = "const it = globalThis.located; delete globalThis.located; return it;";
        let element = self.run(script, &[]).await?;
        ensure!(element.is_object(), "the node is no element");
        Ok(element)
    }
}

/// A node as assistive software is told of it.
struct Accessible {
    name: String,
    node: u64,
    is_disabled: bool,
}

impl Accessible {
    fn read(node: &Value) -> Option<Accessible> {
        if node.get("ignored")?.as_bool()? {
            return None;
        }
        let properties = node.get("properties").and_then(Value::as_array);
        let is_disabled = properties.into_iter().flatten().any(|property| {
            property.get("name").is_some_and(|name| name == "disabled")
                && property.pointer("/value/value") == Some(&json!(true))
        });
        let name = node.pointer("/name/value").and_then(Value::as_str).unwrap_or_default();
        Some(Accessible { name: name.to_owned(), node: node.get("backendDOMNodeId")?.as_u64()?, is_disabled })
    }
}

/// The id in the driver's reference to an element.
fn reference(found: &Value) -> Option<String> {
    found.as_object()?.values().next()?.as_str().map(str::to_owned)
}
