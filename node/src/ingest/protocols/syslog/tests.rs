//! Lines as programs and devices send them, and what becomes of them.

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::header::Header;
use super::*;
use crate::ingest::record::Draft;

/// When the lines arrive, unless said otherwise.
const RECEIVED: &str = "2026-04-28T12:00:30Z";

fn clock_in(zone: &str, received: &str) -> SyslogClock {
    SyslogClock { zone: TimeZone::get(zone).unwrap(), received: received.parse_moment() }
}

trait ParseMoment {
    fn parse_moment(&self) -> Timestamp;
}

impl ParseMoment for str {
    fn parse_moment(&self) -> Timestamp {
        Timestamp::parse(self).unwrap()
    }
}

/// `time|host|program|process|id|message`, with `-` for what is missing.
fn shown(line: &str, clock: &SyslogClock) -> String {
    let header = Header::read(line, clock);
    let or_nil = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let time = header.moment.map_or("-".to_owned(), shown_time);
    let (host, app) = (or_nil(header.hostname), or_nil(header.app_name));
    let (process, id) = (or_nil(header.proc_id), or_nil(header.msg_id));
    format!("{time}|{host}|{app}|{process}|{id}|{}", header.message)
}

/// Without zeros at the end of its fraction.
fn shown_time(moment: Timestamp) -> String {
    let text = moment.to_string();
    let (whole, fraction) = text.trim_end_matches('Z').split_once('.').unwrap();
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{whole}Z") } else { format!("{whole}.{fraction}Z") }
}

#[track_caller]
fn check(lines: &[(&str, &str)]) {
    let clock = clock_in("UTC", RECEIVED);
    for (line, expected) in lines {
        assert_eq!(shown(line, &clock), *expected, "{line}");
    }
}

/// The record that a message becomes, as JSON of ours.
fn record(line: &str) -> serde_json::Value {
    let (clock, limits) = (clock_in("UTC", RECEIVED), IngestLimits::default());
    let mut draft = Draft::default();
    message::read(&mut draft, line, "", &clock, &limits).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&draft.to_json()).unwrap();
    record["service"] = draft.service().unwrap().into();
    record["timestamp"] = record["timestamp"].as_str().map(|text| shown_time(text.parse_moment())).into();
    record
}

#[test]
fn rfc_5424() {
    check(&[
        (
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8",
            "2003-10-11T22:14:15.003Z|mymachine.example.com|su|-|ID47|'su root' failed for lonvick on /dev/pts/8",
        ),
        (
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
            "2003-08-24T12:14:15.000003Z|192.0.2.1|myproc|8710|-|%% It's time to make the do-nuts.",
        ),
        (
            "<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"App\"] An event",
            "2003-10-11T22:14:15.003Z|host|evntslog|-|ID47|An event",
        ),
        (
            "<165>1 2003-10-11T22:14:15Z host evntslog - ID47 [a@1 x=\"3\"][b@2 y=\"]\\\"\"]",
            "2003-10-11T22:14:15Z|host|evntslog|-|ID47|",
        ),
        ("<13>1 - - - - - -", "-|-|-|-|-|"),
        ("<13>1 - - - - - - text", "-|-|-|-|-|text"),
        // rsyslog passes the space on with which messages begin.
        (
            "<11>1 2026-04-28T12:00:00.123456+00:00 vm myapp 12 - -  msg",
            "2026-04-28T12:00:00.123456Z|vm|myapp|12|-|msg",
        ),
        // Cut short, and without structured data.
        ("<13>1 2026-04-28T12:00:00Z host app", "2026-04-28T12:00:00Z|host|app|-|-|"),
        ("<13>1 2026-04-28T12:00:00Z host app 1 id no data", "2026-04-28T12:00:00Z|host|app|1|id|no data"),
        // Check Point: what looks like data and is none.
        (
            "<134>1 2026-04-28T12:00:00Z gw CheckPoint 1930 - [action:\"Accept\"; flags:\"4\"]",
            "2026-04-28T12:00:00Z|gw|CheckPoint|1930|-|[action:\"Accept\"; flags:\"4\"]",
        ),
        // Meraki.
        (
            "<134>1 1380653443.857790804 MX60 urls src=1.2.3.4",
            "2013-10-01T18:50:43.857790804Z|MX60|-|-|-|urls src=1.2.3.4",
        ),
    ]);
}

