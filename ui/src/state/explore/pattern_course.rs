//! How often a pattern came over the range.

use crate::api::explore::{Pattern, PatternBuckets};
use crate::state::format;

/// For a small line; empty where nothing was counted.
pub fn course(pattern: &Pattern) -> Vec<Option<f64>> {
    pattern.counts.iter().map(|count| Some(*count as f64)).collect()
}

/// What the line says, for who cannot see it.
pub fn course_words(pattern: &Pattern, buckets: Option<&PatternBuckets>) -> String {
    let (Some(buckets), Some(most)) = (buckets, pattern.counts.iter().max()) else {
        return "Not counted over time".to_owned();
    };
    let with_any = pattern.counts.iter().filter(|count| **count > 0).count() as u64;
    format!(
        "Records in each {}: at most {}, some in {} of {}",
        buckets.bucket,
        format::count(*most),
        format::count(with_any),
        format::count(buckets.count)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(counts: &str) -> Pattern {
        serde_json::from_str(&format!(
            r#"{{"pattern":"a <*>","count":9,"share":1,"levels":{{"INFO":9}},"counts":{counts},"first_seen":"2026-01-01T00:00:00Z",
                "last_seen":"2026-01-01T00:00:00Z","sample_log_id":"0003-00000000001a","sample":null}}"#
        ))
        .unwrap()
    }

    #[test]
    fn the_course_of_a_pattern_is_its_counts() {
        let buckets: PatternBuckets = serde_json::from_str(
            r#"{"start":"2026-01-01T00:00:00Z","bucket":"2m","bucket_ms":120000,"count":3}"#,
        )
        .unwrap();
        let of = pattern("[2,0,7]");
        assert_eq!(course(&of), [Some(2.0), Some(0.0), Some(7.0)]);
        assert_eq!(course_words(&of, Some(&buckets)), "Records in each 2m: at most 7, some in 2 of 3");
    }

    #[test]
    fn a_pattern_far_down_the_list_has_no_course() {
        assert!(course(&pattern("[]")).is_empty());
        assert_eq!(course_words(&pattern("[]"), None), "Not counted over time");
    }
}
