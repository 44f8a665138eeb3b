//! systemd-journal-upload, on a journal that systemd's own tool makes of text.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::client::{Client, OnFailure, Package, Program};
use super::expected::Expected;
use super::programs::{Programs, Start};
use super::sent::{Sent, Shape};

/// Making a journal of a few thousand entries takes a fraction of this.
const MADE_WITHIN: Duration = Duration::from_secs(60);
/// Which start of the machine the entries are of: any.
const BOOT_ID: &str = "0123456789abcdef0123456789abcdef";
const HOST: &str = "till-7";

pub(super) fn clients() -> Vec<Client> {
    vec![Client {
        name: "journal-upload",
        page: "syslog.md",
        program: Program::Journal,
        shape: Shape::Any,
        expect,
        // It ends; systemd starts it again, from where it was.
        on_failure: OnFailure::Loses,
        package: Package::Debian("systemd-journal-remote"),
    }]
}

fn expect(sent: &Sent) -> Expected {
    let fields = Expected::of(sent).at(sent).field("hostname", HOST).field("pid", "4242");
    fields.field("user", sent.user.as_str()).field("cart_items", sent.items.to_string())
}

/// Makes the journal and starts uploading it; the upload goes on until it is stopped.
pub(super) async fn start(start: &Start<'_>) -> Result<Programs> {
    let export: Vec<u8> = start.sent.iter().flat_map(|sent| entry(sent, start.service)).collect();
    std::fs::write(start.folder.join("export"), export)?;
    let mut maker = start.tools.debian("lib/systemd/systemd-journal-remote")?;
    maker.arg("--output=in.journal").arg("export");
    let mut maker = start.spawn(maker, "maker")?;
    let made = tokio::time::timeout(MADE_WITHIN, maker.wait()).await;
    ensure!(made.context("the journal is not made in time")??.success(), "the journal cannot be made");
    let url = start.block.lines().find_map(|line| line.strip_prefix("URL="));
    let mut uploader = start.tools.debian("lib/systemd/systemd-journal-upload")?;
    uploader.arg(format!("--url={}", url.context("no URL= in the configuration")?));
    uploader.arg(format!("--file={}", start.folder.join("in.journal").display())).arg("--save-state=state");
    let daemon = Some(start.spawn(uploader, "daemon")?);
    let sender = start.spawn(tokio::process::Command::new("true"), "sender")?;
    Ok(Programs { sender, daemon })
}

/// One entry in the journal's export format.
fn entry(sent: &Sent, service: &str) -> Vec<u8> {
    let at = time::OffsetDateTime::parse(&sent.timestamp, &time::format_description::well_known::Rfc3339);
    let micros = at.map_or(0, |at| at.unix_timestamp_nanos() / 1_000);
    let priority = match sent.level {
        "debug" => 7,
        "warn" => 4,
        "error" => 3,
        "fatal" => 2,
        _ => 6,
    };
    let mut entry = Vec::new();
    for (name, value) in [
        ("__REALTIME_TIMESTAMP", micros.to_string()),
        ("__MONOTONIC_TIMESTAMP", (1_000_000 + sent.number).to_string()),
        ("_BOOT_ID", BOOT_ID.to_owned()),
        ("_HOSTNAME", HOST.to_owned()),
        ("_PID", "4242".to_owned()),
        ("SYSLOG_IDENTIFIER", service.to_owned()),
        ("PRIORITY", priority.to_string()),
        ("MESSAGE", sent.message.clone()),
        ("USER", sent.user.clone()),
        ("CART_ITEMS", sent.items.to_string()),
    ] {
        if value.contains('\n') {
            entry.extend_from_slice(format!("{name}\n").as_bytes());
            entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
            entry.extend_from_slice(format!("{value}\n").as_bytes());
        } else {
            entry.extend_from_slice(format!("{name}={value}\n").as_bytes());
        }
    }
    entry.push(b'\n');
    entry
}
