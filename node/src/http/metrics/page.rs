//! The text format of Prometheus, version 0.0.4: families with their help and type, samples with their labels.
//!
//! Knows nothing of what is measured.

use insighthub_storage::durations::{BOUNDS_MICROS, Lengths};

/// What the values of a family do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows, until the process starts anew.
    Counter,
    Gauge,
    Histogram,
}

/// A page while it is written.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// One family of samples; each is written with its labels.
#[derive(Debug)]
pub(super) struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Page {
    pub(super) fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let shown = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {shown}\n"));
        Family { page: self, name }
    }

    /// A counter that is one number.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(Kind::Counter, name, help).sample(&[], value as f64);
    }

    /// A gauge that is one number.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: f64) {
        self.family(Kind::Gauge, name, help).sample(&[], value);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, value);
    }

    /// The samples of one histogram.
    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], lengths: &Lengths) {
        for (bound, count) in BOUNDS_MICROS.iter().zip(lengths.at_most) {
            let bound = (*bound as f64 / 1e6).to_string();
            self.line("_bucket", &[labels, &[("le", &bound)]].concat(), count as f64);
        }
        self.line("_bucket", &[labels, &[("le", "+Inf")]].concat(), lengths.count as f64);
        self.line("_sum", labels, lengths.secs);
        self.line("_count", labels, lengths.count as f64);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let text = &mut self.page.0;
        text.push_str(&format!("{}{suffix}", self.name));
        for (number, (label, value)) in labels.iter().enumerate() {
            let open = if number == 0 { '{' } else { ',' };
            text.push_str(&format!("{open}{label}=\"{}\"", escaped(value)));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        text.push_str(&format!("{close} {value}\n"));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_storage::durations::Durations;
    use std::time::Duration;

    #[test]
    fn samples_stand_under_their_family() {
        let mut page = Page::default();
        page.counter("insighthub_records_total", "Records.", 3);
        let mut family = page.family(Kind::Gauge, "insighthub_channel_up", "Whether it is.");
        family.sample(&[("channel", "a \"b\"\\\n"), ("kind", "slack")], 1.0);
        let expected = "# HELP insighthub_records_total Records.\n# TYPE insighthub_records_total counter\n\
                        insighthub_records_total 3\n\
                        # HELP insighthub_channel_up Whether it is.\n# TYPE insighthub_channel_up gauge\n\
                        insighthub_channel_up{channel=\"a \\\"b\\\"\\\\\\n\",kind=\"slack\"} 1\n";
        assert_eq!(page.into_text(), expected);
    }

    #[test]
    fn a_histogram_has_all_its_samples() {
        let durations = Durations::default();
        durations.note(Duration::from_millis(3));
        let mut page = Page::default();
        page.family(Kind::Histogram, "insighthub_wait_seconds", "Waits.")
            .histogram(&[("of", "x")], &durations.lengths());
        let text = page.into_text();
        for line in [
            "insighthub_wait_seconds_bucket{of=\"x\",le=\"0.0025\"} 0",
            "insighthub_wait_seconds_bucket{of=\"x\",le=\"0.005\"} 1",
            "insighthub_wait_seconds_bucket{of=\"x\",le=\"+Inf\"} 1",
            "insighthub_wait_seconds_sum{of=\"x\"} 0.003",
            "insighthub_wait_seconds_count{of=\"x\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
    }
}
