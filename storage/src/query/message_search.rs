//! What is asked of messages. Where they are templates each is judged first, and rows are put together and
//! looked at only where their template does not decide.

use insighthub_model::query::{Regex, Text};

use super::bitmap::Bitmap;
use super::regex_search::RegexSearch;
use super::segment_search::{Judged, Segment, judge, rows_matching};
use super::slot_search::{Slots, is_plain, rows_holding};
use super::template_search::{Ends, may_hold};
use super::word_search::WordSearch;
use crate::column_source::{ColumnError, Messages, Template, TemplatedMessages};

/// Words or a regular expression to be found in messages.
#[derive(Debug, Clone)]
pub(super) enum MessageSearch {
    Words(Box<WordSearch>),
    Regex(RegexSearch),
}

/// What a template says of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Never,
    Always,
    LookAtRows,
}

/// Below this share of the rows of their templates (one in so many) messages are put together one by one.
const SPARSE_SHARE: usize = 16;
/// Word constituents that stand for what is in a slot; one of them is not part of what is looked for.
const FILLINGS: [&str; 2] = ["\u{a66e}", "\u{a641}"];

impl MessageSearch {
    pub(super) fn words(text: &Text) -> MessageSearch {
        MessageSearch::Words(Box::new(WordSearch::new(text)))
    }

    pub(super) fn regex(regex: &Regex) -> Result<MessageSearch, String> {
        RegexSearch::new(regex).map(MessageSearch::Regex)
    }

    /// Tokens that every message with a match has.
    pub(super) fn tokens(&self) -> &[String] {
        match self {
            MessageSearch::Words(words) => words.tokens(),
            MessageSearch::Regex(regex) => regex.tokens(),
        }
    }

    fn matches(&self, text: &str, folded: &mut String) -> bool {
        match self {
            MessageSearch::Words(words) => words.matches(text, folded),
            MessageSearch::Regex(regex) => regex.matches(text),
        }
    }

    /// Keeps the rows whose message has a match.
    pub(super) fn narrow(&self, messages: &Messages<'_>, rows: &mut Bitmap) -> Result<(), ColumnError> {
        match (messages, self) {
            (Messages::Templated(templated), _) => return self.narrow_templated(messages, templated, rows),
            (Messages::Plain(texts), MessageSearch::Words(words)) => words.narrow(texts, rows),
            (Messages::Plain(texts), MessageSearch::Regex(regex)) => {
                rows.retain(|row| regex.matches(texts.get(row)));
            }
        }
        Ok(())
    }

    fn narrow_templated(
        &self,
        messages: &Messages<'_>,
        templated: &TemplatedMessages<'_>,
        rows: &mut Bitmap,
    ) -> Result<(), ColumnError> {
        let free = templated.templates.free();
        let templates = (0u32..).zip(templated.templates.list());
        let (verdicts, segments): (Vec<Verdict>, Vec<Vec<Segment>>) = templates
            .map(|(number, template)| match free == Some(number) {
                true => (Verdict::LookAtRows, Vec::new()),
                false => self.judge(template),
            })
            .unzip();
        if verdicts.iter().all(|verdict| *verdict == Verdict::Never) {
            rows.clear();
            return Ok(());
        }
        let is = |verdict| {
            let of_template: Vec<bool> = verdicts.iter().map(|of_template| *of_template == verdict).collect();
            move |code: &u32| of_template.get(*code as usize).is_some_and(|is| *is)
        };
        let mut open = rows.clone();
        rows.retain_values(&templated.codes, is(Verdict::Always));
        open.retain_values(&templated.codes, is(Verdict::LookAtRows));
        if open.is_empty() {
            return Ok(());
        }
        // What stands in the one slot of the free template may be anything: those rows are looked at as a whole.
        let mut of_slots = open.clone();
        of_slots.retain_values(&templated.codes, |code| free != Some(*code));
        match self {
            MessageSearch::Words(words) => {
                if let [word] = words.parts()
                    && is_plain(word)
                {
                    insert_where(templated, &of_slots, rows, |_, template, slots| {
                        rows_holding(template, slots, word)
                    })?;
                    open.subtract(&of_slots);
                }
            }
            MessageSearch::Regex(regex) => {
                // Of each template either all rows are judged or a few are put together.
                let judged = segments.iter().zip(templated.templates.list());
                let judged = judged.filter(|(segments, _)| !segments.is_empty());
                let judged_rows: usize = judged.map(|(_, template)| template.rows as usize).sum();
                if regex.held().is_some() && of_slots.count() * SPARSE_SHARE >= judged_rows {
                    insert_where(templated, &of_slots, rows, |number, template, slots| {
                        let segments = segments.get(number as usize).map_or(&[][..], Vec::as_slice);
                        rows_matching(segments, slots, template.rows as usize, regex)
                    })?;
                    open.subtract(&of_slots);
                }
            }
        }
        let mut folded = String::new();
        messages.for_each(open.iter(), |row, text| {
            if self.matches(text, &mut folded) {
                rows.insert(row);
            }
        })
    }

