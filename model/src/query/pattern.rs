//! Whole values against a wildcard.

/// True when the value is the parts in order with any runs between them. Case counts: fold both.
pub fn glob_matches(parts: &[String], value: &str) -> bool {
    let (Some((first, rest)), true) = (parts.split_first(), parts.len() > 1) else {
        return parts.first().is_some_and(|only| only == value);
    };
    let Some((last, middle)) = rest.split_last() else { return false };
    let Some(mut open) = value.strip_prefix(first.as_str()) else { return false };
    // The earliest place of each part leaves the most room for the next.
    for part in middle {
        match open.find(part.as_str()) {
            Some(at) => open = open.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    open.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        let matches = |pattern: &str, value: &str| {
            let parts: Vec<String> = pattern.split('*').map(str::to_owned).collect();
            glob_matches(&parts, value)
        };
        for (pattern, value) in [
            ("pay*", "payment"),
            ("pay*", "pay"),
            ("*ment", "payment"),
            ("*", ""),
            ("a*b*c", "a1b2b3c"),
            ("*ab*", "xaab"),
            ("größe*", "größe 3"),
        ] {
            assert!(matches(pattern, value), "{pattern} must match {value}");
        }
        for (pattern, value) in
            [("pay*", "repay"), ("ab*ba", "aba"), ("a*b*c", "ac"), ("a*", ""), ("a", "ab")]
        {
            assert!(!matches(pattern, value), "{pattern} must not match {value}");
        }
    }
}
