//! E-mail: text and HTML by SMTP, with STARTTLS or TLS from the beginning, and a password where the server wants one.

use insighthub_model::alerts::{Email, Security, TransitionKind, render};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{ANSWER_WITHIN, Letter, NotDelivered, Outgoing, also_lines, innermost, not_reached};

/// Mail programs show no more.
const SUBJECT_CHARACTERS_MAX: usize = 150;

pub(super) async fn send(
    outgoing: &Outgoing,
    email: &Email,
    letter: &Letter<'_>,
) -> Result<(), NotDelivered> {
    let message = message(email, letter)?;
    let addresses = outgoing.guard.resolve(&email.host, email.port).await.map_err(not_reached)?;
    let mut last = NotDelivered::passing("the mail server has no address");
    for address in addresses {
        // Connected by its checked address, known by its name.
        let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string());
        let mut server = server.port(address.port()).timeout(Some(ANSWER_WITHIN)).tls(tls(email)?);
        if let (Some(user), Some(password)) = (&email.user, &email.password) {
            server = server.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        match server.build::<Tokio1Executor>().send(message.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_permanent() => return Err(NotDelivered::refused(innermost(&error))),
            // Once the server speaks, another address of it would say the same.
            Err(error) if error.is_transient() => return Err(NotDelivered::passing(innermost(&error))),
            Err(error) => last = NotDelivered::passing(innermost(&error)),
        }
    }
    Err(last)
}

fn tls(email: &Email) -> Result<Tls, NotDelivered> {
    let parameters = || TlsParameters::new_rustls(email.host.clone()).map_err(NotDelivered::refused);
    Ok(match email.security {
        Security::Starttls => Tls::Required(parameters()?),
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::Plain => Tls::None,
    })
}

pub(super) fn message(email: &Email, letter: &Letter<'_>) -> Result<Message, NotDelivered> {
    let mailbox = |address: &str| {
        let address: Address = address.parse().map_err(NotDelivered::refused)?;
        Ok::<Mailbox, NotDelivered>(Mailbox::new(None, address))
    };
    let mut lines = render(letter.notice, &letter.link);
    let subject = subject(lines.first().map_or("InsightHub Alert", String::as_str));
    lines.extend(also_lines(letter.also));
    let from = mailbox(&email.from)?;
    // The same for every attempt: mail programs show a message that came twice once.
    let domain = from.email.domain().to_owned();
    let id = format!("<{}@{domain}>", letter.notice.idempotency_key(letter.channel_name));
    let thread = format!("<insighthub-{}@{domain}>", letter.notice.incident);
    let mut message = Message::builder().from(from).subject(subject).message_id(Some(id));
    for address in &email.to {
        message = message.to(mailbox(address)?);
    }
    if letter.notice.kind != TransitionKind::Test {
        message = message.in_reply_to(thread.clone()).references(thread);
    }
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let message = message.raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let body = MultiPart::alternative_plain_html(text(&lines, &letter.link), html(&lines, &letter.link));
    message.multipart(body).map_err(NotDelivered::refused)
}

/// One line, whatever stands in it.
fn subject(line: &str) -> String {
    let plain = line.chars().map(|char| if char.is_control() { ' ' } else { char });
    plain.take(SUBJECT_CHARACTERS_MAX).collect()
}

fn text(lines: &[String], link: &str) -> String {
    let link = if link.is_empty() { String::new() } else { format!("\n\nLogs: {link}") };
    format!("{}{link}\n", lines.join("\n"))
}

fn html(lines: &[String], link: &str) -> String {
    let mut html = String::from("<!doctype html><html><body style=\"font-family:sans-serif\">");
    for (place, line) in lines.iter().enumerate() {
        let tag = if place == 0 { "h3" } else { "p" };
        html.push_str(&format!("<{tag}>{}</{tag}>", escape(line)));
    }
    if link.starts_with("http") {
        html.push_str(&format!("<p><a href=\"{}\">Show the logs</a></p>", escape(link)));
    }
    html.push_str("</body></html>");
    html
}

fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use insighthub_model::Timestamp;
    use insighthub_model::alerts::Notice;

    fn email() -> Email {
        serde_json::from_str(r#"{"host":"mail","from":"hub@example.com","to":["ops@example.com"]}"#).unwrap()
    }

    fn formatted(notice: &Notice) -> String {
        let letter = Letter {
            notice,
            channel_name: "ops",
            also: &[],
            link: "https://hub/?q=\"".into(),
            now: notice.at,
        };
        String::from_utf8(message(&email(), &letter).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_heading_cannot_become_a_header_and_a_cause_no_html() {
        let mut notice = Notice::test("ops", Timestamp(0));
        notice.heading = "a\r\nBcc: evil@example.com\r\n\r\nbody".into();
        notice.evidence.cause = Some("<script>alert(1)</script>".into());
        let text = formatted(&notice);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        assert!(body.contains("&lt;script&gt;") && body.contains("text/html"), "{body}");
    }

    #[test]
    fn a_message_keeps_its_id() {
        let notice = Notice::test("ops", Timestamp(0));
        let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID")).map(str::to_owned);
        assert_eq!(id(&formatted(&notice)), id(&formatted(&notice)));
        assert!(id(&formatted(&notice)).unwrap().contains("insighthub-0-"));
    }
}
