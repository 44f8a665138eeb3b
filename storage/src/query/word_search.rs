//! Words and phrases in text, as `grep -iwF` finds them: case aside, and bounded on both sides by the
//! end of the text or a character that is no word constituent.
//!
//! A column is searched as one run of bytes, lowered piece by piece, because most rows hold no hit;
//! where few rows are left they are looked at one by one.

use insighthub_model::batch::TextColumn;
use insighthub_model::query::Text;
use insighthub_model::query::token::{fold, fold_into, is_word_char, tokens};
use memchr::memmem::Finder;

use super::bitmap::Bitmap;

/// Bytes lowered at a time: they stay in the first-level cache.
const PIECE_BYTES: usize = 16 * 1024;
/// Below this share of the rows (one in so many) rows are looked at one by one.
const SPARSE_SHARE: usize = 3;

/// A word, phrase or wildcard word to be found in text.
#[derive(Debug, Clone)]
pub(super) struct WordSearch {
    shape: Shape,
    /// Finds the literal, or the longest part of the wildcard.
    finder: Finder<'static>,
    /// The bytes `finder` looks for are ASCII: text need not be folded character by character.
    is_ascii: bool,
    /// Tokens that every text with a match has, folded.
    tokens: Vec<String>,
}

#[derive(Debug, Clone)]
enum Shape {
    /// The folded text.
    Literal(String),
    /// Folded parts; a star stands for any run without white space.
    Wildcard(Vec<String>),
}

/// What a hit of the finder says about its row.
enum Verdict {
    Match,
    /// This hit is none, the next may be.
    TryNext,
    /// The row has no match.
    Miss,
}

impl WordSearch {
    pub(super) fn new(text: &Text) -> WordSearch {
        let (shape, needle) = match text {
            Text::Exact(text) => (Shape::Literal(fold(text)), fold(text)),
            Text::Wildcard(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| fold(part)).collect();
                let longest = parts.iter().max_by_key(|part| part.len()).cloned().unwrap_or_default();
                (Shape::Wildcard(parts), longest)
            }
        };
        let is_ascii = needle.is_ascii();
        WordSearch {
            shape,
            is_ascii,
            finder: Finder::new(needle.as_bytes()).into_owned(),
            tokens: whole_tokens(text),
        }
    }

    /// Tokens that every text with a match has.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Folded texts that stand in every match, one behind the other: the whole of it, or what is between its stars.
    pub(super) fn parts(&self) -> &[String] {
        match &self.shape {
            Shape::Literal(text) => std::slice::from_ref(text),
            Shape::Wildcard(parts) => parts,
        }
    }

    /// True when the text has a match; `folded` is scratch space.
    pub(super) fn matches(&self, text: &str, folded: &mut String) -> bool {
        if self.is_nothing() || (!self.is_ascii && text.is_ascii()) {
            return false;
        }
        fold_into(text, folded);
        let mut from = 0;
        while let Some(hit) = folded.as_bytes().get(from..).and_then(|rest| self.finder.find(rest)) {
            match self.judge(folded, from + hit) {
                Verdict::Match => return true,
                Verdict::Miss => return false,
                Verdict::TryNext => from += hit + 1,
            }
        }
        false
    }

    /// Nothing to look for is found nowhere; a search for it would not move on either.
    fn is_nothing(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// Keeps the rows whose text has a match.
    pub(super) fn narrow(&self, column: &TextColumn, rows: &mut Bitmap) {
        if self.is_nothing() {
            rows.clear();
            return;
        }
        let is_sparse = rows.count() * SPARSE_SHARE < column.len();
        if self.is_ascii && !is_sparse {
            let found = self.scan(column, rows);
            *rows = found;
        } else {
            let mut folded = String::new();
            rows.retain(|row| self.matches(column.get(row), &mut folded));
        }
    }

    /// Searches the whole column for an ASCII needle. Rows that are not wanted are passed over.
    fn scan(&self, column: &TextColumn, wanted: &Bitmap) -> Bitmap {
        let mut found = wanted.emptied();
        let (bytes, ends) = (column.arena_text().as_bytes(), column.ends());
        let mut lowered = Vec::with_capacity(PIECE_BYTES * 2);
        let mut folded = String::new();
        let (mut row, mut start) = (0, 0);
        while row < ends.len() {
            let rest = ends.get(row..).unwrap_or(&[]);
            // Whole rows, at least one.
            let rows = rest.partition_point(|end| *end as usize <= start + PIECE_BYTES).max(1);
            let end = rest.get(rows - 1).map_or(start, |end| *end as usize);
            lowered.clear();
            // In one go: to copy first and lower then would look at each byte twice.
            lowered.extend(bytes.get(start..end).unwrap_or(&[]).iter().map(u8::to_ascii_lowercase));
            let mut from = 0;
            while let Some(hit) = lowered.get(from..).and_then(|rest| self.finder.find(rest)) {
                let hit = start + from + hit;
                let hit_row = row + rest.partition_point(|end| *end as usize <= hit);
                let row_start =
                    hit_row.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
                let row_end = ends.get(hit_row).map_or(end, |end| *end as usize);
                let verdict = match wanted.contains(hit_row) {
                    true => self.judge_row(column.get(hit_row), hit - row_start, &mut folded),
                    false => Verdict::Miss,
                };
                if matches!(verdict, Verdict::Match) {
                    found.insert(hit_row);
                }
                // A row is decided by its first match.
                from = if matches!(verdict, Verdict::TryNext) { hit + 1 } else { row_end } - start;
            }
            (row, start) = (row + rows, end);
        }
        found
    }

    /// Judges a hit in a text that is not folded. A hit may run over the end of its row: columns have
    /// nothing between their rows.
    fn judge_row(&self, text: &str, hit: usize, folded: &mut String) -> Verdict {
        match &self.shape {
            Shape::Literal(_) => self.judge(text, hit),
            Shape::Wildcard(_) => {
                fold_into(text, folded);
                self.judge(folded, hit)
            }
        }
    }

    fn judge(&self, text: &str, hit: usize) -> Verdict {
        match &self.shape {
            Shape::Literal(_) => {
                let hit_end = hit + self.finder.needle().len();
                // Neighbours need no folding: it keeps word constituents what they are.
                match (text.get(..hit), text.get(hit_end..)) {
                    (Some(before), Some(after)) if ends_bounded(before) && starts_bounded(after) => {
                        Verdict::Match
                    }
                    _ => Verdict::TryNext,
                }
            }
            Shape::Wildcard(parts) if wildcard_matches(parts, text) => Verdict::Match,
            Shape::Wildcard(_) => Verdict::Miss,
        }
    }
}

