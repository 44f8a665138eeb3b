//! Names of rules, channels and silences, and what is wrong with something that a person has sent.

use crate::limits::ALERT_NAME_BYTES_MAX;

/// Why something cannot be kept: the field at fault, and a sentence that says what it may hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    pub field: String,
    pub message: String,
}

impl Problem {
    pub fn new(field: &str, message: impl Into<String>) -> Problem {
        Problem { field: field.to_owned(), message: format!("{field}: {}", message.into()) }
    }
}

/// A name stands in addresses and on the command line, so it is plain.
pub fn check_name(field: &str, name: &str) -> Result<(), Problem> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins_well && name.len() <= ALERT_NAME_BYTES_MAX && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Problem::new(
        field,
        format!(
            "{:?} is no name: use 1 to {ALERT_NAME_BYTES_MAX} of a-z, 0-9, - _ and ., beginning with a letter or digit",
            name.chars().take(80).collect::<String>()
        ),
    ))
}

/// A text for people on one line: line breaks and control characters could become headers or lines of their own.
pub(super) fn check_line(field: &str, text: &str, bytes_max: usize) -> Result<(), Problem> {
    if text.len() > bytes_max {
        return Err(Problem::new(field, format!("has {} bytes, at most {bytes_max} are kept", text.len())));
    }
    match text.chars().any(char::is_control) {
        true => Err(Problem::new(field, "must be one line without control characters")),
        false => Ok(()),
    }
}

pub(super) fn check_range<T: PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    (min, max): (T, T),
) -> Result<(), Problem> {
    // Written so that what cannot be compared is refused as well.
    if value >= min && value <= max {
        return Ok(());
    }
    Err(Problem::new(field, format!("{value} is out of range: it must be {min} to {max}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_field() {
        assert_eq!(check_name("name", "error-spike.2"), Ok(()));
        for name in ["", "-a", "A", "a b", "a/b", "ä", "../x", &"a".repeat(65)] {
            assert_eq!(check_name("channels", name).unwrap_err().field, "channels", "{name}");
        }
        assert!(check_line("title", "a\r\nBcc: x", 100).is_err());
        assert!(check_range("factor", f64::NAN, (1.0, 2.0)).is_err());
        assert_eq!(
            check_range("factor", 3, (1, 2)).unwrap_err().to_string(),
            "factor: 3 is out of range: it must be 1 to 2"
        );
    }
}
