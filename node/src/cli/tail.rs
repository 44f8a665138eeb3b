//! `insighthub tail`: follows logs as they arrive, across reconnects, without a gap.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures::StreamExt;
use insighthub_model::api::logs::Frame;
use reqwest::Url;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::addresses::Addresses;
use super::asking::{AnswerArgs, FilterArgs};
use super::error::CliError;
use super::follow::{self, FollowArgs};
use super::record_line::print_record;
use super::terminal::{Terminal, note};
use super::tls;

/// The node sends a heartbeat every 5 s: three missing ones mean that the connection is dead.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Waits between attempts to reconnect: quick at first, then patient.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Follow logs as they arrive; or follow files, and send them.
///
/// The connection is renewed when it breaks and continues where it stopped, so no record is missed.
/// When this terminal is slower than the logs, the node leaves records out and the number of
/// skipped records is shown.
///
/// With --file it is the other way round: what is appended to files goes to the cluster, each record once, also where this
/// command or nodes are killed and started again. --service is then the service of records that do not name theirs.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  insighthub tail                                    everything
  insighthub tail --service checkout --level ERROR   errors of one service
  insighthub tail 'timeout latency_ms:>1000'         any query
  insighthub tail --output ndjson | jq .message
  insighthub tail --file '/var/log/app/*.log' --service app
  insighthub tail --file /var/log/nginx/access.log --pattern combined --service web")]
pub struct TailArgs {
    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    follow: FollowArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// With TLS or without.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Line for S {}

type Socket = WebSocketStream<Box<dyn Line>>;

struct Follower {
    args: TailArgs,
    addresses: Addresses,
    /// Where an address asks for it.
    tls: Option<Arc<ClientConfig>>,
    terminal: Terminal,
    as_text: bool,
    /// Where to continue after a reconnect.
    cursor: Option<String>,
}

pub(crate) async fn run(args: TailArgs) -> Result<(), CliError> {
    args.follow.check()?;
    if args.follow.is_wanted() {
        return follow::run(&args.follow, args.filter.service(), &args.answer.connection).await;
    }
    let addresses = args.answer.connection.addresses()?;
    let terminal = Terminal::stdout();
    let as_text = terminal.shows_text(args.answer.output);
    let tls = addresses.need_tls().then(|| tls::client_config(args.answer.connection.ca.as_deref()));
    let tls = tls.transpose()?.map(Arc::new);
    let mut follower = Follower { args, addresses, tls, terminal, as_text, cursor: None };
    // One first connection must succeed: a wrong address or password is worth an error, not a wait.
    let mut socket = follower.connect_first().await?;
    loop {
        let cause = follower.follow(socket).await?;
        note(&format!("connection lost ({cause}); reconnecting"));
        socket = follower.reconnect().await?;
        note("connected again, continuing where it stopped");
    }
}

impl Follower {
    fn address(&self) -> Url {
        let mut url = self.addresses.current().clone();
        url.set_path("/ws/logs");
        // The base is http or https, checked; these are their twins, so this cannot fail.
        let renamed = url.set_scheme(if url.scheme() == "https" { "wss" } else { "ws" });
        debug_assert!(renamed.is_ok(), "http becomes ws");
        let cursor = self.cursor.iter().map(|cursor| ("cursor", cursor.clone()));
        for (name, value) in self.args.filter.parameters("q").chain(cursor) {
            url.query_pairs_mut().append_pair(name, &value);
        }
        url
    }

    async fn connect(&self) -> Result<Socket, CliError> {
        let mut request = self
            .address()
            .as_str()
            .into_client_request()
            .map_err(|error| CliError::Argument(format!("the address cannot be used: {error}")))?;
        if let Some(authorization) = self.args.answer.connection.authorization() {
            let value = HeaderValue::from_str(&authorization)
                .map_err(|_| CliError::Argument("the token or password holds a line break".to_owned()))?;
            request.headers_mut().insert("authorization", value);
        }
        let unreachable =
            |cause: String| CliError::NoNode { url: self.addresses.current().to_string(), cause };
        let line = self.line().await.map_err(|error| unreachable(error.to_string()))?;
        match client_async(request, line).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => Err(refusal(&response)),
            Err(error) => Err(unreachable(error.to_string())),
        }
    }

