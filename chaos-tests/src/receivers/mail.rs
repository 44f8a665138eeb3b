//! A mail server that speaks SMTP, as much of it as a sender of alerts needs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it came over SMTP.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    /// When all of it was there.
    pub at: Instant,
}

impl Default for Mail {
    fn default() -> Self {
        Mail { from: String::new(), to: Vec::new(), data: String::new(), at: Instant::now() }
    }
}

impl Mail {
    /// One header, folded lines joined.
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap_or((&self.data, ""));
        let head = head.replace("\r\n ", " ");
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
        let found = lines.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub struct MailServer {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    pub async fn start() -> Result<MailServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = MailServer { address: listener.local_addr()?, mails: Arc::default() };
        let mails = Arc::clone(&server.mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mails = Arc::clone(&mails);
                tokio::spawn(async move {
                    if let Err(error) = talk(stream, &mails).await {
                        println!("a mail connection ended: {error:#}");
                    }
                });
            }
        });
        Ok(server)
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One connection, by RFC 5321.
async fn talk(stream: TcpStream, mails: &Mutex<Vec<Mail>>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test ESMTP\r\n").await?;
    let mut mail = Mail::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let (verb, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME",
            "MAIL" => {
                mail = Mail { from: address_of(rest)?, ..Mail::default() };
                "250 ok"
            }
            "RCPT" => {
                mail.to.push(address_of(rest)?);
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.data = data(&mut stream).await?;
                mail.at = Instant::now();
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut mail));
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "NOOP" | "RSET" => "250 ok",
            _ => "502 not known here",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

fn address_of(rest: &str) -> Result<String> {
    let inner = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    Ok(inner.with_context(|| format!("no address in {rest:?}"))?.0.to_owned())
}

async fn data(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            anyhow::bail!("the mail was cut off");
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
