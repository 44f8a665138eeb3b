//! `insighthub cluster`: how the nodes are, and changes of who they are.

mod status;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::status::StatusArgs;
use super::client::{Client, ConnectionArgs};
use super::error::CliError;
use super::terminal::note;

/// Look at the nodes of a cluster; add, drain and remove them.
///
/// Changes need an admin: give --user and --password, or INSIGHTHUB_USER and INSIGHTHUB_PASSWORD.
/// They return once they are written down; the replicas then move by themselves, as `cluster status`
/// shows.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub cluster status                        nodes, partitions, and what is wrong
  insighthub cluster status --check                the same; exit code 1 if something is wrong
  insighthub cluster join n4 --http 10.0.0.4:8000 --peer 10.0.0.4:7000 --control 10.0.0.4:7100
  insighthub cluster drain n2                      move its replicas away before it goes
  insighthub cluster remove n2                     it is drained and stopped
  insighthub cluster remove n2 --force             its disk is lost
  insighthub cluster move-leader 3 n1              let n1 lead partition 3
  insighthub cluster spread checkout --over 4      keep a hot service in four partitions")]
pub struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Show nodes and partitions, what is wrong, and what to do about it.
    Status(StatusArgs),
    /// Expect a new node: it comes in once it is started with these addresses.
    Join {
        /// What the new node is called.
        name: String,
        /// Its address for clients, as its peers and people reach it.
        #[arg(long, value_name = "ADDR")]
        http: std::net::SocketAddr,
        /// Its address for the data between nodes.
        #[arg(long, value_name = "ADDR")]
        peer: std::net::SocketAddr,
        /// Its address for small messages between nodes.
        #[arg(long, value_name = "ADDR")]
        control: std::net::SocketAddr,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Move all replicas of a node to others, so that it can go.
    Drain(NodeArgs),
    /// Let a node hold replicas again.
    Undrain(NodeArgs),
    /// Take a node out for good; its name may be used again with an empty data directory.
    Remove {
        #[command(flatten)]
        node: NodeArgs,
        /// The node is lost with its disk: make its replicas anew elsewhere.
        #[arg(long)]
        force: bool,
    },
    /// Let a node lead a partition of which it holds a replica.
    ///
    /// Leaders are evened out again after a while.
    MoveLeader {
        /// The number that `cluster status` shows.
        partition: u16,
        /// The node that shall lead.
        node: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Keep a hot service in several partitions, so that several leaders take its logs.
    ///
    /// The cluster does this by itself where one leader is the bottleneck. A spread only grows.
    Spread {
        /// The service.
        service: String,
        /// How many partitions.
        #[arg(long, value_name = "PARTITIONS")]
        over: u16,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

#[derive(Debug, Args)]
struct NodeArgs {
    /// The node's name.
    name: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: ClusterArgs) -> Result<(), CliError> {
    match args.command {
        ClusterCommand::Status(args) => status::run(args).await,
        ClusterCommand::Join { name, http, peer, control, connection } => {
            let body = json!({ "name": name, "http": http, "peer": peer, "control": control });
            let _: Value = Client::new(&connection)?.post("/api/cluster/nodes", &body).await?;
            note(&format!(
                "{name} is expected. Add its [[node]] to its own configuration beside at least one node that \
                 runs, and start it: insighthub serve --config FILE --node {name} --data DIR"
            ));
            Ok(())
        }
        ClusterCommand::Drain(node) => drain(&node).await,
        ClusterCommand::Undrain(NodeArgs { name, connection }) => {
            let path = format!("{}/undrain", path_of(&name)?);
            let _: Value = Client::new(&connection)?.post(&path, &json!({})).await?;
            note(&format!("{name} may hold replicas again."));
            Ok(())
        }
        ClusterCommand::Remove { node: NodeArgs { name, connection }, force } => {
            let force = if force { "?force=true" } else { "" };
            Client::new(&connection)?.delete(&format!("{}{force}", path_of(&name)?)).await?;
            note(&format!(
                "{name} is removed. It must not run any more; to use the name again start it with an empty \
                 data directory."
            ));
            Ok(())
        }
        ClusterCommand::MoveLeader { partition, node, connection } => {
            let path = format!("/api/cluster/partitions/{partition}/leader");
            let _: Value = Client::new(&connection)?.post(&path, &json!({ "node": node })).await?;
            note(&format!("{node} leads partition {partition}."));
            Ok(())
        }
        ClusterCommand::Spread { service, over, connection } => {
            let body = json!({ "service": service, "partitions": over });
            let _: Value = Client::new(&connection)?.post("/api/cluster/spread", &body).await?;
            note(&format!("{service} is spread over {over} partitions from here on."));
            Ok(())
        }
    }
}

async fn drain(node: &NodeArgs) -> Result<(), CliError> {
    let NodeArgs { name, connection } = node;
    let path = format!("{}/drain", path_of(name)?);
    let answer: Value = Client::new(connection)?.post(&path, &json!({})).await?;
    let left = answer.get("replicas").and_then(Value::as_u64).unwrap_or_default();
    note(&format!(
        "{name} is being drained; replicas on it: {left}. Watch them go with `insighthub cluster status`."
    ));
    Ok(())
}

/// The path of a node. Any character but the plain ones is escaped, a slash above all.
fn path_of(name: &str) -> Result<String, CliError> {
    if name.is_empty() || name == "." || name == ".." {
        return Err(CliError::Argument(format!(
            "{name:?} is no name of a node: see `insighthub cluster status`"
        )));
    }
    let mut path = "/api/cluster/nodes/".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_part_of_the_path() {
        assert_eq!(path_of("n1").unwrap(), "/api/cluster/nodes/n1");
        assert_eq!(path_of("a/b?c ü").unwrap(), "/api/cluster/nodes/a%2Fb%3Fc%20%C3%BC");
        for name in ["", ".", ".."] {
            assert!(path_of(name).unwrap_err().to_string().contains("cluster status"));
        }
    }
}
