//! The known name nearest to a mistyped one.

/// Names further away than a third of their letters are no help.
fn near_enough(distance: usize, name: &str) -> bool {
    distance * 3 <= name.chars().count()
}

/// The candidate with the fewest edits from `name`, if one is near.
pub(super) fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let measured = candidates.map(|candidate| (edits(name, &candidate), candidate));
    let (distance, candidate) = measured.min()?;
    near_enough(distance, &candidate).then_some(candidate)
}

/// Letters to insert, remove or replace to come from one text to the other (Levenshtein), row by row.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(to.chars()) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2)]
        {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }

    #[test]
    fn a_name_like_no_other_has_no_nearest() {
        let names = || ["heartbeat_ms", "lease_ms"].into_iter().map(str::to_owned);
        assert_eq!(nearest("heartbeat", names()), Some("heartbeat_ms".to_owned()));
        assert_eq!(nearest("colour", names()), None);
    }
}
