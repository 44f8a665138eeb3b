//! Labels as one text, `{app="pay", env="prod"}`: names, and values quoted as Go quotes them.

use crate::ingest::rejection::{Read, RecordError};
use crate::ingest::scan_text::Text;

/// The labels of a text; values with escapes go to the arena.
pub(super) fn read<'a>(text: &'a str, arena: &mut String) -> Read<Vec<(Text<'a>, Text<'a>)>> {
    let broken = || RecordError::field("labels", "labels must be written {name=\"value\", ...}");
    let inner = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(broken)?;
    let (mut labels, mut rest) = (Vec::new(), inner.trim_start());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(broken)?;
        let name = name.trim();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.');
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(broken());
        }
        let (value, after) = quoted(after.trim_start(), arena).ok_or_else(broken)?;
        labels.push((Text::Sent(name), value));
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(broken()),
        };
    }
    Ok(labels)
}

/// A quoted text and what follows it.
fn quoted<'a>(text: &'a str, arena: &mut String) -> Option<(Text<'a>, &'a str)> {
    if let Some(raw) = text.strip_prefix('`') {
        let (value, rest) = raw.split_once('`')?;
        return Some((Text::Sent(value), rest));
    }
    let inner = text.strip_prefix('"')?;
    let end = inner.find(['"', '\\'])?;
    let (plain, rest) = inner.split_at_checked(end)?;
    if let Some(rest) = rest.strip_prefix('"') {
        return Some((Text::Sent(plain), rest));
    }
    let start = arena.len();
    let rest = unescape(inner, arena)?;
    Some((Text::Arena { start, end: arena.len() }, rest))
}

/// What stands before the closing quote, into the arena; returns what stands behind it.
fn unescape<'a>(text: &'a str, arena: &mut String) -> Option<&'a str> {
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some(letters.as_str()),
            '\\' => {
                let (letter, digits) = match letters.next()? {
                    'n' => ('\n', 0),
                    't' => ('\t', 0),
                    'r' => ('\r', 0),
                    'a' => ('\u{7}', 0),
                    'b' => ('\u{8}', 0),
                    'f' => ('\u{c}', 0),
                    'v' => ('\u{b}', 0),
                    'x' => ('\0', 2),
                    'u' => ('\0', 4),
                    'U' => ('\0', 8),
                    other => (other, 0),
                };
                arena.push(if digits == 0 { letter } else { coded(&mut letters, digits)? });
            }
            letter => arena.push(letter),
        }
    }
}

fn coded(letters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text = letters.as_str().get(..digits)?;
    *letters = letters.as_str().get(digits..)?.chars();
    char::from_u32(u32::from_str_radix(text, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&[(&str, &str)]>) {
        let mut arena = String::new();
        let read = read(text, &mut arena).ok();
        let read = read.map(|labels| {
            let texts = labels.iter().map(|(name, value)| (name.of(&arena), value.of(&arena)));
            texts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
        });
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(read, expected.map(owned), "{text}");
    }

    #[test]
    fn labels_are_read_with_their_escapes() {
        check("{}", Some(&[]));
        check(r#"{app="pay"}"#, Some(&[("app", "pay")]));
        check(r#"{ app = "pay" , env="prod",}"#, Some(&[("app", "pay"), ("env", "prod")]));
        check(r#"{a="q\"\\\n\u00e4\x41",b=`r\n`}"#, Some(&[("a", "q\"\\\nä\u{41}"), ("b", "r\\n")]));
        check(r#"{a="}, b="}"#, Some(&[("a", "}, b=")]));
        check(r#"{a="x},{="}"#, Some(&[("a", "x},{=")]));
    }

    #[test]
    fn what_are_no_labels_is_refused() {
        for text in [
            "",
            "{",
            "a=\"b\"",
            "{a}",
            "{a=}",
            "{a=b}",
            "{=\"b\"}",
            r#"{a="b" c="d"}"#,
            r#"{a="\ud800"}"#,
            r#"{a="b\"}"#,
        ] {
            check(text, None);
        }
    }
}
