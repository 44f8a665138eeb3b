//! The number in front of a message: who it is from and how bad it is.

/// What a message without one is (RFC 3164, 4.3.3): a notice of a user's program.
const DEFAULT: Priority = Priority(13);

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

/// Each with our level.
const SEVERITIES: [(&str, &str); 8] = [
    ("emerg", "FATAL"),
    ("alert", "FATAL"),
    ("crit", "FATAL"),
    ("err", "ERROR"),
    ("warning", "WARN"),
    ("notice", "INFO"),
    ("info", "INFO"),
    ("debug", "DEBUG"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Priority(u8);

impl Priority {
    /// Takes `<34>` from the front of a message.
    pub(super) fn take(text: &str) -> (Priority, &str) {
        let found = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let number = found.and_then(|(number, rest)| {
            let plain = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            let number = number.parse::<u8>().ok().filter(|_| plain)?;
            (usize::from(number) < 8 * FACILITIES.len()).then_some((Priority(number), rest))
        });
        number.unwrap_or((DEFAULT, text))
    }

    pub(in super::super) fn of_severity(severity: u8) -> Option<Priority> {
        (usize::from(severity) < SEVERITIES.len()).then_some(Priority(severity))
    }

    pub(in super::super) fn of_facility(facility: u8) -> Option<Priority> {
        (usize::from(facility) < FACILITIES.len()).then(|| Priority(facility * 8))
    }

    pub(in super::super) fn facility(self) -> &'static str {
        FACILITIES.get(usize::from(self.0 / 8)).copied().unwrap_or_default()
    }

    pub(in super::super) fn severity(self) -> &'static str {
        SEVERITIES.get(usize::from(self.0 % 8)).map_or("", |(name, _)| name)
    }

    pub(in super::super) fn level(self) -> &'static str {
        SEVERITIES.get(usize::from(self.0 % 8)).map_or("", |(_, level)| level)
    }
}
