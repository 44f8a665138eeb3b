//! Sends a set that need not fit into memory: one thread makes or reads records and cuts them into
//! requests while the connections send those before.

use futures::Stream;
use insighthub_model::clock::Clock;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::figures::Figures;
use super::ingest::{difference, rest, run_name};
use super::loader::load;
use super::prepared::{BodyFormat, Encoding, PreparedRequest, RequestForm, head_lines, socket_address};
use super::server_process::ServerProcess;
use crate::cli::client::ConnectionArgs;
use crate::cli::error::CliError;
use crate::system_clock::SystemClock;

const CONNECTIONS: usize = 4;
const BATCH_RECORDS: u64 = 1_000;
/// Requests made ahead for each connection; the maker waits when they are not sent yet.
const AHEAD_REQUESTS: usize = 4;

/// Where records go.
#[derive(Debug)]
pub(crate) struct Target {
    address: String,
    head_lines: String,
    process: Option<ServerProcess>,
}

impl Target {
    pub(crate) fn of(connection: &ConnectionArgs) -> Result<Target, CliError> {
        let address = socket_address(connection)?;
        let process = ServerProcess::behind(&address);
        Ok(Target { address, head_lines: head_lines(connection)?, process })
    }

    pub(super) fn process(&self) -> Option<ServerProcess> {
        self.process
    }
}

/// Sends every record that `next_line` appends, through 4 connections, and waits until the node is at rest.
///
/// The figures count the time from the first request to the last acknowledgement; making the records
/// goes on at the same time and shares the machine.
pub(crate) async fn send_set(
    target: &Target,
    next_line: impl FnMut(&mut Vec<u8>) -> std::io::Result<bool> + Send + 'static,
) -> Result<Figures, CliError> {
    let spent = || target.process.and_then(ServerProcess::processor_secs);
    let form = RequestForm {
        format: BodyFormat::Ndjson,
        encoding: Encoding::None,
        producer: run_name("set", SystemClock.now()),
        head_lines: target.head_lines.clone(),
    };
    let (spent_before, started) = (spent(), std::time::Instant::now());
    let (requests, maker) = feed(form, next_line);
    let connections = requests.into_iter().map(|requests| load(&target.address, stream(requests)));
    let outcomes = futures::future::try_join_all(connections).await;
    let made = maker.await.map_err(|error| CliError::Runtime(error.into()))?;
    let mut figures = Figures::default();
    for outcome in outcomes? {
        figures.add(outcome);
    }
    let made = made?;
    figures.elapsed = started.elapsed();
    figures.loading_secs = difference(spent_before, spent());
    (figures.sent, figures.raw_bytes, figures.wire_bytes) = (made.records, made.raw_bytes, made.wire_bytes);
    if let Some(process) = target.process {
        rest(process).await;
    }
    figures.resting_secs = difference(spent_before, spent());
    figures.peak_memory_mib = target.process.and_then(ServerProcess::peak_memory_mib);
    Ok(figures)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Made {
    records: u64,
    raw_bytes: u64,
    wire_bytes: u64,
}

type Requests = Vec<mpsc::Receiver<PreparedRequest>>;

/// Starts the thread that makes the requests: batch n goes to connection n modulo their number.
fn feed(
    form: RequestForm,
    mut next_line: impl FnMut(&mut Vec<u8>) -> std::io::Result<bool> + Send + 'static,
) -> (Requests, JoinHandle<Result<Made, CliError>>) {
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..CONNECTIONS).map(|_| mpsc::channel(AHEAD_REQUESTS)).unzip();
    let maker = tokio::task::spawn_blocking(move || {
        let mut made = Made::default();
        for (number, sender) in senders.iter().cycle().enumerate() {
            let (mut body, mut records) = (Vec::new(), 0);
            while records < BATCH_RECORDS && next_line(&mut body).map_err(CliError::Runtime)? {
                records += 1;
            }
            if records == 0 {
                break;
            }
            let (connection, turn) = (number % CONNECTIONS, number / CONNECTIONS);
            let request = form.prepare(connection as u64, turn as u64 + 1, records, body)?;
            made.records += records;
            made.raw_bytes += request.raw_bytes;
            made.wire_bytes += request.bytes.len() as u64;
            // A connection that is gone has failed, and says why.
            if sender.blocking_send(request).is_err() {
                break;
            }
        }
        Ok(made)
    });
    (receivers, maker)
}

fn stream(mut requests: mpsc::Receiver<PreparedRequest>) -> impl Stream<Item = PreparedRequest> + Unpin {
    futures::stream::poll_fn(move |context| requests.poll_recv(context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_record_is_in_one_request_and_connections_take_turns() {
        let mut left = 5_500;
        let form = RequestForm {
            format: BodyFormat::Ndjson,
            encoding: Encoding::None,
            producer: "p".to_owned(),
            head_lines: String::new(),
        };
        let (mut requests, maker) = feed(form, move |text| {
            left -= 1;
            text.extend_from_slice(b"{}\n");
            Ok(left >= 0)
        });
        let mut records = Vec::new();
        for (connection, requests) in requests.iter_mut().enumerate() {
            let mut sequence = 0;
            while let Some(request) = requests.recv().await {
                sequence += 1;
                let head = String::from_utf8_lossy(&request.bytes).into_owned();
                assert!(head.contains(&format!("x-insighthub-producer: p-{connection}\r\n")), "{head}");
                assert!(head.contains(&format!("x-insighthub-sequence: {sequence}\r\n")), "{head}");
                records.push(request.records);
            }
        }
        assert_eq!(records, [1_000, 1_000, 1_000, 500, 1_000, 1_000]);
        assert_eq!(maker.await.unwrap().unwrap().records, 5_500);
    }
}
