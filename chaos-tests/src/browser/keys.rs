//! Keys as WebDriver writes them: a private character for each that types none.

use anyhow::{Context, Result, ensure};

pub(super) const CONTROL: char = '\u{E009}';
pub(super) const ALT: char = '\u{E00A}';
/// In a text that is typed: lets go of everything that is held.
pub(super) const RELEASED: char = '\u{E000}';

/// Keys by the names that browsers give them in `KeyboardEvent.key`.
const NAMED: [(&str, char); 19] = [
    ("Control", CONTROL),
    ("Alt", ALT),
    ("Shift", '\u{E008}'),
    ("Meta", '\u{E03D}'),
    ("Escape", '\u{E00C}'),
    ("Enter", '\u{E007}'),
    ("Tab", '\u{E004}'),
    ("Space", ' '),
    ("Backspace", '\u{E003}'),
    ("Delete", '\u{E017}'),
    ("ArrowUp", '\u{E013}'),
    ("ArrowDown", '\u{E015}'),
    ("ArrowLeft", '\u{E012}'),
    ("ArrowRight", '\u{E014}'),
    ("Home", '\u{E011}'),
    ("End", '\u{E010}'),
    ("PageUp", '\u{E00E}'),
    ("PageDown", '\u{E00F}'),
    ("Plus", '+'),
];

/// The keys of a chord, those to hold first: `Control+k`, `Shift+Tab`, `g`.
pub(super) fn chord(text: &str) -> Result<Vec<char>> {
    let keys = text.split('+').map(|name| {
        let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
        let mut chars = name.chars();
        let plain = chars.next().filter(|_| chars.next().is_none());
        named.or(plain).with_context(|| format!("{name:?} of {text:?} is no key; a plus sign is `Plus`"))
    });
    let keys: Vec<char> = keys.collect::<Result<_>>()?;
    ensure!(!keys.is_empty(), "no key");
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_read() {
        assert_eq!(chord("g").unwrap(), ['g']);
        assert_eq!(chord("Control+k").unwrap(), [CONTROL, 'k']);
        assert_eq!(chord("?").unwrap(), ['?']);
        assert!(chord("Controll+k").is_err());
        assert!(chord("").is_err());
    }
}
