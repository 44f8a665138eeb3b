//! The right answers, as the reference script wrote them, and whether a node's answer is one of them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use insighthub_model::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, text_of};
use crate::cli::error::CliError;

/// The file that `query_reference.py` writes.
#[derive(Debug, Deserialize)]
pub(super) struct Expectations {
    /// Records of the set.
    pub(super) records: u64,
    answers: BTreeMap<String, Expected>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Expected {
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<Value>>,
        /// How far a number that is no count may be off, as a share of it.
        #[serde(default)]
        tolerance: f64,
    },
    /// Newest first; each as [timestamp, message].
    Records {
        count: usize,
        /// Those that must be there.
        sure: Vec<(String, String)>,
        /// Those of the oldest moment of the answer: of records of one moment the limit takes some.
        boundary: Vec<(String, String)>,
    },
}

impl Expectations {
    pub(super) fn read(path: &Path) -> Result<Expectations, CliError> {
        let unusable = |cause: String| CliError::Argument(format!("{}: {cause}", path.display()));
        let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| unusable(format!("no expected answers: {error}")))
    }

    /// Says what is wrong with an answer.
    pub(super) fn check(&self, question: &str, answer: &Answer) -> Result<(), String> {
        let expected = self.answers.get(question).ok_or("the file with the expected answers has none")?;
        match expected {
            Expected::Table { columns, rows, tolerance } => {
                let got = answer.rows.as_ref().ok_or("records instead of a table")?;
                check_table((columns, rows), (&answer.columns, got), *tolerance)
            }
            Expected::Records { count, sure, boundary } => {
                let got = answer.records.as_ref().ok_or("a table instead of records")?;
                check_records(*count, sure, boundary, got)
            }
        }
    }
}

type Table<'a> = (&'a [String], &'a [Vec<Value>]);

fn check_table(expected: Table<'_>, got: Table<'_>, tolerance: f64) -> Result<(), String> {
    if got.0 != expected.0 {
        return Err(format!("columns {:?} instead of {:?}", got.0, expected.0));
    }
    if got.1.len() != expected.1.len() {
        return Err(format!("{} rows instead of {}", got.1.len(), expected.1.len()));
    }
    for (number, (got, expected)) in got.1.iter().zip(expected.1).enumerate() {
        let same = |(got, expected)| is_same(got, expected, tolerance);
        if got.len() != expected.len() || !got.iter().zip(expected).all(same) {
            return Err(format!("row {number} is {} instead of {}", line(got), line(expected)));
        }
    }
    Ok(())
}

fn line(row: &[Value]) -> String {
    row.iter().map(Value::to_string).collect::<Vec<_>>().join(" ")
}

/// Integers are exact; other numbers may differ by the tolerance; moments may be written in two ways.
fn is_same(got: &Value, expected: &Value, tolerance: f64) -> bool {
    match (got, expected) {
        (Value::Number(got_number), Value::Number(expected_number)) => {
            if let (Some(got), Some(expected)) = (got_number.as_i64(), expected_number.as_i64())
                && tolerance == 0.0
            {
                return got == expected;
            }
            let (got, expected) = (got_number.as_f64(), expected_number.as_f64());
            // Rounding of the last digit is no error either.
            got.zip(expected)
                .is_some_and(|(got, expected)| (got - expected).abs() <= expected.abs() * (tolerance + 1e-12))
        }
        (Value::String(got), Value::String(expected)) if got != expected => {
            matches!((Timestamp::parse(got), Timestamp::parse(expected)), (Ok(got), Ok(expected)) if got == expected)
        }
        _ => got == expected,
    }
}

