//! The stages of a query, made ready to be run on lines.

use regex::Regex;

use super::captures::{Captures, pattern_filter};
use super::condition::{Condition, parsed_addresses};
use super::distinct::Distinct;
use super::template::Template;
use super::{Line, json, logfmt};
use crate::logql::addresses::Addresses;
use crate::logql::ast::{Extraction, FormatValue, LabelPick, LineFilter, LineOp, Stage};

/// Stages in order.
#[derive(Debug)]
pub struct Pipeline(Vec<Step>);

#[derive(Debug)]
enum Step {
    Contains { texts: Vec<String>, is_negative: bool },
    Finds { regexes: Vec<Regex>, is_negative: bool },
    Addresses { any: Vec<Addresses>, is_negative: bool },
    Filter(Condition),
    Json(Vec<Extraction>),
    Logfmt(Vec<Extraction>),
    Unpack,
    Captures(Captures),
    LineFormat(Template),
    Rename(String, String),
    Set(String, Template),
    Drop(Vec<Pick>),
    Keep(Vec<Pick>),
    Decolorize(Regex),
    Distinct(Distinct),
}

#[derive(Debug)]
struct Pick {
    name: String,
    condition: Option<Condition>,
}

/// What colours a terminal's text.
const COLOURS: &str = "\u{1b}\\[[0-9;]*[a-zA-Z]";

const TEMPLATE_FAILED: &str = "TemplateFormatErr";

impl Pipeline {
    /// Fails where an expression is larger than what is run.
    pub fn new(stages: &[Stage]) -> Result<Pipeline, String> {
        let mut steps = Vec::new();
        for stage in stages {
            match stage {
                Stage::LabelFormat(formats) => {
                    for (name, value) in formats {
                        steps.push(match value {
                            FormatValue::Rename(from) => Step::Rename(from.clone(), name.clone()),
                            FormatValue::Template(text) => Step::Set(name.clone(), template(text)?),
                        });
                    }
                }
                other => steps.push(step(other)?),
            }
        }
        Ok(Pipeline(steps))
    }

    /// Whether what comes through depends on the lines before.
    pub fn remembers(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Distinct(_)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs a line through; false where a stage leaves it out.
    pub fn run(&self, line: &mut Line) -> bool {
        self.0.iter().all(|step| step.run(line))
    }
}

fn step(stage: &Stage) -> Result<Step, String> {
    Ok(match stage {
        Stage::Line(filter) => line_filter(filter)?,
        Stage::Filter(filter) => Step::Filter(Condition::new(filter)?),
        Stage::Json(extractions) => Step::Json(extractions.clone()),
        Stage::Logfmt(extractions) => Step::Logfmt(extractions.clone()),
        Stage::Unpack => Step::Unpack,
        Stage::Regexp(pattern) => Step::Captures(Captures::of_regexp(pattern)?),
        Stage::Pattern(pattern) => Step::Captures(Captures::of_pattern(pattern)?),
        Stage::LineFormat(text) => Step::LineFormat(template(text)?),
        Stage::LabelFormat(_) => return Err("label_format is more than one step".to_owned()),
        Stage::Drop(picks) => Step::Drop(picks.iter().map(pick).collect::<Result<_, _>>()?),
        Stage::Keep(picks) => Step::Keep(picks.iter().map(pick).collect::<Result<_, _>>()?),
        Stage::Decolorize => Step::Decolorize(compiled(COLOURS)?),
        Stage::Distinct(labels) => Step::Distinct(Distinct::new(labels)),
    })
}

fn template(text: &str) -> Result<Template, String> {
    Template::new(text).map_err(|(_, reason)| reason)
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

fn line_filter(filter: &LineFilter) -> Result<Step, String> {
    let is_negative = filter.op.is_negative();
    let texts = filter.texts.iter();
    let regexes = match filter.op {
        LineOp::Contains | LineOp::NotContains => {
            return Ok(Step::Contains { texts: filter.texts.clone(), is_negative });
        }
        LineOp::Matches | LineOp::NotMatches => texts.map(|text| compiled(text)).collect::<Result<_, _>>()?,
        LineOp::HasAddress | LineOp::HasNoAddress => {
            let any = texts.map(|text| parsed_addresses(text)).collect::<Result<_, _>>()?;
            return Ok(Step::Addresses { any, is_negative });
        }
        LineOp::Pattern | LineOp::NotPattern => {
            texts.map(|text| compiled(&pattern_filter(text))).collect::<Result<_, _>>()?
        }
    };
    Ok(Step::Finds { regexes, is_negative })
}

fn pick(pick: &LabelPick) -> Result<Pick, String> {
    let condition = match &pick.condition {
        Some((op, value)) => Some(Condition::of_value(&pick.name, *op, value)?),
        None => None,
    };
    Ok(Pick { name: pick.name.clone(), condition })
}

impl Step {
    fn run(&self, line: &mut Line) -> bool {
        match self {
            Step::Contains { texts, is_negative } => {
                return texts.iter().any(|text| line.text.contains(text.as_str())) != *is_negative;
            }
            Step::Finds { regexes, is_negative } => {
                return regexes.iter().any(|regex| regex.is_match(&line.text)) != *is_negative;
            }
            Step::Addresses { any, is_negative } => {
                return any.iter().any(|addresses| addresses.are_in(&line.text)) != *is_negative;
            }
            Step::Filter(condition) => return condition.holds(line),
            Step::Distinct(distinct) => return distinct.is_first(line),
            Step::Json(extractions) => json::extract(line, extractions),
            Step::Logfmt(extractions) => logfmt::extract(line, extractions),
            Step::Unpack => json::unpack(line),
            Step::Captures(captures) => captures.extract(line),
            Step::LineFormat(template) => {
                if let Some(text) = filled(template, line) {
                    line.text = text;
                }
            }
            Step::Rename(from, to) => {
                if let Some(value) = line.get(from).map(str::to_owned) {
                    line.remove(from);
                    line.set(to, value);
                }
            }
            Step::Set(name, template) => {
                if let Some(value) = filled(template, line) {
                    line.set(name, value);
                }
            }
            Step::Drop(picks) => drop_labels(line, picks),
            Step::Keep(picks) => keep(line, picks),
            Step::Decolorize(colours) => line.text = colours.replace_all(&line.text, "").into_owned(),
        }
        true
    }
}

/// `None` where it would be too long: the line says so, and stays as it is.
fn filled(template: &Template, line: &mut Line) -> Option<String> {
    match template.fill(line) {
        Ok(filled) => Some(filled),
        Err(reason) => {
            line.fail(TEMPLATE_FAILED, reason);
            None
        }
    }
}

impl Pick {
    fn is_met(&self, line: &Line) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(line))
    }
}

fn drop_labels(line: &mut Line, picks: &[Pick]) {
    for pick in picks {
        if pick.is_met(line) {
            line.remove(&pick.name);
        }
    }
}

fn keep(line: &mut Line, picks: &[Pick]) {
    let kept: Vec<&str> =
        picks.iter().filter(|pick| pick.is_met(line)).map(|pick| pick.name.as_str()).collect();
    for name in line.names() {
        if !kept.contains(&name.as_str()) {
            line.remove(&name);
        }
    }
}
