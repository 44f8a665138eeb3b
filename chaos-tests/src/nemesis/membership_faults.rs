//! Orders to the cluster while it works: join, drain, remove, move a leader, spread a service.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Effect, LISTENING_WITHIN, Nemesis};
use crate::cluster::links::{Dialer, Plane};
use crate::cluster::node::{Condition, Node};
use crate::cluster::view::View;

/// An order may meet an election, and is given again.
const ORDER_WITHIN: Duration = Duration::from_secs(20);
/// Replicas move with bounded bandwidth, on a slow machine under load.
const MOVED_WITHIN: Duration = Duration::from_secs(90);
const LEADS_WITHIN: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Fewer members than replicas could not hold the data.
const MEMBERS_MIN: usize = 3;

/// An order to the cluster.
enum Order {
    Post(String, Option<Value>),
    Delete(String),
}

impl Nemesis {
    pub(super) async fn join_one(&self) -> Result<Effect> {
        let absent = self.cluster.nodes.iter().position(|node| node.condition() == Condition::Absent);
        let number = absent.context("every node is a member already")?;
        let node = self.cluster.node(number)?;
        if node.data.exists() {
            node.wipe().await?;
        }
        node.launch().await?;
        let joined = self.make_member(number, node).await;
        if joined.is_err() {
            node.forget().await?;
        }
        joined
    }

    async fn make_member(&self, number: usize, node: &Node) -> Result<Effect> {
        node.wait_until_listening(LISTENING_WITHIN).await?;
        let place = |plane, direct| {
            self.cluster.links.address(Dialer::Anyone, number, plane).unwrap_or(direct).to_string()
        };
        let body = json!({
            "name": node.name,
            "http": node.http.to_string(),
            "peer": place(Plane::Peer, node.listening.peer),
            "control": place(Plane::Control, node.listening.control),
        });
        // The node may have asked by itself meanwhile, which is as good.
        let is_member = |view: &View| view.member(&node.name).is_some_and(|member| member.state == "active");
        let order = Order::Post("/api/cluster/nodes".to_owned(), Some(body));
        self.order(number, &order, &is_member).await?;
        self.see(number, &format!("{} is an active member", node.name), MOVED_WITHIN, is_member).await?;
        Ok(Effect::seen(format!("{} joined", node.name)))
    }

    pub(super) async fn remove_one(&self) -> Result<Effect> {
        let members = self.cluster.up();
        ensure!(members.len() > MEMBERS_MIN, "only {} members are left", members.len());
        // The one that leads most has most to give up.
        let view = self.cluster.views().await.into_iter().next().context("no node answers")?;
        let leads =
            |number: &&usize| self.cluster.node(**number).map_or(0, |node| view.leads(&node.name).len());
        let number = *members.iter().max_by_key(leads).context("no member")?;
        let node = self.cluster.node(number)?;
        let started = Instant::now();
        let drain = Order::Post(format!("/api/cluster/nodes/{}/drain", node.name), None);
        self.order(number, &drain, &|_| false).await?;
        let holds_nothing = |view: &View| view.holds(&node.name).is_empty();
        let emptied =
            self.see(number, &format!("{} holds no replica", node.name), MOVED_WITHIN, holds_nothing).await;
        if emptied.is_err() {
            let undrain = Order::Post(format!("/api/cluster/nodes/{}/undrain", node.name), None);
            self.order(number, &undrain, &|_| false).await?;
        }
        emptied?;
        let order = Order::Delete(format!("/api/cluster/nodes/{}", node.name));
        let is_gone = |view: &View| view.member(&node.name).is_none_or(|member| member.state == "removed");
        self.order(number, &order, &is_gone).await?;
        self.see(number, &format!("{} is no member", node.name), ORDER_WITHIN, is_gone).await?;
        node.forget().await?;
        Ok(Effect::seen(format!("{} removed in {:.1} s", node.name, started.elapsed().as_secs_f64())))
    }