#[test]
fn rfc_3164_and_its_dialects() {
    check(&[
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
            "2025-10-11T22:14:15Z|mymachine|su|-|-|'su root' failed for lonvick on /dev/pts/8",
        ),
        ("<11>Apr 28 11:40:40 vm myapp: msg", "2026-04-28T11:40:40Z|vm|myapp|-|-|msg"),
        (
            "<38>Apr  8 11:40:40 vm sshd[4242]: Accepted publickey",
            "2026-04-08T11:40:40Z|vm|sshd|4242|-|Accepted publickey",
        ),
        ("<13>Apr 28 12:00:00 app[7]: no host", "2026-04-28T12:00:00Z|-|app|7|-|no host"),
        ("<13>Apr 28 12:00:00 app: no host", "2026-04-28T12:00:00Z|-|app|-|-|no host"),
        ("<13>app[7]: no time", "-|-|app|7|-|no time"),
        ("<13>su: no time", "-|-|su|-|-|no time"),
        ("<13>no header at all", "-|-|-|-|-|no header at all"),
        ("no priority either", "-|-|-|-|-|no priority either"),
        ("<999>Apr 28 12:00:00 h a: x", "-|-|-|-|-|<999>Apr 28 12:00:00 h a: x"),
        ("<34>2026-04-28T14:00:00.5+02:00 host tag: msg", "2026-04-28T12:00:00.5Z|host|tag|-|-|msg"),
        ("<34>2026-04-28 12:00:00,250 host tag[1]: msg", "2026-04-28T12:00:00.25Z|host|tag|1|-|msg"),
        ("<34>Apr 28 2026 12:00:00 host tag: msg", "2026-04-28T12:00:00Z|host|tag|-|-|msg"),
        ("<34>Apr 28 12:00:00 2024 host tag: msg", "2024-04-28T12:00:00Z|host|tag|-|-|msg"),
        ("<34>Tue Apr 28 12:00:00 2026 host tag: msg", "2026-04-28T12:00:00Z|host|tag|-|-|msg"),
        (
            "<13>Apr 28 12:00:00 host last message repeated 2 times",
            "2026-04-28T12:00:00Z|host|-|-|-|last message repeated 2 times",
        ),
        (
            "<6>Apr 28 12:00:00 host kernel: [  12.345678] usb 1-1: new",
            "2026-04-28T12:00:00Z|host|kernel|-|-|[  12.345678] usb 1-1: new",
        ),
        (
            "<22>Apr 28 12:00:00 mx postfix/smtpd[123]: connect from unknown[1.2.3.4]",
            "2026-04-28T12:00:00Z|mx|postfix/smtpd|123|-|connect from unknown[1.2.3.4]",
        ),
        (
            "<38>Apr 28 12:00:00 combo su(pam_unix)[19939]: session opened",
            "2026-04-28T12:00:00Z|combo|su(pam_unix)|19939|-|session opened",
        ),
        (
            "<30>Apr 28 12:00:00 U7PG2,788a20,v3.9.54 hostapd: ath0: STA",
            "2026-04-28T12:00:00Z|U7PG2,788a20,v3.9.54|hostapd|-|-|ath0: STA",
        ),
        (
            "<30>Apr 28 12:00:00 MikroTik system,info,account user admin logged in",
            "2026-04-28T12:00:00Z|MikroTik|-|-|-|system,info,account user admin logged in",
        ),
        (
            "<166>2026-04-28T12:00:00.123Z esx01 Hostd: info hostd[21] [Originator@6876 sub=Vimsvc] ok",
            "2026-04-28T12:00:00.123Z|esx01|Hostd|-|-|info hostd[21] [Originator@6876 sub=Vimsvc] ok",
        ),
        (
            "<189>date=2026-04-28 time=12:00:00 devname=\"FG100\" logid=\"00\"",
            "-|-|-|-|-|date=2026-04-28 time=12:00:00 devname=\"FG100\" logid=\"00\"",
        ),
        (
            "<13>Apr 28 12:00:00 host see http://example.com/",
            "2026-04-28T12:00:00Z|host|-|-|-|see http://example.com/",
        ),
        ("<13>Apr 28 12:00:00 fe80::1 app: x", "2026-04-28T12:00:00Z|fe80::1|app|-|-|x"),
        ("<13>Apr 28 12:00:00 host app: ", "2026-04-28T12:00:00Z|host|app|-|-|"),
        ("<13>Apr 31 12:00:00 host app: no such day", "-|-|-|-|-|Apr 31 12:00:00 host app: no such day"),
        ("<13>", "-|-|-|-|-|"),
    ]);
}

