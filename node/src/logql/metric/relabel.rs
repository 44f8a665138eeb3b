//! `label_replace`: a label made of another.

use std::collections::BTreeMap;

use super::series::{Matrix, Series};
use crate::logql::ast::LabelReplace;
use crate::logql::line::whole;

/// Fails with a sentence where two series would have the same labels.
pub(super) fn relabel(replace: &LabelReplace, inner: Matrix) -> Result<Matrix, String> {
    let regex = whole(&replace.regex)?;
    let mut found = BTreeMap::new();
    for Series { mut labels, points } in inner {
        let source = labels.get(&replace.source).map_or("", String::as_str);
        if let Some(captures) = regex.captures(source) {
            let mut value = String::new();
            captures.expand(&replace.replacement, &mut value);
            match value.is_empty() {
                true => drop(labels.remove(&replace.target)),
                false => drop(labels.insert(replace.target.clone(), value)),
            }
        }
        if found.insert(labels.clone(), points).is_some() {
            return Err(format!("label_replace gives two series the same labels: {labels:?}"));
        }
    }
    Ok(found.into_iter().map(|(labels, points)| Series { labels, points }).collect())
}
