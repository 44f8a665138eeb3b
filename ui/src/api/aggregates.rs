//! `POST /api/query` with stages: a table.

use insighthub_model::Timestamp;
pub use insighthub_model::api::answer::Coverage;
use serde::Deserialize;
use serde_json::Value;

/// Columns and rows as they came; values are JSON.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Aggregates {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    pub coverage: Coverage,
}

/// One row, read by the names of columns.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [Value],
}

impl Aggregates {
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { columns: &self.columns, values })
    }
}

impl<'a> Row<'a> {
    fn value(self, name: &str) -> Option<&'a Value> {
        let place = self.columns.iter().position(|column| column == name)?;
        self.values.get(place)
    }

    /// `None` where there is no number, as for a quantile of nothing.
    pub fn number(self, name: &str) -> Option<f64> {
        self.value(name)?.as_f64()
    }

    pub fn count(self, name: &str) -> u64 {
        self.value(name).and_then(Value::as_u64).unwrap_or_default()
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.value(name)?.as_str()
    }

    /// Milliseconds since 1970 of a column of times.
    pub fn time_ms(self, name: &str) -> Option<i64> {
        Timestamp::parse(self.text(name)?).ok().map(Timestamp::millis)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_by_the_names_of_their_columns() {
        let table: Aggregates = serde_json::from_str(
            r#"{"columns":["service","time","n","p95"],"rows":[["auth","2026-01-31T10:00:00.000Z",7,1.5],[null,"x",0,null]],
                "coverage":{"partitions":8,"partitions_answered":7,"complete":false,"stale":false},"stats":{}}"#,
        )
        .unwrap();
        let rows: Vec<Row<'_>> = table.rows().collect();
        assert_eq!(
            (rows[0].text("service"), rows[0].count("n"), rows[0].number("p95")),
            (Some("auth"), 7, Some(1.5))
        );
        assert_eq!(rows[0].time_ms("time"), Some(1_769_853_600_000));
        assert_eq!(
            (rows[1].text("service"), rows[1].number("p95"), rows[1].time_ms("time")),
            (None, None, None)
        );
        assert_eq!((rows[0].number("other"), table.coverage.complete), (None, false));
    }
}
