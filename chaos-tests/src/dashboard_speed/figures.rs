//! Figures as a table: what was measured, what came out, what is aimed at.

use std::fmt;

/// Rows of a table, in the order they were measured.
#[derive(Debug, Default)]
pub struct Figures {
    rows: Vec<[String; 3]>,
}

impl Figures {
    /// One figure; without an aim `aim` is empty.
    pub fn add(&mut self, what: &str, value: String, aim: &str) {
        self.rows.push([what.to_owned(), value, aim.to_owned()]);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let lengths = self.rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count());
            lengths.max().unwrap_or(0)
        };
        let (first, second) = (width(0), width(1));
        for [what, value, aim] in &self.rows {
            writeln!(formatter, "  {}", format!("{what:<first$}  {value:<second$}  {aim}").trim_end())?;
        }
        Ok(())
    }
}

/// The value below which this share lies (0 to 1), by the nearest rank; none for no values.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// `p50 12, p95 16, p99 17, max 40 ms`.
pub fn spread_ms(values: &[f64]) -> String {
    let part = |(name, share): (&str, f64)| {
        percentile(values, share).map_or_else(|| format!("{name} none"), |value| format!("{name} {value:.0}"))
    };
    let parts = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)].map(part);
    format!("{} ms", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(50.0));
        assert_eq!(percentile(&values, 0.99), Some(99.0));
        assert_eq!(percentile(&values, 1.0), Some(100.0));
        assert_eq!(percentile(&[7.0], 0.5), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn columns_line_up() {
        let mut figures = Figures::default();
        figures.add("a", "1 ms".to_owned(), "");
        figures.add("longer", "12 ms".to_owned(), "aim: 20 ms");
        assert_eq!(figures.to_string(), "  a       1 ms\n  longer  12 ms  aim: 20 ms\n");
    }
}