#[test]
fn cisco() {
    check(&[
        (
            "<189>29: *Apr 28 12:00:00.123: %SYS-5-CONFIG_I: Configured from console by vty0",
            "2026-04-28T12:00:00.123Z|-|SYS|-|SYS-5-CONFIG_I|%SYS-5-CONFIG_I: Configured from console by vty0",
        ),
        (
            "<189>29: router1: 000030: Apr 28 12:00:00.123 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
            "2026-04-28T12:00:00.123Z|router1|LINK|-|LINK-3-UPDOWN|%LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
        ),
        (
            "<166>Apr 28 2026 12:00:00: %ASA-6-302013: Built outbound TCP connection",
            "2026-04-28T12:00:00Z|-|ASA|-|ASA-6-302013|%ASA-6-302013: Built outbound TCP connection",
        ),
        (
            "<166>Apr 28 2026 12:00:00 fw01 : %ASA-6-302013: Built outbound TCP connection",
            "2026-04-28T12:00:00Z|fw01|ASA|-|ASA-6-302013|%ASA-6-302013: Built outbound TCP connection",
        ),
        (
            "<189>: 2026 Apr 28 12:00:00 UTC: %DAEMON-3-SYSTEM_MSG: error: PAM",
            "2026-04-28T12:00:00Z|-|DAEMON|-|DAEMON-3-SYSTEM_MSG|%DAEMON-3-SYSTEM_MSG: error: PAM",
        ),
        (
            "<187>Apr 28 12:00:00 switch: %SEC_LOGIN-4-LOGIN_FAILED: Login failed",
            "2026-04-28T12:00:00Z|switch|SEC_LOGIN|-|SEC_LOGIN-4-LOGIN_FAILED|%SEC_LOGIN-4-LOGIN_FAILED: Login failed",
        ),
    ]);
}

