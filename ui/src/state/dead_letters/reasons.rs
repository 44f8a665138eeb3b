//! Why records were refused, summed up: what to filter the list by to see those of one reason.

/// The longest stretch of a reason that all its records share; what differs stands as `<*>`.
pub fn shared(reason: &str) -> &str {
    reason.split("<*>").map(str::trim).max_by_key(|part| part.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_not_looked_for() {
        assert_eq!(shared("level <*> is none of INFO, WARN"), "is none of INFO, WARN");
        assert_eq!(shared("message is missing"), "message is missing");
        assert_eq!(shared("<*>"), "");
    }
}
