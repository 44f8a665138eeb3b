//! What stands in front of a message, in whichever format.

use insighthub_model::Timestamp;

use super::priority::Priority;
use super::{SyslogClock, legacy, modern};

/// A message, taken apart; a part that is missing is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Header<'a> {
    pub priority: Priority,
    pub moment: Option<Timestamp>,
    pub hostname: Option<&'a str>,
    pub app_name: Option<&'a str>,
    pub proc_id: Option<&'a str>,
    pub msg_id: Option<&'a str>,
    /// Elements in brackets, well formed.
    pub structured_data: Option<&'a str>,
    pub message: &'a str,
}

impl<'a> Header<'a> {
    pub(super) fn of(priority: Priority, message: &'a str) -> Header<'a> {
        Header {
            priority,
            moment: None,
            hostname: None,
            app_name: None,
            proc_id: None,
            msg_id: None,
            structured_data: None,
            message,
        }
    }

    pub(super) fn read(text: &'a str, clock: &SyslogClock) -> Header<'a> {
        let (priority, rest) = Priority::take(text);
        modern::read(priority, rest, clock).unwrap_or_else(|| legacy::read(priority, rest, clock))
    }
}

/// The text up to the next space, and what follows the space.
pub(super) fn word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}
