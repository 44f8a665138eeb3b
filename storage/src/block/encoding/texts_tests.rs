//! Every shape of text column reads back, and the common shapes are small.

use proptest::prelude::*;

use super::super::{Cursor, decode_texts};
use super::*;
use crate::column_source::Texts;

fn check(texts: &TextColumn) -> usize {
    let mut bytes = Vec::new();
    Encoder::new().unwrap().texts(texts, Distinct::of(texts).as_ref(), &mut bytes);
    let mut cursor = Cursor::new(&bytes);
    let read = decode_texts(&mut cursor, texts.len()).unwrap();
    assert_eq!(&read.to_column(), texts);
    assert!(texts.is_empty() || read.bytes_held() > 0);
    check_equality(texts, &read);
    assert_eq!(cursor.expect_end(), Ok(()));
    bytes.len()
}

/// What is looked for without printing is found where printing finds it.
fn check_equality(texts: &TextColumn, read: &Texts<'_>) {
    let Texts::Printed(printed) = read else { return };
    for wanted in texts.iter().take(5).map(str::to_ascii_lowercase).chain(["0".to_owned(), "u1".to_owned()]) {
        let expected: Vec<u32> = (0u32..)
            .zip(texts.iter())
            .filter(|(_, text)| text.eq_ignore_ascii_case(&wanted))
            .map(|(at, _)| at)
            .collect();
        assert!(printed.equal_to(&wanted).is_none_or(|found| found == expected), "{wanted}");
    }
}

fn check_all(texts: &[String]) -> usize {
    check(&texts.iter().map(String::as_str).collect())
}

proptest! {
    #[test]
    fn texts_read_back(texts in prop::collection::vec("\\PC{0,12}", 0..120)) {
        check_all(&texts);
    }

    #[test]
    fn texts_of_few_kinds_read_back(texts in prop::collection::vec("(a|é|abc| )?", 0..300)) {
        check_all(&texts);
    }

    #[test]
    fn ids_read_back(
        hex in prop::collection::vec("([0-9a-f]{2}){0,10}", 0..60),
        fixed in prop::collection::vec("[0-9a-f]{16}", 0..60),
        uuids in prop::collection::vec("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", 0..60),
        numbers in prop::collection::vec("-?[0-9]{1,20}", 0..60),
        prefixed in prop::collection::vec("réq-[0-9a-f]{8}", 0..60),
        decimals in prop::collection::vec("[0-9]{1,4}\\.[0-9]{1,3}|[0-9]{1,3}", 0..60),
        units in prop::collection::vec("U[1-9][0-9]{0,5}ms", 0..60),
        fractions in prop::collection::vec("[1-9]\\.[0-9]?[1-9]", 0..60),
    ) {
        for texts in [hex, fixed, uuids, numbers, prefixed, decimals, units, fractions] {
            check_all(&texts);
        }
    }

    #[test]
    fn damaged_streams_never_panic(texts in prop_oneof![
        prop::collection::vec("[a-f0-9]{0,4}", 0..60), prop::collection::vec("x[0-9]{1,3}(\\.[0-9])?y", 0..60),
    ], at in any::<prop::sample::Index>(), flip in 1u8..) {
        let column: TextColumn = texts.iter().map(String::as_str).collect();
        let mut bytes = Vec::new();
        Encoder::new().unwrap().texts(&column, Distinct::of(&column).as_ref(), &mut bytes);
        let place = at.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(read) = decode_texts(&mut Cursor::new(&bytes), column.len()) {
            prop_assert_eq!(read.to_column().len(), column.len());
        }
    }
}

#[test]
fn ids_take_half_their_digits_and_repeated_texts_a_code() {
    let mut state = 1u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let ids: Vec<String> = (0..10_000).map(|_| format!("{:016x}{:016x}", random(), random())).collect();
    assert!(check_all(&ids) < 10_000 * 16 + 200);
    let users: Vec<String> = (0..10_000).map(|_| format!("user-{}", random() % 1000)).collect();
    assert!(check_all(&users) < 10_000 * 10 / 8 + 4_000);
    let host: Vec<String> = vec!["host-1".into(); 10_000];
    assert!(check_all(&host) < 16);
    assert_eq!(check_all(&[]), 3);
}
