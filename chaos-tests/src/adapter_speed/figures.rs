//! What was measured, as a table with ratios to our own form.

use std::fmt;
use std::time::Duration;

use super::Form;

/// One form in one round.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub records: usize,
    pub bytes: u64,
    pub elapsed: Duration,
    pub processor_secs: f64,
}

impl Run {
    fn per_sec(self) -> f64 {
        self.records as f64 / self.elapsed.as_secs_f64()
    }

    fn processor_secs_per_million(self) -> f64 {
        self.processor_secs / self.records as f64 * 1e6
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>9.0} records/s {:>7.2} CPU s per million {:>6.0} bytes a record",
            self.per_sec(),
            self.processor_secs_per_million(),
            self.bytes as f64 / self.records as f64
        )
    }
}

/// All rounds of all forms.
#[derive(Debug, Clone, Default)]
pub struct Figures(Vec<(Form, Vec<Run>)>);

impl Figures {
    pub fn add(&mut self, form: Form, run: Run) {
        match self.0.iter_mut().find(|(known, _)| *known == form) {
            Some((_, runs)) => runs.push(run),
            None => self.0.push((form, vec![run])),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let native = self.0.iter().find(|(form, _)| *form == Form::Ndjson);
        let native = native
            .map(|(_, runs)| (median(runs, Run::per_sec), median(runs, Run::processor_secs_per_million)));
        writeln!(f, "| form | records/s | of NDJSON | CPU s per million | of NDJSON | bytes a record |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for (form, runs) in &self.0 {
            let (rate, cost) = (median(runs, Run::per_sec), median(runs, Run::processor_secs_per_million));
            let (rate_ratio, cost_ratio) =
                native.map_or((1.0, 1.0), |(of_rate, of_cost)| (rate / of_rate, cost / of_cost));
            let bytes = median(runs, |run| run.bytes as f64 / run.records as f64);
            let name = form.name();
            writeln!(
                f,
                "| {name} | {rate:.0} | {rate_ratio:.2} | {cost:.2} | {cost_ratio:.2} | {bytes:.0} |"
            )?;
        }
        Ok(())
    }
}

/// The figure of the round in the middle.
fn median(runs: &[Run], figure: impl Fn(Run) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(|run| figure(*run)).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_the_rounds_in_the_middle() {
        let run = |millis| Run {
            records: 1_000,
            bytes: 300_000,
            elapsed: Duration::from_millis(millis),
            processor_secs: 0.002,
        };
        let mut figures = Figures::default();
        for (native, other) in [(100, 200), (90, 180), (500, 900)] {
            figures.add(Form::Ndjson, run(native));
            figures.add(Form::OtlpProtobuf, run(other));
        }
        let table = figures.to_string();
        assert!(table.contains("| NDJSON | 10000 | 1.00 | 2.00 | 1.00 | 300 |"), "{table}");
        assert!(table.contains("| OTLP protobuf | 5000 | 0.50 | 2.00 | 1.00 | 300 |"), "{table}");
    }
}
