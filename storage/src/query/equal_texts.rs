//! Which texts of a column are equal to one in ASCII, whatever the case: an id among ids.

use insighthub_model::batch::TextColumn;

/// The bytes that are compared first: ids that differ mostly differ in them.
const END_BYTES: usize = 8;
/// Makes a letter lower; other bytes that it makes equal are told apart when all of a text is compared.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// Visits the places of the texts that are equal.
pub(super) fn each_equal(texts: &TextColumn, value: &str, mut visit: impl FnMut(usize)) {
    let (bytes, ends, value) = (texts.arena_text().as_bytes(), texts.ends(), value.as_bytes());
    let length = value.len();
    let is_end_of = |(at, end): (usize, &u32)| *end as usize == (at + 1) * length;
    if let Some(last) = value.last_chunk::<END_BYTES>()
        && bytes.len() == ends.len() * length
        && ends.iter().enumerate().all(is_end_of)
    {
        let last = u64::from_le_bytes(*last) | LOWER;
        for (at, text) in bytes.chunks_exact(length).enumerate() {
            let end = text.last_chunk::<END_BYTES>().map(|end| u64::from_le_bytes(*end) | LOWER);
            if end == Some(last) && text.eq_ignore_ascii_case(value) {
                visit(at);
            }
        }
        return;
    }
    let last = value.last().map(u8::to_ascii_lowercase);
    let mut start = 0;
    for (at, end) in ends.iter().enumerate() {
        let (from, end) = (std::mem::replace(&mut start, *end as usize), *end as usize);
        if end - from != length {
            continue;
        }
        let text = bytes.get(from..end).unwrap_or(&[]);
        if text.last().map(u8::to_ascii_lowercase) == last && text.eq_ignore_ascii_case(value) {
            visit(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn those_that_are_equal_are_visited(
            texts in prop_oneof![
                prop::collection::vec("[abAB@`]{8}", 0..40),
                prop::collection::vec("[abAB]{9,10}", 0..40),
                prop::collection::vec("[aA]{0,3}", 0..20),
            ],
            wanted in prop_oneof!["[ab@`]{8,10}", "a{0,3}"],
        ) {
            for wanted in texts.iter().map(|text| text.to_ascii_lowercase()).chain([wanted]) {
                let column: TextColumn = texts.iter().map(String::as_str).collect();
                let mut found = Vec::new();
                each_equal(&column, &wanted, |at| found.push(at));
                let expected: Vec<usize> = (0..texts.len())
                    .filter(|at| texts.get(*at).is_some_and(|text| text.eq_ignore_ascii_case(&wanted)))
                    .collect();
                prop_assert_eq!(found, expected, "{}", wanted);
            }
        }
    }
}