#[test]
fn a_time_without_a_year_or_a_zone_is_the_one_nearest_to_its_arrival() {
    for (zone, received, line, expected) in [
        ("UTC", "2026-01-01T00:00:05Z", "<13>Dec 31 23:59:59 h a: x", "2025-12-31T23:59:59Z"),
        ("UTC", "2025-12-31T23:59:59Z", "<13>Jan  1 00:00:01 h a: x", "2026-01-01T00:00:01Z"),
        ("UTC", "2024-03-01T00:00:00Z", "<13>Feb 29 12:00:00 h a: x", "2024-02-29T12:00:00Z"),
        ("UTC", "2025-03-01T00:00:00Z", "<13>Feb 29 12:00:00 h a: x", "2024-02-29T12:00:00Z"),
        ("Europe/Berlin", "2026-07-01T12:00:00Z", "<13>Jul  1 14:00:00 h a: x", "2026-07-01T12:00:00Z"),
        ("Europe/Berlin", "2026-01-01T12:00:00Z", "<13>Jan  1 13:00:00 h a: x", "2026-01-01T12:00:00Z"),
        // The hour that comes twice.
        ("Europe/Berlin", "2026-10-25T00:30:10Z", "<13>Oct 25 02:30:00 h a: x", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-10-25T01:30:10Z", "<13>Oct 25 02:30:00 h a: x", "2026-10-25T01:30:00Z"),
        // A zone that is named holds whatever is configured.
        ("Asia/Tokyo", "2026-04-28T12:00:00Z", "<13>2026-04-28T12:00:00Z h a: x", "2026-04-28T12:00:00Z"),
        ("Asia/Tokyo", "2026-04-28T12:00:00Z", "<13>2026-04-28T21:00:00 h a: x", "2026-04-28T12:00:00Z"),
        (
            "Asia/Tokyo",
            "2026-04-28T12:00:00Z",
            "<189>9: Apr 28 12:00:00 UTC: %A-1-B: x",
            "2026-04-28T12:00:00Z",
        ),
    ] {
        let header = Header::read(line, &clock_in(zone, received));
        assert_eq!(header.moment, Some(expected.parse_moment()), "{line} in {zone}");
    }
}

#[test]
fn a_message_becomes_a_record() {
    let found = record(
        "<29>1 2026-04-28T12:00:00Z web-1 nginx 17 access [origin@1 ip=\"::1\" ip=\"10.0.0.1\"][meta seq=\"a\\\"b\\\\c\\]d\\e\"][bare] GET /",
    );
    let expected = serde_json::json!({
        "timestamp": "2026-04-28T12:00:00Z", "service": "nginx", "level": "INFO", "message": "GET /",
        "hostname": "web-1", "app_name": "nginx", "proc_id": "17", "msg_id": "access", "facility": "daemon",
        "severity": "notice", "origin@1.ip": ["::1", "10.0.0.1"], "meta.seq": "a\"b\\c]d\\e", "bare": true,
    });
    assert_eq!(found, expected);
    for (line, service, level) in [
        ("<0>x", "syslog", "FATAL"),
        ("<9>Apr 28 12:00:00 h x y", "h", "FATAL"),
        ("<10>su: x", "su", "FATAL"),
        ("<11>su: x", "su", "ERROR"),
        ("<12>su: x", "su", "WARN"),
        ("<14>su: x", "su", "INFO"),
        ("<15>su: x", "su", "DEBUG"),
        ("x", "syslog", "INFO"),
    ] {
        let found = record(line);
        assert_eq!((&found["service"], &found["level"]), (&service.into(), &level.into()), "{line}");
        assert!(found["timestamp"].is_string(), "{line}: {found}");
    }
}

#[test]
fn an_object_is_read_as_fields() {
    for mark in ["", "@cee: ", "@cee:"] {
        let line = format!(
            "<14>Apr 28 12:00:00 host app[1]: {mark}{{\"msg\":\"paid\",\"level\":\"error\",\"user\":{{\"id\":7}},\"hostname\":\"inner\",\
             \"severity\":\"high\",\"service\":3}}"
        );
        let expected = serde_json::json!({
            "timestamp": "2026-04-28T12:00:00Z", "service": "app", "level": "error", "msg": "paid", "user.id": 7,
            "client.hostname": "inner", "client.severity": "high", "client.service": 3, "hostname": "host", "app_name": "app",
            "proc_id": "1", "facility": "user", "severity": "info",
        });
        assert_eq!(record(&line), expected, "{line}");
    }
    let found = record("<14>app: {\"severity\":\"warning\",\"time\":\"2026-04-28T11:00:00Z\",\"a\":1}");
    assert_eq!((&found["level"], &found["time"]), (&"warning".into(), &"2026-04-28T11:00:00Z".into()));
    let found = record("<14>app: {\"broken\": ");
    assert_eq!(found["message"], "{\"broken\": ");
}

/// What a stream is cut into, however it is cut on the way.
fn framed(stream: &[u8], pieces: usize, end: End) -> Vec<(Condition, String)> {
    let limits = IngestLimits { record_bytes_max: 300, ..IngestLimits::default() };
    let (mut framer, mut messages) = (Framer::new(&limits), Messages::new(&limits));
    for piece in stream.chunks(pieces) {
        framer.buffer().extend_from_slice(piece);
        framer.take(&mut messages, "10.0.0.1");
    }
    framer.finish(end, &mut messages, "10.0.0.1");
    let (count, body) = (messages.len(), messages.into_bytes());
    let mut unread = Unread::new(&body);
    let found = std::iter::from_fn(|| unread.next());
    let found: Vec<_> = found
        .map(|found| {
            assert_eq!(found.sender, "10.0.0.1");
            (found.condition, String::from_utf8(found.raw.to_vec()).unwrap())
        })
        .collect();
    assert_eq!(found.len(), count);
    found
}

#[test]
fn framing_is_told_for_each_message() {
    let long = "x".repeat(400);
    let stream = format!(
        "<13>a line\n9 <14>count<13>nul\0\n\r\n<13>carriage\r\n11 <13>two\nnes\n12 monkeys\n401 <13>{long}<13>after\n<14>{long}\n<13>last"
    );
    let whole = |text: &str| (Condition::Whole, text.to_owned());
    for pieces in [1, 2, 3, 7, 64, 4_096] {
        let found = framed(stream.as_bytes(), pieces, End::Closed);
        let (short, too_long): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(condition, _)| *condition == Condition::Whole);
        let expected = [
            "<13>a line",
            "<14>count",
            "<13>nul",
            "<13>carriage",
            "<13>two\nnes",
            "12 monkeys",
            "xxx<13>after",
            "<13>last",
        ];
        assert_eq!(short, expected.map(whole), "in pieces of {pieces}");
        assert_eq!(too_long.len(), 2, "in pieces of {pieces}");
        assert!(too_long[0].1.starts_with("<13>xxx") && too_long[1].1.starts_with("<14>xxx"));
    }
}