    async fn line(&self) -> io::Result<Box<dyn Line>> {
        let url = self.addresses.current();
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        // Brackets are part of an address in a URL only.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, port)).await?;
        match &self.tls {
            Some(config) if url.scheme() == "https" => {
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                Ok(Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?))
            }
            _ => Ok(Box::new(stream)),
        }
    }

    async fn connect_first(&self) -> Result<Socket, CliError> {
        let mut others = self.addresses.count() - 1;
        loop {
            match self.connect().await {
                Err(error) if error.is_passing() && others > 0 => {
                    others -= 1;
                    self.addresses.change();
                }
                outcome => return outcome,
            }
        }
    }

    /// The cursor means the same to every node of the cluster, so any of them continues.
    async fn reconnect(&self) -> Result<Socket, CliError> {
        let mut attempt = 0;
        loop {
            tokio::time::sleep(BACKOFF.get(attempt).copied().unwrap_or(Duration::from_secs(5))).await;
            attempt += 1;
            match self.connect().await {
                Err(error) if error.is_passing() => self.addresses.change(),
                outcome => return outcome,
            }
        }
    }

    /// Prints until the connection breaks; says why it broke.
    async fn follow(&mut self, mut socket: Socket) -> Result<String, CliError> {
        loop {
            let message = match tokio::time::timeout(SILENCE_MAX, socket.next()).await {
                Err(_) => return Ok("nothing was heard for 15 s".to_owned()),
                Ok(None) => return Ok("closed by the node".to_owned()),
                Ok(Some(Err(error))) => return Ok(error.to_string()),
                Ok(Some(Ok(message))) => message,
            };
            match message {
                Message::Text(text) => self.show(&text)?,
                Message::Close(Some(frame)) => return Ok(format!("closed by the node: {}", frame.reason)),
                _ => {}
            }
        }
    }

    fn show(&mut self, text: &str) -> Result<(), CliError> {
        let frame: Frame<Box<RawValue>> = serde_json::from_str(text).map_err(|error| {
            CliError::Unreadable { url: self.addresses.current().to_string(), cause: error.to_string() }
        })?;
        for record in frame.records.iter().flatten() {
            print_record(&mut self.terminal, record.get(), self.as_text)?;
        }
        self.terminal.flush()?;
        if let Some(skipped) = frame.skipped {
            note(&format!(
                "--- {skipped} records skipped: this reader is slower than the logs; narrow the query ---"
            ));
        }
        self.cursor = Some(frame.cursor);
        Ok(())
    }
}

fn refusal(response: &tungstenite::http::Response<Option<Vec<u8>>>) -> CliError {
    let body = response.body().as_deref().unwrap_or_default();
    let message = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|body| Some(body.get("error")?.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| response.status().to_string());
    match response.status().as_u16() {
        401 => CliError::Unauthorized { message },
        403 => CliError::Forbidden { message },
        status => CliError::Refused { status, message, retry_after: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TailArgs,
    }

    fn follower(line: &[&str], cursor: Option<&str>) -> Follower {
        let args = Line::parse_from(line).args;
        let addresses = args.answer.connection.addresses().unwrap();
        let cursor = cursor.map(str::to_owned);
        Follower { args, addresses, tls: None, terminal: Terminal::stdout(), as_text: true, cursor }
    }

    #[test]
    fn a_reconnect_asks_for_the_same_logs_from_the_cursor_on() {
        let line = ["tail", "time out", "--level", "error", "--url", "http://127.0.0.1:9"];
        let address = follower(&line, Some("a+b")).address().to_string();
        assert_eq!(address, "ws://127.0.0.1:9/ws/logs?q=time+out&level=ERROR&cursor=a%2Bb");
    }

    #[test]
    fn the_cursor_of_every_frame_is_kept() {
        let mut follower = follower(&["tail"], None);
        follower.show(r#"{"records":[],"cursor":"c1"}"#).unwrap();
        follower.show(r#"{"skipped":3,"cursor":"c2"}"#).unwrap();
        assert_eq!(follower.cursor.as_deref(), Some("c2"));
    }
}
