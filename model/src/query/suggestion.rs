//! What somebody who mistyped a name may have meant.

/// Text behind an error: `; did you mean count?`, or nothing where no name is near.
pub(super) fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, names).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// The nearest name, if at most a third of what was typed would have to change.
pub(super) fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes a name of this length, and the distance costs the product of the lengths.
    let typed: Vec<char> = typed.to_lowercase().chars().take(64).collect();
    let allowed = (typed.len() / 3).max(1);
    let ranked = names.into_iter().map(|name| (distance(&typed, &name.to_lowercase()), name));
    ranked
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Characters to insert, delete or replace, row by row (R. Wagner and M. Fischer, "The String-to-String
/// Correction Problem", JACM 1974).
fn distance(typed: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (above, wanted) in name.chars().take(64).enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        let mut next = vec![left];
        for (found, up) in typed.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(*found != wanted)).min(up + 1).min(left + 1);
            next.push(left);
            diagonal = *up;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_far_ones_are_not() {
        let names = ["count", "distinct", "median", "max", "min"];
        assert_eq!(nearest("conut", names), None, "two of five characters differ");
        assert_eq!(nearest("cont", names), Some("count"));
        assert_eq!(nearest("COUNT", names), Some("count"));
        assert_eq!(nearest("distict", names), Some("distinct"));
        assert_eq!(nearest("mix", names), Some("max"), "the first of equals");
        assert_eq!(nearest("stddev", names), None);
        assert_eq!(did_you_mean("cuont", ["latency"]), "");
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        let distance = |left: &str, right: &str| distance(&left.chars().collect::<Vec<_>>(), right);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("größe", "grosse"), 3);
    }
}