    /// What a template says, and, of a regular expression, where in its rows a match may lie.
    fn judge(&self, template: &Template) -> (Verdict, Vec<Segment>) {
        let (may_match, always) = match self {
            MessageSearch::Words(words) => {
                let parts = words.parts();
                let last = parts.len().saturating_sub(1);
                let may_match =
                    parts.iter().enumerate().filter(|(_, part)| !part.is_empty()).all(|(at, part)| {
                        may_hold(template, part, Ends { start_bounded: at == 0, end_bounded: at == last })
                    });
                let filling =
                    FILLINGS.iter().find(|filling| !parts.iter().any(|part| part.contains(**filling)));
                let is_found = |filling: &&str| words.matches(&template.filled(filling), &mut String::new());
                (may_match, may_match && filling.is_some_and(is_found))
            }
            MessageSearch::Regex(regex) => {
                let required = regex.required();
                let ends = Ends { start_bounded: false, end_bounded: false };
                let may_match =
                    required.is_empty() || required.iter().any(|text| may_hold(template, text, ends));
                if may_match && let Some(held) = regex.held() {
                    return match judge(template, regex, held) {
                        Judged::Always => (Verdict::Always, Vec::new()),
                        Judged::Never => (Verdict::Never, Vec::new()),
                        Judged::In(segments) => (Verdict::LookAtRows, segments),
                    };
                }
                let is_literal = |text: &str| template.literals.iter().any(|literal| literal.contains(text));
                (may_match, may_match && regex.literal().is_some_and(is_literal))
            }
        };
        let verdict = match (may_match, always) {
            (false, _) => Verdict::Never,
            (true, true) => Verdict::Always,
            (true, false) => Verdict::LookAtRows,
        };
        (verdict, Vec::new())
    }
}

/// Adds the wanted rows that are judged to have a match: template by template, and each template as a whole.
fn insert_where(
    templated: &TemplatedMessages<'_>,
    wanted: &Bitmap,
    found: &mut Bitmap,
    judge_rows: impl Fn(u32, &Template, &Slots<'_>) -> Result<Vec<bool>, ColumnError>,
) -> Result<(), ColumnError> {
    let templates = &*templated.templates;
    let mut verdicts: Vec<Option<Vec<bool>>> = vec![None; templates.list().len()];
    templated.for_each_place(wanted.iter(), |row, code, at| {
        let (Some(template), Some(verdicts)) = (templates.get(code), verdicts.get_mut(code as usize)) else {
            return Ok(());
        };
        let verdicts = match verdicts {
            Some(verdicts) => verdicts,
            None => {
                let slots = |slot| templated.variables.variable(templates, code, slot);
                verdicts.insert(judge_rows(code, template, &slots)?)
            }
        };
        if verdicts.get(at).is_some_and(|is| *is) {
            found.insert(row);
        }
        Ok(())
    })
}