fn ends_bounded(before: &str) -> bool {
    !before.chars().next_back().is_some_and(is_word_char)
}

fn starts_bounded(after: &str) -> bool {
    !after.chars().next().is_some_and(is_word_char)
}

/// True when the parts stand in one run without white space of the folded text, in order, the first
/// and the last bounded. Looks at each run once.
fn wildcard_matches(parts: &[String], text: &str) -> bool {
    let (Some((first, rest)), true) = (parts.split_first(), parts.len() > 1) else { return false };
    let Some((last, middle)) = rest.split_last() else { return false };
    text.split_whitespace().any(|run| run_matches(first, middle, last, run))
}

fn run_matches(first: &str, middle: &[String], last: &str, run: &str) -> bool {
    // The earliest place of each part leaves the most room for the next.
    let Some(start) = bounded_start(first, run) else { return false };
    let Some(mut open) = run.get(start + first.len()..) else { return false };
    for part in middle {
        match open.find(part.as_str()) {
            Some(at) => open = open.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    last.is_empty() || place(last, open, |_, after| starts_bounded(after)).is_some()
}

/// The first place of the part that has a bound before it; an empty part stands at the start.
fn bounded_start(part: &str, run: &str) -> Option<usize> {
    place(part, run, |before, _| part.is_empty() || ends_bounded(before))
}

/// The first place of the part where the test accepts what is before and behind it. Places may
/// overlap.
fn place(part: &str, run: &str, accepts: impl Fn(&str, &str) -> bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + run.get(from..)?.find(part)?;
        if accepts(run.get(..at)?, run.get(at + part.len()..)?) {
            return Some(at);
        }
        // Behind the first character of this place.
        from = at + run.get(at..)?.chars().next()?.len_utf8();
    }
}

/// The tokens of a text whose both ends are known: those that do not touch a star.
pub(super) fn whole_tokens(text: &Text) -> Vec<String> {
    let owned = |text: &str| tokens(text).map(|token| token.into_owned()).collect::<Vec<_>>();
    let Text::Wildcard(parts) = text else {
        return match text {
            Text::Exact(text) => owned(text),
            Text::Wildcard(_) => Vec::new(),
        };
    };
    let last = parts.len().saturating_sub(1);
    let mut whole = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let mut found = owned(part);
        if at < last && part.ends_with(is_word_char) {
            found.pop();
        }
        if at > 0 && part.starts_with(is_word_char) && !found.is_empty() {
            found.remove(0);
        }
        whole.append(&mut found);
    }
    whole
}

#[cfg(test)]
#[path = "word_search_tests.rs"]
mod tests;
