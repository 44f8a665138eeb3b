//! Requests as bytes, ready to be written: nothing is left to do on the way but to send them.

use std::io::Write as _;

use clap::ValueEnum;

use crate::cli::client::ConnectionArgs;
use crate::cli::error::CliError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BodyFormat {
    /// One object a line.
    Ndjson,
    /// One array of objects.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Encoding {
    None,
    Gzip,
    Zstd,
}

/// What the requests of a run have in common.
#[derive(Debug, Clone)]
pub(super) struct RequestForm {
    pub(super) format: BodyFormat,
    pub(super) encoding: Encoding,
    /// Tells this run's batches from those of any other run.
    pub(super) producer: String,
    /// Host and, where there is one, authorization header, as lines of the request's head.
    pub(super) head_lines: String,
}

/// One request, ready to be written, and how many records it holds.
#[derive(Debug)]
pub(super) struct PreparedRequest {
    pub(super) bytes: Vec<u8>,
    pub(super) records: u64,
    /// Size of the body before compression.
    pub(super) raw_bytes: u64,
}

impl RequestForm {
    /// The request of one connection's batch.
    pub(super) fn prepare(
        &self,
        connection: u64,
        sequence: u64,
        records: u64,
        raw: Vec<u8>,
    ) -> Result<PreparedRequest, CliError> {
        let raw_bytes = raw.len() as u64;
        let (body, encoding_line) = match self.encoding {
            Encoding::None => (raw, ""),
            Encoding::Gzip => (gzip(&raw)?, "content-encoding: gzip\r\n"),
            // Level 1: what a client that cares about its own processor would choose.
            Encoding::Zstd => {
                (zstd::bulk::compress(&raw, 1).map_err(CliError::Runtime)?, "content-encoding: zstd\r\n")
            }
        };
        let content_type = match self.format {
            BodyFormat::Ndjson => "application/x-ndjson",
            BodyFormat::Json => "application/json",
        };
        let mut bytes = format!(
            "POST /api/logs HTTP/1.1\r\n{}content-type: {content_type}\r\n{encoding_line}x-insighthub-producer: {}-{connection}\r\nx-insighthub-sequence: {sequence}\r\ncontent-length: {}\r\n\r\n",
            self.head_lines,
            self.producer,
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&body);
        Ok(PreparedRequest { bytes, records, raw_bytes })
    }
}

fn gzip(raw: &[u8]) -> Result<Vec<u8>, CliError> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(raw).and_then(|()| encoder.finish()).map_err(CliError::Runtime)
}

/// The lines of a request's head that follow from whom it is sent to and by whom.
pub(super) fn head_lines(connection: &ConnectionArgs) -> Result<String, CliError> {
    let base = connection.addresses()?.current().clone();
    let mut head_lines = format!("host: {}\r\n", base.authority());
    if let Some(authorization) = connection.authorization() {
        if authorization.contains(['\r', '\n']) {
            return Err(CliError::Argument("the token or password holds a line break".to_owned()));
        }
        head_lines.push_str(&format!("authorization: {authorization}\r\n"));
    }
    Ok(head_lines)
}

/// Host and port to connect to.
pub(super) fn socket_address(connection: &ConnectionArgs) -> Result<String, CliError> {
    let addresses = connection.addresses()?;
    if addresses.need_tls() {
        let message = "this measurement writes to plain sockets: give an address with http://";
        return Err(CliError::Argument(message.to_owned()));
    }
    let base = addresses.current().clone();
    let host = base.host_str().unwrap_or("127.0.0.1");
    Ok(format!("{host}:{}", base.port_or_known_default().unwrap_or(80)))
}
