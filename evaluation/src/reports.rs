//! What the detectors say of a file of records, as CSV: records, windows, episodes. Written as it is found.

use std::collections::BTreeMap;
use std::io::{self, Write};

use insighthub_detect::scorer::RowScores;
use insighthub_detect::service::{Alert, TickScores};
use insighthub_detect::window::{Channel, Window};
use insighthub_model::Timestamp;

use crate::logs::{Sink, Slice};

/// Writes three files at once.
#[derive(Debug)]
pub struct Reports<W: Write> {
    records: W,
    windows: W,
    episodes: W,
    /// Lines of the slice under way with their numbers: services come one after the other, the file is in order.
    slice: Vec<(u64, String)>,
    /// The open episode of each service.
    open: BTreeMap<String, Open>,
}

#[derive(Debug)]
struct Open {
    first: Alert,
    score: f64,
    alerts: u32,
}

impl<W: Write> Reports<W> {
    /// Begins the files with their headers.
    pub fn new(mut records: W, mut windows: W, mut episodes: W) -> io::Result<Reports<W>> {
        writeln!(records, "line,timestamp,service,score,is_anomaly,reason")?;
        write!(windows, "window_end,service,score,is_anomaly,is_warming_up")?;
        for channel in Channel::ALL {
            write!(windows, ",{}", channel.name().replace(' ', "_"))?;
        }
        writeln!(windows)?;
        writeln!(episodes, "service,start,end,score,alerts,channel,summary,records")?;
        Ok(Reports { records, windows, episodes, slice: Vec::new(), open: BTreeMap::new() })
    }

    /// Writes the episodes that are still open, and all that is buffered.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_slice()?;
        for (service, open) in std::mem::take(&mut self.open) {
            self.episode(&service, &open, None)?;
        }
        self.records.flush()?;
        self.windows.flush()?;
        self.episodes.flush()
    }

    fn write_slice(&mut self) -> io::Result<()> {
        self.slice.sort_unstable_by_key(|(line, _)| *line);
        for (_, text) in self.slice.drain(..) {
            writeln!(self.records, "{text}")?;
        }
        Ok(())
    }

    fn window(&mut self, service: &str, window: &Window) -> io::Result<()> {
        write!(
            self.windows,
            "{},{},{:.3},{},{}",
            Timestamp(window.end_nanos),
            quoted(service),
            window.score,
            u8::from(window.score >= 1.0),
            u8::from(window.is_warming_up)
        )?;
        for evidence in &window.evidence {
            write!(self.windows, ",{:.2}", evidence.surprise)?;
        }
        writeln!(self.windows)
    }

    /// One episode; without an end it was open when the file ended.
    fn episode(&mut self, service: &str, open: &Open, end_nanos: Option<i64>) -> io::Result<()> {
        let end = end_nanos.map_or_else(String::new, |end| Timestamp(end).to_string());
        let explanation = &open.first.explanation;
        let channel = explanation.channels.first().map_or("", |shown| shown.channel.name());
        let records: Vec<String> = explanation.records.iter().map(|id| (id + 1).to_string()).collect();
        writeln!(
            self.episodes,
            "{},{},{end},{:.3},{},{channel},{},{}",
            quoted(service),
            Timestamp(open.first.at_nanos),
            open.score,
            open.alerts,
            quoted(&explanation.summary()),
            records.join(" ")
        )
    }

    fn alert(&mut self, service: &str, alert: &Alert) {
        match self.open.get_mut(service) {
            Some(open) if !alert.is_first => {
                open.score = open.score.max(alert.score);
                open.alerts += 1;
            }
            _ => {
                let open = Open { first: alert.clone(), score: alert.score, alerts: 1 };
                self.open.insert(service.to_owned(), open);
            }
        }
    }
}

