//! Records of some patterns over time. Which patterns is known before: of all that are seen it could not be kept.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::query::TimeSpan;
use insighthub_model::table::Value;
use serde::{Deserialize, Serialize};

use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;
use crate::query::pipeline::Key;
use crate::query::pipeline::group_ids::GroupIds;

use super::stretches::count_by_stretch;

/// Whoever asks bounds both: each pattern has a count for each stretch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedPatternBars {
    pub length: TimeSpan,
    pub patterns: BTreeSet<String>,
}

/// By pattern, and by start of the stretch, nanoseconds since 1970; what has no records is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternBars {
    pub bars: BTreeMap<String, BTreeMap<i64, u64>>,
}

impl PatternBars {
    pub(super) fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        rows: &Bitmap,
        wanted: &WantedPatternBars,
    ) -> Result<(), ColumnError> {
        let ids = GroupIds::new(source, &[Key::Template], rows)?;
        let times = source.timestamp()?;
        let mut rows_of: Vec<Option<Bitmap>> =
            ids.keys.iter().map(|key| wanted.patterns.contains(text(key)).then(|| rows.emptied())).collect();
        ids.each_row(rows, |group, row| {
            if let Some(Some(rows)) = rows_of.get_mut(group) {
                rows.insert(row);
            }
        });
        for (key, rows) in ids.keys.iter().zip(rows_of) {
            let Some(rows) = rows else { continue };
            let bars = self.bars.entry(text(key).to_owned()).or_default();
            let add = |start, [count]: &[u64; 1]| *bars.entry(start).or_default() += count;
            count_by_stretch(&times, &rows, wanted.length, |_| Some(0), add);
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: PatternBars) {
        for (pattern, bars) in other.bars {
            let known = self.bars.entry(pattern).or_default();
            bars.into_iter().for_each(|(start, count)| *known.entry(start).or_default() += count);
        }
    }
}

/// The pattern of a group; records without one share the empty text.
fn text(key: &[Value]) -> &str {
    match key.first() {
        Some(Value::Text(pattern)) => pattern,
        _ => "",
    }
}