#[test]
fn what_a_broken_stream_ends_with_is_no_message() {
    let cut = |text: &str| vec![(Condition::CutOff, text.to_owned())];
    assert_eq!(framed(b"<13>half", 4, End::Broken), cut("<13>half"));
    assert_eq!(framed(b"20 <13>half", 4, End::Closed), cut("20 <13>half"));
    assert_eq!(framed(b"<13>half", 4, End::Closed), [(Condition::Whole, "<13>half".to_owned())]);
    assert!(framed(b"\n\0\r\n", 1, End::Closed).is_empty());
}

#[test]
fn datagrams_may_hold_several_messages_and_other_encodings() {
    let limits = IngestLimits::default();
    let mut messages = Messages::new(&limits);
    messages.push_datagram(b"<13>one\n\tat two\n<14>three\n<x\n", "");
    messages.push_datagram(b"<13>caf\xe9", "");
    messages.push_datagram(b"\n", "");
    let body = messages.into_bytes();
    let mut unread = Unread::new(&body);
    let found: Vec<_> = std::iter::from_fn(|| unread.next()).map(|found| found.raw.to_vec()).collect();
    assert_eq!(found, ["<13>one\n\tat two".as_bytes(), b"<14>three\n<x", "<13>café".as_bytes()]);
}

proptest! {
    #[test]
    fn any_text_is_a_record(text in "(<[0-9]{1,3}>)?[0-9A-Za-z:\\[\\]\"\\\\ =%@.{}é-]{0,60}") {
        let found = record(&text);
        prop_assert!(found["level"].is_string());
    }

    #[test]
    fn any_stream_is_cut_alike_in_any_pieces(stream in "[0-9<>a ]{0,20}(\n|\0|12 <)?[0-9<>a \n]{0,30}", pieces in 1usize..9) {
        let whole = framed(stream.as_bytes(), 4_096, End::Closed);
        prop_assert_eq!(framed(stream.as_bytes(), pieces, End::Closed), whole);
    }

    #[test]
    fn structured_data_reads_back(values in prop::collection::vec("[ -~]{0,12}", 1..4)) {
        let escaped = |value: &String| value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
        let parameters: String = values.iter().enumerate().map(|(at, value)| format!(" p{at}=\"{}\"", escaped(value))).collect();
        let found = record(&format!("<13>1 - h a - - [id@1{parameters}] m"));
        for (at, value) in values.iter().enumerate() {
            prop_assert_eq!(&found[format!("id@1.p{at}")], &serde_json::json!(value));
        }
    }
}
