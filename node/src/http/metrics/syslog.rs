//! What comes over the syslog addresses.

use super::super::{Counters, SyslogCounters};
use super::page::Page;

pub(super) fn write(counters: &SyslogCounters, page: &mut Page) {
    let count = Counters::get;
    page.counter("insighthub_syslog_messages_total", "Syslog messages read.", count(&counters.messages));
    let help = "Syslog messages lost: datagrams without room for them, and what the node failed to store.";
    page.counter("insighthub_syslog_dropped_total", help, count(&counters.dropped));
    let help = "Syslog connections and datagrams refused.";
    page.counter("insighthub_syslog_refused_total", help, count(&counters.refused));
    let open = count(&counters.connections) as f64;
    page.gauge("insighthub_syslog_connections", "Syslog connections open.", open);
}
