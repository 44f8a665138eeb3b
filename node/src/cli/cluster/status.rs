//! `insighthub cluster status`: nodes, partitions, what is wrong and what to do.

use clap::Args;
use insighthub_model::api::cluster::{Cluster, Node, NodeState, Partition, Replica};
use insighthub_model::api::trouble::{Trouble, ago, troubles};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::client::{Client, ConnectionArgs};
use crate::cli::error::CliError;
use crate::cli::terminal::{Colour, Terminal, neutralise, neutralise_json, table};

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Fail with exit code 1 if something is wrong, for scripts and monitoring.
    #[arg(long)]
    check: bool,

    /// Print what the node answers, as JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(super) async fn run(args: StatusArgs) -> Result<(), CliError> {
    let answer: Box<RawValue> = Client::new(&args.connection)?.get("/api/cluster", &[]).await?;
    let url = &args.connection.url;
    let cluster = Cluster::deserialize(&mut serde_json::Deserializer::from_str(answer.get()))
        .map_err(|error| CliError::Unreadable { url: url.clone(), cause: error.to_string() })?;
    let troubles = troubles(&cluster);
    let mut terminal = Terminal::stdout();
    if args.json {
        terminal.line(&neutralise_json(answer.get()))?;
    } else {
        print(&mut terminal, &cluster, &troubles)?;
    }
    terminal.flush()?;
    let faults = troubles.iter().filter(|trouble| trouble.is_fault).count();
    if args.check && faults > 0 {
        return Err(CliError::Check(format!("the cluster is not healthy; faults: {faults}")));
    }
    Ok(())
}

fn print(terminal: &mut Terminal, cluster: &Cluster, troubles: &[Trouble]) -> Result<(), CliError> {
    let title = format!("Cluster {}, as {} sees it", cluster.cluster_id, cluster.node);
    terminal.line(&terminal.paint(&neutralise(&title), Colour::Dim))?;
    if troubles.is_empty() {
        terminal
            .line(&terminal.paint("Healthy: every node is ready, every partition led.", Colour::Green))?;
    }
    for trouble in troubles {
        let (mark, colour) = if trouble.is_fault { ("!", Colour::Red) } else { ("-", Colour::Yellow) };
        let what = format!("{mark} {}", neutralise(&trouble.what));
        terminal.line(&terminal.paint(&what, colour))?;
        terminal.line(&format!("  {}", neutralise(&trouble.advice)))?;
    }
    let tables = [node_rows(cluster), partition_rows(&cluster.partitions), spread_rows(cluster)];
    for rows in tables.into_iter().filter(|rows| rows.len() > 1) {
        terminal.line("")?;
        for (number, line) in table(&rows).iter().enumerate() {
            let line = if number == 0 { terminal.paint(line, Colour::Bold) } else { line.into() };
            terminal.line(&line)?;
        }
    }
    Ok(())
}

fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.iter().map(|text| neutralise(text).replace('\n', " ")).collect()
}

fn spread_rows(cluster: &Cluster) -> Vec<Vec<String>> {
    let mut rows = vec![cells(["spread service", "partitions"])];
    for spread in &cluster.spread {
        let partitions: Vec<String> = spread.partitions.iter().map(u64::to_string).collect();
        rows.push(cells([&spread.service, &partitions.join(" ")]));
    }
    rows
}

fn node_rows(cluster: &Cluster) -> Vec<Vec<String>> {
    let mut rows =
        vec![cells(["node", "state", "health", "heard", "leads", "replicas", "disk free", "address"])];
    for node in &cluster.nodes {
        let leads =
            cluster.partitions.iter().filter(|partition| partition.leader.as_ref() == Some(&node.name));
        let holds =
            |partition: &&Partition| partition.replicas.iter().any(|replica| replica.node == node.name);
        let heard = match node.last_heard_ms {
            Some(_) if node.name == cluster.node => "itself".to_owned(),
            Some(ms) => format!("{} ago", ago(ms)),
            None => "never".to_owned(),
        };
        rows.push(cells([
            &node.name,
            node.state.name(),
            health(node),
            &heard,
            &leads.count().to_string(),
            &cluster.partitions.iter().filter(holds).count().to_string(),
            &disk(node),
            &node.http,
        ]));
    }
    rows
}

fn health(node: &Node) -> &'static str {
    match (node.alive, node.ready, node.state) {
        (false, _, NodeState::Invited) => "not there yet",
        (false, ..) => "DOWN",
        (true, false, _) => "NOT READY",
        (true, true, _) => "ready",
    }
}

fn disk(node: &Node) -> String {
    // A node that was never heard has told nothing.
    if node.last_heard_ms.is_none() { "-".to_owned() } else { gib(node.disk_free_bytes) }
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1_u32 << 30))
}

fn partition_rows(partitions: &[Partition]) -> Vec<Vec<String>> {
    let mut rows = vec![cells(["partition", "leader", "records", "blocks", "size", "replicas"])];
    for partition in partitions {
        let replicas: Vec<String> = partition.replicas.iter().map(replica).collect();
        rows.push(cells([
            &partition.partition.to_string(),
            partition.leader.as_deref().unwrap_or("NONE"),
            &partition.records.to_string(),
            &partition.blocks.to_string(),
            &format!("{:.1} MiB", partition.block_bytes as f64 / f64::from(1_u32 << 20)),
            &replicas.join(", "),
        ]));
    }
    rows
}

/// The node and whatever is not ordinary about its replica.
fn replica(replica: &Replica) -> String {
    let mut notes = Vec::new();
    match replica.role.as_str() {
        "leader" | "follower" => {}
        "unknown" => notes.push("down".to_owned()),
        "learner" => notes.push("filling".to_owned()),
        other => notes.push(other.to_owned()),
    }
    if replica.answers() && replica.lag > 0 {
        notes.push(format!("{} behind", replica.lag));
    }
    if replica.damaged_blocks > 0 {
        notes.push(format!("{} damaged", replica.damaged_blocks));
    }
    let node = &replica.node;
    if notes.is_empty() { node.clone() } else { format!("{node} ({})", notes.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"cluster_id":"c","node":"n1","nodes":[
        {"name":"n1","http":"127.0.0.1:8000","alive":true,"ready":true,"last_heard_ms":0,"disk_free_bytes":2147483648},
        {"name":"n2\u001b[2J","http":"127.0.0.1:8001","alive":false,"last_heard_ms":12000}],
        "partitions":[{"partition":0,"leader":null,"records":5,"replicas":[
            {"node":"n1","role":"follower","lag":3},{"node":"n2","role":"unknown","lag":900}]}]}"#;

    fn lines(rows: &[Vec<String>]) -> String {
        table(rows).join("\n")
    }

    #[test]
    fn who_is_down_and_who_is_behind_stands_in_the_tables() {
        let cluster: Cluster = serde_json::from_str(ANSWER).unwrap();
        let nodes = lines(&node_rows(&cluster));
        assert!(nodes.contains("ready") && nodes.contains("itself") && nodes.contains("2.0 GiB"), "{nodes}");
        assert!(nodes.contains("DOWN") && nodes.contains("12 s ago"), "{nodes}");
        let partitions = lines(&partition_rows(&cluster.partitions));
        assert!(
            partitions.contains("NONE") && partitions.contains("n1 (3 behind), n2 (down)"),
            "{partitions}"
        );
    }

    #[test]
    fn a_name_from_the_network_commands_no_terminal() {
        let cluster: Cluster = serde_json::from_str(ANSWER).unwrap();
        assert!(!lines(&node_rows(&cluster)).contains('\x1b'));
    }
}
