//! Functions of templates, by the names that Loki gives them.

use regex::{NoExpand, Regex};

use super::Line;
use super::template::{Term, Word};

/// Columns that a value is filled up to: more than any screen shows.
const WIDTH_MAX: i64 = 1_000;

#[derive(Debug)]
pub(super) enum Function {
    Upper,
    Lower,
    Trim,
    Default(Term),
    Replace(Term, Term),
    TrimPrefix(Term),
    TrimSuffix(Term),
    TrimAll(Term),
    /// From the end where it is negative.
    Trunc(i64),
    Substr(i64, i64),
    AlignLeft(usize),
    AlignRight(usize),
    RegexReplace(Regex, Term),
    RegexReplaceLiteral(Regex, Term),
}

/// A function with the value it is of: the last argument, or what stands before the `|`.
pub(super) fn call(name: &str, arguments: &[Word], piped: Option<Term>) -> Result<(Term, Function), String> {
    if let "regexReplaceAll" | "regexReplaceAllLiteral" = name {
        return regex_call(name, arguments, piped);
    }
    let (value, arguments) = match (piped, arguments) {
        (Some(value), arguments) => (value, arguments),
        (None, [arguments @ .., Word::Term(value)]) => (value.clone(), arguments),
        // Told by its name first: `if` stands before no value.
        (None, _) => (Term::Line, arguments),
    };
    Ok((value, function(name, arguments)?))
}

fn function(name: &str, arguments: &[Word]) -> Result<Function, String> {
    Ok(match (name, arguments) {
        ("ToUpper" | "upper", []) => Function::Upper,
        ("ToLower" | "lower", []) => Function::Lower,
        ("Trim" | "trim" | "TrimSpace", []) => Function::Trim,
        ("default", [Word::Term(value)]) => Function::Default(value.clone()),
        ("replace", [Word::Term(old), Word::Term(new)]) => Function::Replace(old.clone(), new.clone()),
        ("trimPrefix", [Word::Term(prefix)]) => Function::TrimPrefix(prefix.clone()),
        ("trimSuffix", [Word::Term(suffix)]) => Function::TrimSuffix(suffix.clone()),
        ("trimAll", [Word::Term(signs)]) => Function::TrimAll(signs.clone()),
        ("trunc", [Word::Number(length)]) => Function::Trunc(*length),
        ("substr", [Word::Number(start), Word::Number(end)]) => Function::Substr(*start, *end),
        ("alignLeft", [Word::Number(width)]) => Function::AlignLeft(checked_width(*width)?),
        ("alignRight", [Word::Number(width)]) => Function::AlignRight(checked_width(*width)?),
        _ => return Err(format!("templates do not support `{}` as it stands here", shown(name))),
    })
}

/// `regexReplaceAll "(a+)b" .label "${1}c"`: the value stands between the expression and what takes its place.
fn regex_call(name: &str, arguments: &[Word], piped: Option<Term>) -> Result<(Term, Function), String> {
    let (None, [Word::Term(Term::Text(pattern)), Word::Term(value), Word::Term(replacement)]) =
        (piped, arguments)
    else {
        return Err(format!("{name} takes an expression in quotes, a value and a replacement"));
    };
    let regex =
        Regex::new(pattern).map_err(|_| format!("{name} has no regular expression that can be read"))?;
    let function = match name {
        "regexReplaceAll" => Function::RegexReplace(regex, replacement.clone()),
        _ => Function::RegexReplaceLiteral(regex, replacement.clone()),
    };
    Ok((value.clone(), function))
}

fn checked_width(width: i64) -> Result<usize, String> {
    let is_allowed = (0..=WIDTH_MAX).contains(&width);
    let width = usize::try_from(width).ok().filter(|_| is_allowed);
    width.ok_or_else(|| format!("a width is a whole number from 0 to {WIDTH_MAX}"))
}

/// The start of what was typed: it may be long.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

impl Function {
    pub(super) fn apply(&self, value: &str, line: &Line) -> String {
        match self {
            Function::Upper => value.to_uppercase(),
            Function::Lower => value.to_lowercase(),
            Function::Trim => value.trim().to_owned(),
            Function::Default(other) if value.is_empty() => other.text(line).to_owned(),
            Function::Default(_) => value.to_owned(),
            Function::Replace(old, new) => value.replace(old.text(line), new.text(line)),
            Function::TrimPrefix(prefix) => value.strip_prefix(prefix.text(line)).unwrap_or(value).to_owned(),
            Function::TrimSuffix(suffix) => value.strip_suffix(suffix.text(line)).unwrap_or(value).to_owned(),
            Function::TrimAll(signs) => value.trim_matches(|char| signs.text(line).contains(char)).to_owned(),
            Function::Trunc(length) if *length < 0 => last(value, magnitude(*length)),
            Function::Trunc(length) => first(value, magnitude(*length)),
            Function::Substr(start, end) => {
                let end = usize::try_from(*end).unwrap_or(usize::MAX);
                let start = usize::try_from(*start).unwrap_or(0);
                value.chars().take(end).skip(start).collect()
            }
            Function::AlignLeft(width) => format!("{:<width$}", first(value, *width)),
            Function::AlignRight(width) => format!("{:>width$}", last(value, *width)),
            Function::RegexReplace(regex, with) => regex.replace_all(value, with.text(line)).into_owned(),
            Function::RegexReplaceLiteral(regex, with) => {
                regex.replace_all(value, NoExpand(with.text(line))).into_owned()
            }
        }
    }
}

fn magnitude(length: i64) -> usize {
    usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX)
}

fn first(value: &str, length: usize) -> String {
    value.chars().take(length).collect()
}

fn last(value: &str, length: usize) -> String {
    value.chars().skip(value.chars().count().saturating_sub(length)).collect()
}