fn check_records(
    count: usize,
    sure: &[(String, String)],
    boundary: &[(String, String)],
    got: &[Value],
) -> Result<(), String> {
    if got.len() != count {
        return Err(format!("{} records instead of {count}", got.len()));
    }
    let moment = |text: &str| Timestamp::parse(text).map_err(|error| error.to_string());
    let mut left: HashMap<(Timestamp, &str), i64> = HashMap::new();
    for (time, message) in sure {
        *left.entry((moment(time)?, message)).or_default() += 1;
    }
    let mut spare: HashMap<(Timestamp, &str), i64> = HashMap::new();
    for (time, message) in boundary {
        *spare.entry((moment(time)?, message)).or_default() += 1;
    }
    let mut newest = Timestamp::MAX;
    for record in got {
        let (time, message) = (moment(text_of(record, "timestamp"))?, text_of(record, "message"));
        if time > newest {
            return Err(format!("records are not newest first: {time} follows {newest}"));
        }
        newest = time;
        let places = [left.get_mut(&(time, message)), spare.get_mut(&(time, message))];
        match places.into_iter().flatten().find(|places| **places > 0) {
            Some(places) => *places -= 1,
            None => return Err(format!("a record that is none of the answer: {time} {message:?}")),
        }
    }
    match left.into_iter().find(|(_, missing)| *missing > 0) {
        Some(((time, message), _)) => Err(format!("a record is missing: {time} {message:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectations(answer: &str) -> Expectations {
        serde_json::from_str(&format!(r#"{{"records":1,"answers":{{"q":{answer}}}}}"#)).unwrap()
    }

    fn check(expected: &str, answer: &str) -> Result<(), String> {
        expectations(expected).check("q", &Answer::parse(answer).unwrap())
    }

    #[test]
    fn counts_are_exact_and_quantiles_may_be_off_by_the_tolerance() {
        let count = r#"{"kind":"table","columns":["n"],"rows":[[60655]]}"#;
        assert_eq!(check(count, r#"{"columns":["n"],"rows":[[60655]]}"#), Ok(()));
        for wrong in [
            r#"{"columns":["n"],"rows":[[60656]]}"#,
            r#"{"columns":["m"],"rows":[[60655]]}"#,
            r#"{"columns":["n"],"rows":[]}"#,
            r#"{"columns":["n"],"rows":[[null]]}"#,
            r#"{"columns":["n"],"rows":[[60655,1]]}"#,
            r#"{"records":[]}"#,
        ] {
            assert!(check(count, wrong).is_err(), "{wrong}");
        }
        let quantile = r#"{"kind":"table","columns":["t","p"],"tolerance":0.01,
            "rows":[["2026-01-30T00:00:00.000Z",200.0]]}"#;
        let answer = |time: &str, p: f64| format!(r#"{{"columns":["t","p"],"rows":[["{time}",{p}]]}}"#);
        assert_eq!(check(quantile, &answer("2026-01-30T00:00:00Z", 201.9)), Ok(()));
        assert!(check(quantile, &answer("2026-01-30T00:00:00Z", 202.1)).is_err());
        assert!(check(quantile, &answer("2026-01-30T00:01:00Z", 200.0)).is_err());
    }

    #[test]
    fn of_records_of_the_oldest_moment_any_will_do_and_of_others_none_may_lack() {
        let expected = r#"{"kind":"records","count":2,"sure":[["2026-01-30T00:00:01Z","a"]],
            "boundary":[["2026-01-30T00:00:00Z","b"],["2026-01-30T00:00:00Z","c"]]}"#;
        let answer = |records: &[(u8, &str)]| {
            let records = records.iter().map(|(second, message)| {
                serde_json::json!({"timestamp": format!("2026-01-30T00:00:0{second}.000Z"), "message": message})
            });
            serde_json::json!({ "records": records.collect::<Vec<_>>() }).to_string()
        };
        assert_eq!(check(expected, &answer(&[(1, "a"), (0, "b")])), Ok(()));
        assert_eq!(check(expected, &answer(&[(1, "a"), (0, "c")])), Ok(()));
        for wrong in [
            &[(0, "b"), (1, "a")][..],
            &[(0, "b"), (0, "c")],
            &[(1, "a"), (1, "a")],
            &[(1, "a"), (0, "d")],
            &[(1, "a")],
        ] {
            assert!(check(expected, &answer(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_question_without_an_expected_answer_is_not_right() {
        let expectations = expectations(r#"{"kind":"table","columns":[],"rows":[]}"#);
        let answer = Answer::parse(r#"{"rows":[]}"#).unwrap();
        assert!(expectations.check("q9", &answer).is_err());
    }
}
