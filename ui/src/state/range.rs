//! Which stretch of time a page looks at: so long before now, or from one moment to another.

use insighthub_model::Timestamp;

use super::url::Pairs;

const MINUTE_SECS: u64 = 60;
const HOUR_SECS: u64 = 3_600;
const DAY_SECS: u64 = 86_400;
/// Nobody keeps logs longer; and it fits every sum.
const SECS_MAX: u64 = 3_660 * DAY_SECS;

/// Ranges that are offered, in seconds.
pub const OFFERED_SECS: [u64; 9] = [
    5 * MINUTE_SECS,
    15 * MINUTE_SECS,
    HOUR_SECS,
    3 * HOUR_SECS,
    6 * HOUR_SECS,
    12 * HOUR_SECS,
    DAY_SECS,
    7 * DAY_SECS,
    30 * DAY_SECS,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// So many seconds before now.
    Last(u64),
    /// First and last moment, milliseconds since 1970.
    Between { from_ms: i64, to_ms: i64 },
}

/// A range at one moment: first and last millisecond since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from_ms: i64,
    pub to_ms: i64,
}

impl Default for Range {
    fn default() -> Self {
        Range::Last(HOUR_SECS)
    }
}

impl Range {
    /// From two moments in any order; at least a millisecond long.
    pub fn between(a_ms: i64, b_ms: i64) -> Range {
        Range::Between { from_ms: a_ms.min(b_ms), to_ms: a_ms.max(b_ms).max(a_ms.min(b_ms) + 1) }
    }

    pub fn at(self, now_ms: f64) -> Span {
        match self {
            Range::Last(secs) => {
                let to_ms = now_ms as i64;
                Span { from_ms: to_ms - secs.min(SECS_MAX) as i64 * 1_000, to_ms }
            }
            Range::Between { from_ms, to_ms } => Span { from_ms, to_ms },
        }
    }

    /// Whether it moves on with the clock.
    pub fn follows_now(self) -> bool {
        matches!(self, Range::Last(_))
    }

    /// From the pairs `from` and `to` of an address: `from=-1h`, or two RFC 3339 moments.
    pub fn from_pairs(pairs: &Pairs) -> Option<Range> {
        Range::of_words(pairs.get("from")?, pairs.get("to"))
    }

    /// From what [`Range::words`] gives.
    pub fn of_words(from: &str, to: Option<&str>) -> Option<Range> {
        if let Some(length) = from.strip_prefix('-') {
            return secs(length).map(Range::Last);
        }
        let from = Timestamp::parse(from).ok()?.millis();
        let to = Timestamp::parse(to?).ok()?.millis();
        (from < to).then_some(Range::Between { from_ms: from, to_ms: to })
    }

    /// Start and, unless that is now, end, as an address says them.
    pub fn words(self) -> (String, Option<String>) {
        match self {
            Range::Last(secs) => (format!("-{}", length(secs)), None),
            Range::Between { from_ms, to_ms } => (rfc3339(from_ms), Some(rfc3339(to_ms))),
        }
    }

    /// Adds what `from_pairs` reads; nothing where it is the one a page begins with.
    pub fn add_to(self, pairs: &mut Vec<(&'static str, String)>) {
        if self == Range::default() {
            return;
        }
        let (from, to) = self.words();
        pairs.push(("from", from));
        pairs.extend(to.map(|to| ("to", to)));
    }

    /// What a person types: `15m`, `-2h`, `1d12h`.
    pub fn from_typed(text: &str) -> Option<Range> {
        let text = text.trim();
        secs(text.strip_prefix('-').unwrap_or(text)).map(Range::Last)
    }
}

impl Span {
    pub fn length_ms(self) -> i64 {
        self.to_ms - self.from_ms
    }

    /// As long, right before.
    pub fn before(self) -> Span {
        Span { from_ms: self.from_ms - self.length_ms(), to_ms: self.from_ms }
    }

    pub fn from(self) -> String {
        rfc3339(self.from_ms)
    }

    pub fn to(self) -> String {
        rfc3339(self.to_ms)
    }

    /// The two parameters of every question to the node.
    pub fn parameters(self) -> [(&'static str, String); 2] {
        [("from", self.from()), ("to", self.to())]
    }
}

/// A moment as the node reads it.
pub fn rfc3339(ms: i64) -> String {
    Timestamp::from_millis(ms).to_string()
}

/// `90s`, `15m`, `36h`, `7d`: the largest unit that fits without a rest.
pub fn length(secs: u64) -> String {
    for (unit, name) in [(DAY_SECS, "d"), (HOUR_SECS, "h"), (MINUTE_SECS, "m")] {
        if secs >= unit && secs.is_multiple_of(unit) && (unit != DAY_SECS || secs != DAY_SECS) {
            return format!("{}{name}", secs / unit);
        }
    }
    format!("{secs}s")
}

/// `Last 15 minutes`, for a menu.
pub fn label(secs: u64) -> String {
    let (number, noun) = match secs {
        secs if secs >= 2 * DAY_SECS && secs.is_multiple_of(DAY_SECS) => (secs / DAY_SECS, "day"),
        secs if secs >= HOUR_SECS && secs.is_multiple_of(HOUR_SECS) => (secs / HOUR_SECS, "hour"),
        secs if secs >= MINUTE_SECS && secs.is_multiple_of(MINUTE_SECS) => (secs / MINUTE_SECS, "minute"),
        secs => (secs, "second"),
    };
    if number == 1 { format!("Last {noun}") } else { format!("Last {number} {noun}s") }
}

/// Seconds of `1h30m`.
fn secs(text: &str) -> Option<u64> {
    let (mut total, mut number) = (0_u64, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => MINUTE_SECS,
            'h' => HOUR_SECS,
            'd' => DAY_SECS,
            'w' => 7 * DAY_SECS,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && total > 0 && total <= SECS_MAX).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::url;

    fn read(text: &str) -> Option<Range> {
        Range::from_pairs(&Pairs::of(text))
    }

    #[test]
    fn what_an_address_says_is_read_again() {
        for range in
            [Range::Last(900), Range::Last(86_400), Range::Last(90), Range::between(1_700_000_000_123, 5)]
        {
            let mut pairs = Vec::new();
            range.add_to(&mut pairs);
            assert_eq!(read(&url::encode(&pairs)), Some(range), "{pairs:?}");
        }
        let mut pairs = Vec::new();
        Range::default().add_to(&mut pairs);
        assert!(pairs.is_empty());
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in [
            "",
            "from=-",
            "from=-0s",
            "from=-1x",
            "from=-99999w",
            "from=now",
            "from=2026-01-01T00:00:00Z",
            "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_are_typed_and_shown() {
        assert_eq!(Range::from_typed(" 1h30m "), Some(Range::Last(5_400)));
        assert_eq!(Range::from_typed("-2d"), Some(Range::Last(172_800)));
        assert_eq!([90, 900, 5_400, 86_400, 604_800].map(length), ["90s", "15m", "90m", "24h", "7d"]);
        assert_eq!(
            [60, 900, 86_400, 604_800].map(label),
            ["Last minute", "Last 15 minutes", "Last 24 hours", "Last 7 days"]
        );
    }

    #[test]
    fn the_period_before_is_as_long() {
        let span = Range::Last(60).at(1_000_000.0);
        assert_eq!(span.before(), Span { from_ms: 880_000, to_ms: 940_000 });
    }
}
