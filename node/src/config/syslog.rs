//! What the section `[syslog]` comes to.

use jiff::tz::TimeZone;

use super::SyslogConfig;

impl SyslogConfig {
    /// The zone of times without one: UTC where none is named, `None` where the name is none.
    pub fn zone(&self) -> Option<TimeZone> {
        match self.time_zone.as_deref() {
            None => Some(TimeZone::UTC),
            Some(name) => TimeZone::get(name).ok(),
        }
    }
}