impl<W: Write> Sink for Reports<W> {
    fn records(&mut self, slice: &Slice<'_>, scores: &RowScores) -> io::Result<()> {
        for (row, score) in slice.rows.iter().zip(&scores.scores) {
            let anomaly = scores.anomalies.binary_search_by_key(row, |(row, _)| *row).ok();
            let reason =
                anomaly.and_then(|at| scores.anomalies.get(at)).map_or("", |(_, reason)| reason.as_str());
            let time = slice.batch.timestamp.get(*row as usize).copied().unwrap_or(0);
            let score = score.map_or_else(String::new, |score| format!("{score:.2}"));
            let line = slice.first_record + u64::from(*row) + 1;
            let (service, is_anomaly) = (quoted(slice.service), u8::from(anomaly.is_some()));
            let (time, reason) = (Timestamp(time), quoted(reason));
            self.slice.push((line, format!("{line},{time},{service},{score},{is_anomaly},{reason}")));
        }
        Ok(())
    }

    fn tick(&mut self, service: &str, scores: &TickScores) -> io::Result<()> {
        self.write_slice()?;
        for window in &scores.windows {
            self.window(service, window)?;
            if let Some(open) = self.open.get_mut(service) {
                open.score = open.score.max(window.score);
            }
            for alert in scores.alerts.iter().filter(|alert| alert.at_nanos == window.end_nanos) {
                self.alert(service, alert);
            }
            if scores.closed.iter().any(|(end, _)| *end == window.end_nanos)
                && let Some(open) = self.open.remove(service)
            {
                self.episode(service, &open, Some(window.end_nanos))?;
            }
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Scores a series: `timestamp,value` to `timestamp,value,score,is_anomaly`.
pub fn series(samples: &[crate::series_csv::Sample], mut out: impl Write) -> io::Result<()> {
    let (scores, flags) = crate::benchmarks::scored(samples);
    writeln!(out, "timestamp,value,score,is_anomaly")?;
    for ((sample, score), is_anomaly) in samples.iter().zip(scores).zip(flags) {
        writeln!(out, "{},{},{score:.4},{}", quoted(&sample.text), sample.value, u8::from(is_anomaly))?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use insighthub_model::batch::{BatchBuilder, FixedFields};
    use insighthub_model::{Level, RecordBatch};

    use super::*;
    use crate::logs::Runner;

    /// Reads `seconds service`.
    fn plain(line: &str) -> Result<RecordBatch, String> {
        let (secs, service) = line.split_once(' ').ok_or_else(|| format!("`{line}` is no record"))?;
        let mut builder = BatchBuilder::default();
        builder.record().finish(FixedFields {
            service,
            timestamp: Timestamp(secs.parse::<i64>().unwrap() * 1_000_000_000),
            level: Level::Info,
            message: "m",
            latency_ms: None,
            raw_bytes: line.len(),
        });
        Ok(builder.take())
    }

    #[test]
    fn records_stay_in_the_order_of_the_file() {
        let line = |secs: usize| format!("{} {}\n", 1_767_225_600 + secs, ["b", "a"][secs % 2]);
        let text: String = (0..60).map(line).collect();
        let (mut records, mut windows, mut episodes) = (Vec::new(), Vec::new(), Vec::new());
        let mut reports = Reports::new(&mut records, &mut windows, &mut episodes).unwrap();
        let mut runner = Runner::new(&plain, &[]).unwrap();
        assert_eq!(runner.run(text.as_bytes(), &mut reports, |_| {}).unwrap(), 60);
        reports.finish().unwrap();
        let text = String::from_utf8(records).unwrap();
        let numbers = text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap());
        assert_eq!(numbers.collect::<Vec<usize>>(), (1..=60).collect::<Vec<_>>());
        assert!(windows.len() > 100 && episodes.starts_with(b"service,start,end"));
    }

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let mut reports = Reports::new(Vec::new(), Vec::new(), Vec::new()).unwrap();
        let mut runner = Runner::new(&plain, &[]).unwrap();
        let error = runner.run(&b"\nnone\n"[..], &mut reports, |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "line 2: `none` is no record");
        assert!(Runner::new(&plain, &["(".to_owned()]).unwrap_err().to_string().starts_with("mask 1, `(`: "));
    }
}
