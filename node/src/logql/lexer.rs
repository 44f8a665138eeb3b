//! Text to words of the language. What a number with letters behind it means (`5m`, `10KB`) the grammar decides.

use super::error::LogqlError;

/// A word with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte of the text.
    pub(super) position: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name(String),
    /// What stood in quotes.
    Text(String),
    /// Digits, with a unit where there is one.
    Number(String),
    Symbol(&'static str),
}

/// Longer ones first: the first that fits is taken.
const SYMBOLS: [&str; 30] = [
    "|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<=", "{", "}", "(", ")", "[", "]", ",", "|", "=",
    ">", "<", "+", "-", "*", "/", "%", "^", "@", ":", "!",
];

/// Every word of the text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, LogqlError> {
    let mut tokens = Vec::new();
    let mut position = 0;
    loop {
        let rest = text.get(position..).unwrap_or("");
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        if first.is_whitespace() {
            position += first.len_utf8();
            continue;
        }
        if first == '#' {
            position += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (kind, length) =
            next(rest, first).map_err(|(at, reason)| LogqlError::new(position + at, reason))?;
        tokens.push(Token { kind, position });
        position += length;
    }
}

type Found = Result<(Kind, usize), (usize, String)>;

fn next(rest: &str, first: char) -> Found {
    let run = |accepts: &dyn Fn(char) -> bool| rest.find(|char| !accepts(char)).unwrap_or(rest.len());
    let taken = |length: usize| rest.get(..length).unwrap_or("").to_owned();
    if first.is_ascii_alphabetic() || first == '_' {
        let length = run(&|char| char.is_ascii_alphanumeric() || char == '_');
        return Ok((Kind::Name(taken(length)), length));
    }
    if first.is_ascii_digit()
        || (first == '.'
            && rest.get(1..).is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit())))
    {
        let length = number_length(rest);
        return Ok((Kind::Number(taken(length)), length));
    }
    match first {
        '"' => quoted(rest),
        '`' => match rest.get(1..).and_then(|inner| inner.split_once('`')) {
            Some((inner, _)) => Ok((Kind::Text(inner.to_owned()), inner.len() + 2)),
            None => Err((0, "this text is never closed: expected another `".to_owned())),
        },
        _ => match SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            Some(symbol) => Ok((Kind::Symbol(symbol), symbol.len())),
            None => Err((0, format!("{first:?} means nothing here: text goes in quotes"))),
        },
    }
}

/// Digits, points and letters; a sign only behind the e of an exponent.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        let before = length.checked_sub(1).and_then(|at| bytes.get(at));
        let is_exponent = matches!(before, Some(b'e' | b'E'))
            && bytes.get(..length.saturating_sub(1)).is_some_and(is_decimal)
            && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
        match byte {
            b'.' | b'_' => length += 1,
            byte if byte.is_ascii_alphanumeric() => length += 1,
            b'+' | b'-' if is_exponent => length += 1,
            // A micro sign in `5µs`.
            0xc2 if bytes.get(length + 1) == Some(&0xb5) => length += 2,
            _ => break,
        }
    }
    length
}

fn is_decimal(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// A text in double quotes, with the escapes of Go.
fn quoted(rest: &str) -> Found {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((Kind::Text(text), at + 1)),
            '\n' => return Err((at, "a text in quotes has no line break: write \\n".to_owned())),
            '\\' => {
                let Some((_, escape)) = chars.next() else { break };
                text.push(escaped(escape, &mut chars).ok_or_else(|| {
                    (at, format!("\\{escape} is no escape: expected \\\\ for a backslash, or `...` for the text as it is"))
                })?);
            }
            other => text.push(other),
        }
    }
    Err((0, "this text is never closed: expected another \"".to_owned()))
}

fn escaped(escape: char, rest: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    let digits = match escape {
        'a' => return Some('\u{7}'),
        'b' => return Some('\u{8}'),
        'f' => return Some('\u{c}'),
        'n' => return Some('\n'),
        'r' => return Some('\r'),
        't' => return Some('\t'),
        'v' => return Some('\u{b}'),
        '\\' | '"' | '\'' => return Some(escape),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let mut number = 0u32;
    for _ in 0..digits {
        let (_, digit) = rest.next()?;
        number = number.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
    }
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_keep_their_units_and_leave_operators() {
        let number = |text: &str| Kind::Number(text.to_owned());
        assert_eq!(kinds("1h30m"), [number("1h30m")]);
        assert_eq!(kinds("2.5e-3"), [number("2.5e-3")]);
        assert_eq!(kinds("5-3"), [number("5"), Kind::Symbol("-"), number("3")]);
        assert_eq!(kinds("[5m]"), [Kind::Symbol("["), number("5m"), Kind::Symbol("]")]);
        assert_eq!(kinds(".5 10KB 5µs"), [number(".5"), number("10KB"), number("5µs")]);
    }

    #[test]
    fn texts_have_two_forms() {
        assert_eq!(kinds(r#""a\n\"b\" \u00fc""#), [Kind::Text("a\n\"b\" ü".to_owned())]);
        assert_eq!(kinds(r"`\d+ `"), [Kind::Text(r"\d+ ".to_owned())]);
        for (text, position) in [("\"a", 0), ("x `a", 2), (r#""a\q""#, 2), ("\"a\nb\"", 2), ("a ~ b", 2)] {
            assert_eq!(tokens(text).unwrap_err().position, position, "{text}");
        }
    }

    #[test]
    fn comments_are_passed_over() {
        assert_eq!(kinds("a # b {\n c"), [Kind::Name("a".to_owned()), Kind::Name("c".to_owned())]);
    }
}
