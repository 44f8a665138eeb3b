//! Templates that hold no word of a message: where what is learned outlives records, and a record that was deleted must be
//! gone, words are replaced by codes. Whoever has a record of a template can put its words back.

use super::mask::{MASK, masked};
use crate::prng::hash_bytes;

/// Characters of a code: 36 bits of a word's hash.
const CODE_CHARACTERS: usize = 6;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The form of a masked text: each word its code, variable ones as they are. A word that is variable in part stays so.
pub(super) fn form(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            form.push(' ');
        }
        push_code(word, &mut form);
    }
    form
}

/// The text of the template of this form, as one of its messages shows it; `None` where the message is of another.
pub fn text_of(form: &str, message: &str) -> Option<String> {
    let mut text = String::new();
    masked(message, &mut text);
    let mut words = Vec::new();
    let (mut of_form, mut of_text) = (form.split(' '), text.split(' '));
    loop {
        match (of_form.next(), of_text.next()) {
            (Some(MASK), Some(_)) => words.push(MASK),
            (Some(code), Some(word)) => {
                let mut expected = String::with_capacity(CODE_CHARACTERS);
                push_code(word, &mut expected);
                if expected != code {
                    return None;
                }
                words.push(word);
            }
            (None, None) => return Some(words.join(" ")),
            _ => return None,
        }
    }
}

fn push_code(word: &str, out: &mut String) {
    if word == MASK || word.is_empty() {
        out.push_str(word);
        return;
    }
    let mut hash = hash_bytes(word.as_bytes());
    for _ in 0..CODE_CHARACTERS {
        let character = ALPHABET.get((hash & 63) as usize).copied().unwrap_or(b'A');
        out.push(char::from(character));
        hash >>= 6;
    }
    if word.contains(MASK) {
        out.push_str(MASK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_shows_no_word_and_a_message_gives_them_back() {
        let mut text = String::new();
        masked("payment of alice for order-77 failed after 30 ms", &mut text);
        let form = form(&text);
        for word in ["payment", "alice", "order", "failed"] {
            assert!(!form.contains(word), "{form}");
        }
        assert_eq!(text_of(&form, "payment of alice for order-12 failed after 9 ms"), Some(text));
        assert_eq!(text_of(&form, "payment of bob for order-12 failed after 9 ms"), None);
        assert_eq!(text_of(&form, "payment of alice"), None);
    }

    #[test]
    fn what_is_variable_in_the_form_is_so_in_the_text() {
        let words: Vec<String> = form("user alice logged in").split(' ').map(str::to_owned).collect();
        let general = [words[0].as_str(), MASK, &words[2], &words[3]].join(" ");
        assert_eq!(text_of(&general, "user bob logged in").unwrap(), "user <*> logged in");
    }
}
