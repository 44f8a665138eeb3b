//! Where messages must not go: every spelling of an inner address that is known from other products' holes, and the ways around
//! a check, which are names that change and receivers that point elsewhere.

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Channel, Failure, Notice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Guard, GuardError, Letter, NotDelivered, Outgoing};

/// Who refuses an address.
#[derive(Debug, PartialEq, Eq)]
enum By {
    /// It is not kept as a channel.
    Form,
    /// What it is looked up as is not called.
    Guard,
    /// There is no such name, or nothing is left to look up.
    LookUp,
}

const ADDRESSES: [(&str, By); 61] = [
    // Loopback, plain and in every spelling that a URL or `inet_aton` reads as it.
    ("http://127.0.0.1/", By::Guard),
    ("http://127.0.0.1:8000/api/users", By::Guard),
    ("http://127.255.255.254/", By::Guard),
    ("http://127.1/", By::Guard),
    ("http://127.0.1/", By::Guard),
    ("http://2130706433/", By::Guard),
    ("http://0x7f000001/", By::Guard),
    ("http://0x7f.0x0.0x0.0x1/", By::Guard),
    ("http://0x7f.1/", By::Guard),
    ("http://0177.0.0.1/", By::Guard),
    ("http://017700000001/", By::Guard),
    ("http://127.0.0.1./", By::Guard),
    ("http://localhost/", By::Guard),
    ("http://LOCALHOST/", By::Guard),
    ("http://%6c%6f%63%61%6c%68%6f%73%74/", By::Guard),
    ("http://%31%32%37.0.0.1/", By::Guard),
    ("http://0/", By::Guard),
    ("http://0.0.0.0/", By::Guard),
    ("http://[::1]/", By::Guard),
    ("http://[::]/", By::Guard),
    ("http://[0:0:0:0:0:0:0:1]/", By::Guard),
    // Unicode digits, dots and letters, which names are mapped from.
    ("http://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}/", By::Guard),
    ("http://127\u{3002}0\u{3002}0\u{3002}1/", By::Guard),
    ("http://\u{ff4c}ocalhost/", By::Guard),
    ("http://xn--localhost-/", By::LookUp),
    ("http://xn--80ak6aa92e.invalid/", By::LookUp),
    // Private networks.
    ("http://10.0.0.1/", By::Guard),
    ("http://10.255.255.255/", By::Guard),
    ("http://172.16.0.1/", By::Guard),
    ("http://172.31.255.255/", By::Guard),
    ("http://192.168.1.1/", By::Guard),
    ("http://167772161/", By::Guard),
    ("http://0xc0a80101/", By::Guard),
    ("http://100.64.0.1/", By::Guard),
    ("http://[fc00::1]/", By::Guard),
    ("http://[fd12:3456::1]/", By::Guard),
    // Link-local, with the metadata services.
    ("http://169.254.169.254/latest/meta-data/", By::Guard),
    ("http://2852039166/", By::Guard),
    ("http://0xa9fea9fe/", By::Guard),
    ("http://0251.0376.0251.0376/", By::Guard),
    ("http://169.254.43518/", By::Guard),
    ("http://[fe80::1]/", By::Guard),
    ("http://[fd00:ec2::254]/", By::Guard),
    // IPv4 dressed up as IPv6: mapped, compatible, NAT64, 6to4.
    ("http://[::ffff:169.254.169.254]/", By::Guard),
    ("http://[::ffff:a9fe:a9fe]/", By::Guard),
    ("http://[::ffff:127.0.0.1]/", By::Guard),
    ("http://[::127.0.0.1]/", By::Guard),
    ("http://[64:ff9b::a9fe:a9fe]/", By::Guard),
    ("http://[2002:a9fe:a9fe::1]/", By::Guard),
    // Names with a user in front of them, so that one sees another host than is called.
    ("http://hooks.slack.com@127.0.0.1/", By::Form),
    ("http://user:password@10.0.0.1/", By::Form),
    ("http://hooks.slack.com\\@127.0.0.1/", By::Form),
    // Schemes that are not HTTP, and what has none.
    ("file:///etc/passwd", By::Form),
    ("ftp://127.0.0.1/", By::Form),
    ("gopher://127.0.0.1:25/_HELO", By::Form),
    ("dict://127.0.0.1:11211/stats", By::Form),
    ("ldap://127.0.0.1/", By::Form),
    ("javascript:alert(1)", By::Form),
    ("//127.0.0.1/", By::Form),
    ("http:///127.0.0.1/", By::Form),
    ("http://127.0.0.1/\r\nHost: evil", By::Form),
];

fn webhook(url: &str) -> Channel {
    serde_json::from_value(serde_json::json!({ "kind": { "webhook": { "url": url } } })).unwrap()
}

async fn sent(outgoing: &Outgoing, channel: &Channel) -> Result<(), NotDelivered> {
    let notice = Notice::test("ops", Timestamp(0));
    let letter =
        Letter { notice: &notice, channel_name: "ops", also: &[], link: String::new(), now: notice.at };
    outgoing.send(channel, &letter).await
}

fn outgoing(allowed: &str) -> Outgoing {
    Outgoing { guard: Guard { allowed: allowed.parse().unwrap() }, public_url: String::new() }
}

#[tokio::test]
async fn no_spelling_of_an_inner_address_is_called() {
    let outgoing = outgoing("");
    for (url, by) in &ADDRESSES {
        let channel = webhook(url);
        let refused_by = match channel.check() {
            Err(problem) => {
                assert_eq!(problem.field, "url", "{url}");
                By::Form
            }
            Ok(()) => {
                let failed = sent(&outgoing, &channel).await.expect_err(url);
                match failed.error.contains("which is not public") {
                    true => By::Guard,
                    false => By::LookUp,
                }
            }
        };
        assert_eq!(refused_by, *by, "{url}");
    }
    println!("{} addresses", ADDRESSES.len());
}

#[tokio::test]
async fn mail_servers_are_checked_alike() {
    let guard = Guard::default();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "::1",
        "[::1]",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let refused = guard.resolve(host, 25).await;
        assert!(matches!(refused, Err(GuardError::Forbidden { .. })), "{host}: {refused:?}");
    }
}

/// Answers every request with this, and counts them.
async fn server(answer: String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            drop(stream.read(&mut request).await);
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_receiver_that_points_elsewhere_is_not_followed() {
    let (inside, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()).await;
    for code in [301, 302, 303, 307, 308] {
        let location = format!("http://{inside}/secrets");
        let answer = format!(
            "HTTP/1.1 {code} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let (receiver, reached) = server(answer).await;
        let failed = sent(&outgoing("127.0.0.1"), &webhook(&format!("http://{receiver}/hook"))).await;
        let failed = failed.expect_err("a redirect is no answer");
        assert!(failed.error.contains(&code.to_string()) && failed.failure == Failure::Refused, "{failed:?}");
        assert_eq!((reached.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (1, 0), "{code}");
    }
}

/// The name is looked up once, by the guard. What it means when the connection is made is nobody's question any more: here it
/// means nothing at all, and the connection goes to what was checked.
#[tokio::test]
async fn a_name_that_changes_after_the_check_makes_no_difference() {
    let (receiver, reached) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()).await;
    let outgoing = outgoing("127.0.0.1");
    let client = outgoing.http_client("rebound.invalid", &[receiver]).unwrap();
    let answered = client.post(format!("http://rebound.invalid:{}/", receiver.port())).send().await;
    assert!(answered.is_ok_and(|answer| answer.status() == 200));
    assert_eq!(reached.load(Ordering::SeqCst), 1);
}
