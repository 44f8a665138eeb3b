//! Which ids a batch in memory cannot hold: a filter over the whole values of those text fields whose values are mostly
//! different, such as trace ids. Values that come again and again are in nearly every batch, so that a filter of them
//! would be asked for nothing.

use insighthub_model::RecordBatch;
use insighthub_model::batch::{FieldColumn, FieldValues, TextColumn};
use insighthub_model::query::token;
use xxhash_rust::xxh3::xxh3_64;

use crate::split_filter::SplitFilter;

/// Values that say whether those of a column are mostly different: what is left out costs this many hashes.
const SAMPLE_VALUES: usize = 128;
/// Longer values are no ids, and hashing them costs more than passing over them.
const VALUE_BYTES_MAX: usize = 128;

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ValueFilters {
    /// Column by column as in the batch; `None` where every value may be held.
    columns: Vec<Option<SplitFilter>>,
}

impl ValueFilters {
    /// Hashes each value of the columns that are worth a filter, which take 10 bits a value.
    pub(crate) fn of(records: &RecordBatch) -> ValueFilters {
        ValueFilters { columns: records.fields.iter().map(of_column).collect() }
    }

    /// False when no row of the batch has this text in a field of this name, whatever the case and the field's types.
    /// `records` is the batch the filters were made of.
    pub(crate) fn may_hold(&self, records: &RecordBatch, name: &str, value: &str) -> bool {
        let hash = xxh3_64(token::fold(value).as_bytes());
        let columns = records.fields.iter().enumerate().filter(|(_, column)| column.name == name);
        let mut filters = columns.map(|(at, _)| self.columns.get(at).and_then(Option::as_ref));
        filters.any(|filter| filter.is_none_or(|filter| filter.may_hold(hash)))
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.columns.iter().flatten().map(SplitFilter::bytes_held).sum()
    }
}

fn of_column(column: &FieldColumn) -> Option<SplitFilter> {
    // Numbers are compared as numbers, and of JSON an element may be what is meant.
    let FieldValues::Text(texts) = &column.values else { return None };
    let mut folded = String::new();
    let mut sample: Vec<u64> = hashes(texts, &mut folded).take(SAMPLE_VALUES).collect::<Option<_>>()?;
    let drawn = sample.len();
    sample.sort_unstable();
    sample.dedup();
    if sample.len() < drawn.div_ceil(2) {
        return None;
    }
    let all: Vec<u64> = hashes(texts, &mut folded).collect::<Option<_>>()?;
    Some(SplitFilter::of(all.into_iter()))
}

/// Of each value, folded; `None` for one that is too long.
fn hashes<'a>(texts: &'a TextColumn, folded: &'a mut String) -> impl Iterator<Item = Option<u64>> + 'a {
    texts.iter().map(|text| {
        (text.len() <= VALUE_BYTES_MAX).then(|| {
            token::fold_into(text, folded);
            xxh3_64(folded.as_bytes())
        })
    })
}

#[cfg(test)]
mod tests {
    use insighthub_model::batch::FieldKind;
    use proptest::prelude::*;

    use super::*;

    fn batch(fields: &[(&str, &[String])]) -> RecordBatch {
        let columns = fields.iter().map(|(name, texts)| {
            let mut column = FieldColumn::new((*name).to_owned(), FieldKind::Text);
            column.rows = (0..texts.len() as u32).collect();
            if let FieldValues::Text(values) = &mut column.values {
                texts.iter().for_each(|text| values.push(text));
            }
            column
        });
        RecordBatch { fields: columns.collect(), ..RecordBatch::default() }
    }

    proptest! {
        #[test]
        fn nothing_held_is_denied(texts in prop::collection::vec("\\PC{0,20}|[a-f0-9]{32}|[a-zA-Z -]{0,140}", 0..400)) {
            let records = batch(&[("f", &texts)]);
            let filters = ValueFilters::of(&records);
            for text in &texts {
                prop_assert!(filters.may_hold(&records, "f", text));
                prop_assert!(filters.may_hold(&records, "f", &text.to_ascii_uppercase()));
            }
        }
    }

    #[test]
    fn ids_that_are_absent_are_denied_and_words_are_not_looked_at() {
        let ids: Vec<String> = (0..5_000).map(|number| format!("{number:032x}")).collect();
        let words: Vec<String> = (0..5_000).map(|number| format!("word {}", number % 7)).collect();
        let records = batch(&[("id", &ids), ("word", &words)]);
        let filters = ValueFilters::of(&records);
        let passed =
            (5_000..10_000).filter(|n| filters.may_hold(&records, "id", &format!("{n:032x}"))).count();
        assert!(passed < 150, "{passed} of 5000");
        assert!(filters.may_hold(&records, "word", "word 9"));
        assert!(filters.bytes_held() < 8_000, "{} bytes", filters.bytes_held());
        assert!(!filters.may_hold(&records, "absent", "word 1"));
    }

    #[test]
    fn a_field_of_several_types_may_hold_everything_its_other_types_may() {
        let ids: Vec<String> = (0..200).map(|number| format!("{number:032x}")).collect();
        let mut records = batch(&[("id", &ids)]);
        let mut numbers = FieldColumn::new("id".to_owned(), FieldKind::Int);
        numbers.rows.push(200);
        if let FieldValues::Int(values) = &mut numbers.values {
            values.push(5);
        }
        records.fields.push(numbers);
        assert!(ValueFilters::of(&records).may_hold(&records, "id", "5"));
    }
}
