//! Stages of a pipeline: `| json | status >= 500 | line_format "{{.status}}"`.

use super::selector::check_regex;
use super::{Parsed, Parser};
use crate::logql::ast::{Extraction, FormatValue, LabelPick, Stage};
use crate::logql::error::LogqlError;
use crate::logql::lexer::Kind;
use crate::logql::limits::STAGES_MAX;
use crate::logql::line::{Captures, Template};

const NAMES: [&str; 11] = [
    "json",
    "logfmt",
    "regexp",
    "pattern",
    "unpack",
    "line_format",
    "label_format",
    "drop",
    "keep",
    "decolorize",
    "distinct",
];
const STAGES: &str = "json, logfmt, regexp, pattern, unpack, line_format, label_format, drop, keep, decolorize, \
                      distinct or a condition on a label";

impl Parser {
    /// Every stage up to what is none: `unwrap` is the range aggregation's.
    pub(super) fn stages(&mut self) -> Parsed<Vec<Stage>> {
        let mut stages = Vec::new();
        loop {
            if stages.len() == STAGES_MAX {
                return Err(self.error(format!("a pipeline has at most {STAGES_MAX} stages: expected fewer")));
            }
            if let Some(filter) = self.line_filter()? {
                stages.push(Stage::Line(filter));
                continue;
            }
            let is_unwrap = matches!(self.peek_second(), Some(Kind::Name(name)) if name == "unwrap");
            if !self.is("|") || is_unwrap {
                return Ok(stages);
            }
            self.at += 1;
            stages.push(self.stage()?);
        }
    }

    fn stage(&mut self) -> Parsed<Stage> {
        let position = self.position();
        // `| json != "x"` is a parser and a line filter: no label that is asked for has the name of a stage.
        let is_stage = matches!(self.peek(), Some(Kind::Name(name)) if NAMES.contains(&name.as_str()));
        if self.is("(") || (!is_stage && self.peek_second().is_some_and(is_operator)) {
            return self.label_filter().map(Stage::Filter);
        }
        let name = self.name("a stage")?;
        Ok(match name.as_str() {
            "json" => Stage::Json(self.extractions()?),
            "logfmt" => {
                self.logfmt_flags()?;
                Stage::Logfmt(self.extractions()?)
            }
            "unpack" => Stage::Unpack,
            "decolorize" => Stage::Decolorize,
            "regexp" => Stage::Regexp(self.regexp()?),
            "pattern" => {
                let position = self.position();
                let pattern = self.text("a pattern")?;
                Captures::of_pattern(&pattern).map_err(|reason| LogqlError::new(position, reason))?;
                Stage::Pattern(pattern)
            }
            "line_format" => Stage::LineFormat(self.template()?),
            "label_format" => Stage::LabelFormat(self.formats()?),
            "drop" => Stage::Drop(self.picks()?),
            "keep" => Stage::Keep(self.picks()?),
            "distinct" => Stage::Distinct(self.distinct_labels()?),
            "ip" | "variants" => {
                return Err(LogqlError::new(position, format!("{name} is not supported")));
            }
            _ => {
                let reason = format!("there is no stage {:?}: expected {STAGES}", shown(&name));
                return Err(LogqlError::new(position, reason));
            }
        })
    }

    fn logfmt_flags(&mut self) -> Parsed<()> {
        // What they change is done either way: keys without a value are kept, what is no logfmt is passed over.
        while self.is("-") && self.peek_second() == Some(&Kind::Symbol("-")) {
            self.at += 2;
            let is_known = self.take_name("strict")
                || (self.take_name("keep") && self.take("-") && self.take_name("empty"));
            if !is_known {
                return Err(self.error("expected --strict or --keep-empty"));
            }
        }
        Ok(())
    }

    /// `label, other="path"`; none: everything is taken.
    fn extractions(&mut self) -> Parsed<Vec<Extraction>> {
        let mut extractions = Vec::new();
        while matches!(self.peek(), Some(Kind::Name(_))) {
            self.check_list(extractions.len())?;
            let label = self.name("a label's name")?;
            let path = if self.take("=") { self.text("what is taken, as a path")? } else { label.clone() };
            extractions.push(Extraction { label, path });
            if !self.take(",") {
                break;
            }
        }
        Ok(extractions)
    }

    fn regexp(&mut self) -> Parsed<String> {
        let position = self.position();
        let pattern = self.text("a regular expression")?;
        check_regex(&pattern, position)?;
        Captures::of_regexp(&pattern).map_err(|reason| LogqlError::new(position, reason))?;
        Ok(pattern)
    }

    fn template(&mut self) -> Parsed<String> {
        let position = self.position();
        let template = self.text("a template")?;
        Template::new(&template).map_err(|(at, reason)| LogqlError::new(position + at, reason))?;
        Ok(template)
    }

    fn formats(&mut self) -> Parsed<Vec<(String, FormatValue)>> {
        let mut formats = Vec::new();
        loop {
            self.check_list(formats.len())?;
            let label = self.name("a label's name")?;
            self.expect("=", "behind the label's name")?;
            let value = match self.peek() {
                Some(Kind::Name(_)) => FormatValue::Rename(self.name("a label's name")?),
                _ => FormatValue::Template(self.template()?),
            };
            formats.push((label, value));
            if !self.take(",") {
                return Ok(formats);
            }
        }
    }

    fn distinct_labels(&mut self) -> Parsed<Vec<String>> {
        let mut labels = vec![self.name("a label's name")?];
        while self.take(",") {
            self.check_list(labels.len())?;
            labels.push(self.name("a label's name")?);
        }
        Ok(labels)
    }

    fn picks(&mut self) -> Parsed<Vec<LabelPick>> {
        let mut picks = Vec::new();
        loop {
            self.check_list(picks.len())?;
            let name = self.name("a label's name")?;
            let condition = match self.match_op() {
                Some(op) => {
                    let matcher = self.matcher(name.clone(), op)?;
                    Some((op, matcher.value))
                }
                None => None,
            };
            picks.push(LabelPick { name, condition });
            if !self.take(",") {
                return Ok(picks);
            }
        }
    }
}

/// What stands between a label's name and a value.
fn is_operator(kind: &Kind) -> bool {
    matches!(kind, Kind::Symbol("=" | "==" | "!=" | "=~" | "!~" | ">" | ">=" | "<" | "<="))
}

/// The start of what was typed: it may be long.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