    /// Drained, it leads nothing; then it is taken back.
    pub(super) async fn drain_for(&self, number: usize, length: Duration) -> Result<Effect> {
        let node = self.cluster.node(number)?;
        let drain = Order::Post(format!("/api/cluster/nodes/{}/drain", node.name), None);
        self.order(number, &drain, &|_| false).await?;
        let leads_nothing = |view: &View| {
            view.leads(&node.name).is_empty()
                && view.member(&node.name).is_some_and(|member| member.state == "draining")
        };
        let drained = self
            .see(number, &format!("{} is draining and leads nothing", node.name), MOVED_WITHIN, leads_nothing)
            .await;
        sleep(length).await;
        let undrain = Order::Post(format!("/api/cluster/nodes/{}/undrain", node.name), None);
        self.order(number, &undrain, &|_| false).await?;
        drained.map(|()| Effect::seen(format!("{} drained for {length:?}", node.name)))
    }

    pub(super) async fn move_leader(&self, partition: u16) -> Result<Effect> {
        let view = self.cluster.views().await.into_iter().next().context("no node answers")?;
        let place = view.partition(partition).context("no such partition")?;
        let is_follower = |name: &&str| Some(*name) != place.leader.as_deref();
        let running = self.cluster.up();
        let runs = |name: &&str| self.cluster.number_of(name).is_some_and(|number| running.contains(&number));
        let names = place.replicas.iter().map(|replica| replica.node.as_str());
        let target = names.filter(is_follower).find(runs).context("no other replica runs")?.to_owned();
        let path = format!("/api/cluster/partitions/{partition}/leader");
        let order = Order::Post(path, Some(json!({ "node": target })));
        let leads = |view: &View| {
            view.partition(partition).is_some_and(|place| place.leader.as_ref() == Some(&target))
        };
        self.order(usize::MAX, &order, &leads).await?;
        self.see(usize::MAX, &format!("{target} leads partition {partition}"), LEADS_WITHIN, leads).await?;
        Ok(Effect::seen(format!("{target} leads partition {partition}")))
    }

    pub(super) async fn spread(&self, service: &str, over: u16) -> Result<Effect> {
        let is_spread = |view: &View| view.spread_of(service) >= usize::from(over);
        if self.cluster.views().await.iter().any(is_spread) {
            return Ok(Effect::seen(format!("{service} is spread as wide already")));
        }
        let body = json!({ "service": service, "partitions": over });
        let order = Order::Post("/api/cluster/spread".to_owned(), Some(body));
        self.order(usize::MAX, &order, &is_spread).await?;
        self.see(usize::MAX, &format!("{service} is spread over {over}"), LEADS_WITHIN, is_spread).await?;
        Ok(Effect::seen(format!("{service} spread over {over}")))
    }

    /// Gives an order to a running node other than the one it is about, until one accepts it or what it
    /// asks for is done.
    async fn order(&self, about: usize, order: &Order, is_done: &impl Fn(&View) -> bool) -> Result<()> {
        let (started, mut turn) = (Instant::now(), 0);
        loop {
            let up: Vec<usize> = self.cluster.up().into_iter().filter(|node| *node != about).collect();
            let number = up.get(turn % up.len().max(1)).copied().context("no other node runs")?;
            turn += 1;
            let node = self.cluster.node(number)?;
            let answer = match order {
                Order::Post(path, Some(body)) => node.admin().post_json(path, body).await,
                Order::Post(path, None) => node.admin().post(path).await,
                Order::Delete(path) => node.admin().delete(path).await,
            };
            let trouble = match answer {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(()),
                Ok(answer) if matches!(answer.status, 409 | 429 | 500..) => {
                    format!("{}: {} {}", node.name, answer.status, answer.text)
                }
                Ok(answer) => bail!("{}: {} {}", node.name, answer.status, answer.text),
                Err(error) => format!("{}: {error:#}", node.name),
            };
            if node.view().await.is_some_and(|view| is_done(&view)) {
                return Ok(());
            }
            ensure!(started.elapsed() < ORDER_WITHIN, "the order is not accepted: {trouble}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a running node other than the one it is about sees it done.
    async fn see(
        &self,
        about: usize,
        what: &str,
        within: Duration,
        is_done: impl Fn(&View) -> bool,
    ) -> Result<()> {
        let started = Instant::now();
        let about = self.cluster.nodes.get(about).map(|node| node.name.as_str());
        loop {
            let views = self.cluster.views().await;
            let mut others = views.iter().filter(|view| Some(view.node.as_str()) != about);
            if others.any(&is_done) {
                return Ok(());
            }
            ensure!(started.elapsed() < within, "not within {within:?}: {what}");
            sleep(LOOK_EVERY).await;
        }
    }
}
