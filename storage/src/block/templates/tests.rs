//! Messages of every kind read back from templates, in whole and row by row, and damage is never a panic.

use std::sync::Arc;

use insighthub_model::batch::TextColumn;
use proptest::prelude::*;

use super::*;
use crate::block::encoding::{Cursor, Encoder};
use crate::column_source::{
    ColumnError, Messages, TemplatedMessages, Templates, Texts, Variables, slot_character,
};

/// Variables already decoded.
#[derive(Debug)]
struct Decoded(Vec<Arc<[Texts<'static>]>>);

impl Variables for Decoded {
    fn variables(&self, _: &Templates, template: u32) -> Result<Arc<[Texts<'static>]>, ColumnError> {
        Ok(Arc::clone(&self.0[template as usize]))
    }
}

fn encoded(draft: &Draft) -> (Vec<u8>, Vec<u8>) {
    let mut encoder = Encoder::new().unwrap();
    let (mut templates, mut variables) = (vec![TEMPLATED], Vec::new());
    draft.encode_templates(&mut encoder, &mut templates);
    let groups = draft.groups();
    assert!(
        groups
            .iter()
            .map(|(first, _, _)| *first)
            .eq([0].into_iter().chain(groups.iter().map(|(_, end, _)| *end)).take(groups.len()))
    );
    groups.iter().for_each(|(first, end, _)| draft.encode_group(*first, *end, &mut encoder, &mut variables));
    (templates, variables)
}

fn check(messages: &TextColumn) -> Option<usize> {
    let draft = cut(messages)?;
    let (templates, variables) = encoded(&draft);
    let mut cursor = Cursor::new(&templates);
    let held = decode_messages(&mut cursor, messages.len()).unwrap();
    assert_eq!(cursor.expect_end(), Ok(()));
    let HeldMessages::Templated(templates_read, codes) = held else { panic!("these are templates") };
    let mut cursor = Cursor::new(&variables);
    let decoded = Decoded(decode_variables(&mut cursor, templates_read.list()).unwrap());
    assert_eq!(cursor.expect_end(), Ok(()));
    for (template, slots) in templates_read.list().iter().zip(&decoded.0) {
        let is_beside = |character: char| character.is_ascii_alphanumeric();
        let mut before = template.literals.iter().take(slots.len());
        assert!(!before.any(|literal| literal.ends_with(is_beside)), "{:?}", template.literals);
        assert!(!template.literals.iter().skip(1).any(|literal| literal.starts_with(is_beside)));
        check_promise(
            template.characters.as_slice(),
            slots,
            templates_read.free() == Some(0) || template.literals == ["", ""],
        );
    }
    for (number, slots) in decoded.0.iter().enumerate() {
        for (slot, texts) in slots.iter().enumerate() {
            let mut cursor = Cursor::new(&variables);
            let alone = decode_variable(&mut cursor, templates_read.list(), (number, slot)).unwrap();
            assert_eq!(alone.map(|alone| alone.to_column()), Some(texts.to_column()));
            assert_eq!(cursor.expect_end(), Ok(()));
        }
    }
    let read =
        Messages::Templated(TemplatedMessages { templates: templates_read, codes, variables: &decoded });
    assert_eq!(&read.to_column().unwrap(), messages);
    // Some rows alone are what they are among all.
    read.for_each((0..messages.len()).filter(|row| row % 7 == 3), |row, text| {
        assert_eq!(text, messages.get(row))
    })
    .unwrap();
    Some(templates.len() + variables.len())
}

/// What search relies on.
fn check_promise(characters: &[u64], slots: &[Texts<'_>], may_be_free: bool) {
    for (set, slot) in characters.iter().zip(slots).filter(|_| !may_be_free) {
        for text in slot.to_column().iter() {
            assert!(
                !text.is_empty()
                    && text.bytes().all(|byte| set & slot_character(byte.to_ascii_lowercase()) != 0),
                "{text}"
            );
            for run in text.split(|character: char| !character.is_ascii_alphanumeric()) {
                let is_hex = run.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(
                    !run.is_empty() && (is_hex || run.bytes().any(|byte| byte.is_ascii_digit())),
                    "{text}"
                );
            }
        }
    }
}

fn column(texts: &[String]) -> TextColumn {
    texts.iter().map(String::as_str).collect()
}

/// Messages of a few shapes whose numbers differ, with some that have no shape.
fn messages() -> impl Strategy<Value = Vec<String>> {
    let shapes = prop::collection::vec(
        "(\\PC|[a-z ]{1,4}|[0-9]{1,3}(\\.[0-9]{1,2})?(ms)?|0x[0-9a-f]{4}|\n){0,8}",
        1..4,
    );
    let row = (any::<prop::sample::Index>(), "[1-9][0-9]{0,4}", prop::option::weighted(0.1, "\\PC{0,20}"));
    (shapes, prop::collection::vec(row, 0..120)).prop_map(|(shapes, rows)| {
        rows.into_iter()
            .map(|(shape, number, odd)| odd.unwrap_or_else(|| shape.get(&shapes).replace('1', &number)))
            .collect()
    })
}

proptest! {
    #[test]
    fn messages_read_back(messages in messages()) {
        check(&column(&messages));
    }

    #[test]
    fn damaged_templates_never_panic(messages in messages(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let messages = column(&messages);
        let Some(draft) = cut(&messages) else { return Ok(()) };
        let (mut templates, mut variables) = encoded(&draft);
        let (whole_templates, whole_variables) = (templates.clone(), variables.clone());
        let place = at.index(templates.len() + variables.len());
        match place.checked_sub(templates.len()) {
            None => templates[place] ^= flip,
            Some(place) => variables[place] ^= flip,
        }
        for (templates, variables) in [(&templates, &whole_variables), (&whole_templates, &variables)] {
            let Ok(HeldMessages::Templated(read, codes)) = decode_messages(&mut Cursor::new(templates), messages.len()) else { continue };
            let Ok(decoded) = decode_variables(&mut Cursor::new(variables), read.list()) else { continue };
            let decoded = Decoded(decoded);
            let read = Messages::Templated(TemplatedMessages { templates: read, codes, variables: &decoded });
            prop_assert_eq!(read.to_column().unwrap().len(), messages.len());
        }
    }
}

#[test]
fn hostile_messages_read_back() {
    let huge = format!("id 7 {}", "x9 ".repeat(400_000));
    let trace = "panic at main.rs:42\n  at frame 0x7f00aa\n  at frame 0x7f00ab\n".to_owned();
    let uuid = "job 7e57d004-2b97-0e7a-beef-5387367791cd ended".to_owned();
    let mut texts: Vec<String> = Vec::new();
    for number in 0..200 {
        texts.push(format!("{trace}{number}"));
        texts.push(uuid.replace("2b97", &format!("{number:04x}")));
        texts.push(String::new());
        texts.push(format!("\u{ff}{number}\u{2028}\0 ÿ{number}٣"));
        texts.push(format!("{number}"));
        texts.push(format!(
            "{}.{:02} 00{number} {number}e5 18446744073709551616{number}",
            number * 7,
            number % 100
        ));
    }
    texts.push(huge);
    texts.push("1 ".repeat(100));
    assert!(check(&column(&texts)).is_some());
}

#[test]
fn free_text_is_left_as_it_is_and_the_same_rows_give_the_same_bytes() {
    let letters = |n: usize| {
        (0..9).map(|at| char::from(b'g' + ((n * 7919) >> (at * 2)) as u8 % 16)).collect::<String>()
    };
    let free: Vec<String> = (0..5_000).map(letters).collect();
    assert!(cut(&column(&free)).is_none());
    let alike: Vec<String> =
        (0..5_000).map(|n| format!("user {} took {}.{} ms", n % 37, n % 900, n % 10)).collect();
    let bytes = || encoded(&cut(&column(&alike)).unwrap());
    assert_eq!(bytes(), bytes());
    assert!(check(&column(&alike)).unwrap() < 5_000 * 4);
}
