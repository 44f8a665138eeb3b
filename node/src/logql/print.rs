//! Syntax trees as text. What is printed reads back as the same tree.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};

use insighthub_model::query::TimeSpan;

use super::ast::{
    Binary, BinaryOp, Bound, Conversion, Expr, Extraction, FormatValue, Grouping, GroupingKind, LabelFilter,
    LabelPick, LogQuery, Many, Matching, MatchingKind, Metric, RangeAggregation, RangeFunction, Side, Stage,
    Unwrap, VectorFunction,
};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Log(query) => query.fmt(f),
            Expr::Metric(metric) => metric.fmt(f),
        }
    }
}

impl Display for LogQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        list(&self.selector, f, |matcher, f| {
            write!(f, "{}{}{}", matcher.name, matcher.op.symbol(), Quoted(&matcher.value))
        })?;
        f.write_str("}")?;
        self.stages.iter().try_for_each(|stage| write!(f, " {stage}"))
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Line(filter) => {
                f.write_str(filter.op.symbol())?;
                for (at, text) in filter.texts.iter().enumerate() {
                    f.write_str(if at == 0 { " " } else { " or " })?;
                    match filter.op.is_of_addresses() {
                        true => write!(f, "ip({})", Quoted(text))?,
                        false => Quoted(text).fmt(f)?,
                    }
                }
                Ok(())
            }
            Stage::Filter(filter) => write!(f, "| {filter}"),
            Stage::Json(extractions) => named("json", extractions, f),
            Stage::Logfmt(extractions) => named("logfmt", extractions, f),
            Stage::Unpack => f.write_str("| unpack"),
            Stage::Decolorize => f.write_str("| decolorize"),
            Stage::Regexp(pattern) => write!(f, "| regexp {}", Quoted(pattern)),
            Stage::Pattern(pattern) => write!(f, "| pattern {}", Quoted(pattern)),
            Stage::LineFormat(template) => write!(f, "| line_format {}", Quoted(template)),
            Stage::LabelFormat(formats) => {
                f.write_str("| label_format ")?;
                list(formats, f, |(name, value), f| match value {
                    FormatValue::Rename(from) => write!(f, "{name}={from}"),
                    FormatValue::Template(text) => write!(f, "{name}={}", Quoted(text)),
                })
            }
            Stage::Drop(picks) => picked("drop", picks, f),
            Stage::Keep(picks) => picked("keep", picks, f),
            Stage::Distinct(labels) => write!(f, "| distinct {}", labels.join(", ")),
        }
    }
}

fn named(stage: &str, extractions: &[Extraction], f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "| {stage}{}", if extractions.is_empty() { "" } else { " " })?;
    list(extractions, f, |each, f| write!(f, "{}={}", each.label, Quoted(&each.path)))
}

fn picked(stage: &str, picks: &[LabelPick], f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "| {stage} ")?;
    list(picks, f, |pick, f| {
        f.write_str(&pick.name)?;
        match &pick.condition {
            Some((op, value)) => write!(f, "{}{}", op.symbol(), Quoted(value)),
            None => Ok(()),
        }
    })
}

impl Display for LabelFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            LabelFilter::Match(matcher) => {
                write!(f, "{}{}{}", matcher.name, matcher.op.symbol(), Quoted(&matcher.value))
            }
            LabelFilter::Compare { name, comparison, bound } => {
                write!(f, "{name} {} {bound}", comparison.symbol())
            }
            LabelFilter::Address { name, is_negative, addresses } => {
                write!(f, "{name} {} ip({})", if *is_negative { "!=" } else { "=" }, Quoted(addresses))
            }
            LabelFilter::And(left, right) => {
                part(&**left, Form::if_needed(matches!(**left, LabelFilter::Or(..))), f)?;
                f.write_str(" and ")?;
                let is_joined = matches!(**right, LabelFilter::Or(..) | LabelFilter::And(..));
                part(&**right, Form::if_needed(is_joined), f)
            }
            LabelFilter::Or(left, right) => {
                left.fmt(f)?;
                f.write_str(" or ")?;
                part(&**right, Form::if_needed(matches!(**right, LabelFilter::Or(..))), f)
            }
        }
    }
}

/// How a part of something larger is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Bare,
    InParentheses,
}

impl Form {
    fn if_needed(is_needed: bool) -> Form {
        if is_needed { Form::InParentheses } else { Form::Bare }
    }
}

fn part(part: &dyn Display, form: Form, f: &mut Formatter<'_>) -> fmt::Result {
    match form {
        Form::Bare => part.fmt(f),
        Form::InParentheses => write!(f, "({part})"),
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Number(number) => number.fmt(f),
            Bound::Duration(nanos) => span(*nanos, f),
            Bound::Bytes(bytes) => write!(f, "{bytes}B"),
        }
    }
}

impl Display for Metric {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Number(number) => number.fmt(f),
            Metric::Vector(number) => write!(f, "vector({number})"),
            Metric::Range(range) => range.fmt(f),
            Metric::Aggregation(aggregation) => {
                f.write_str(aggregation.function.name())?;
                if let Some(grouping) = &aggregation.grouping {
                    write!(f, " {grouping} ")?;
                }
                match aggregation.function {
                    VectorFunction::Topk(rows)
                    | VectorFunction::Bottomk(rows)
                    | VectorFunction::ApproxTopk(rows) => {
                        write!(f, "({rows}, {})", aggregation.inner)
                    }
                    _ => write!(f, "({})", aggregation.inner),
                }
            }
            Metric::Binary(binary) => {
                part(&binary.left, form(binary, Side::Left), f)?;
                write!(f, " {}", binary.op.symbol())?;
                if matches!(binary.op, BinaryOp::Bool(_)) {
                    f.write_str(" bool")?;
                }
                if let Some(matching) = &binary.matching {
                    write!(f, " {matching}")?;
                }
                f.write_str(" ")?;
                part(&binary.right, form(binary, Side::Right), f)
            }
            Metric::LabelReplace(replace) => {
                write!(f, "label_replace({}", replace.inner)?;
                for text in [&replace.target, &replace.replacement, &replace.source, &replace.regex] {
                    write!(f, ", {}", Quoted(text))?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for Matching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == MatchingKind::On { "on" } else { "ignoring" };
        write!(f, "{kind} ({})", self.labels.join(", "))?;
        // Without parentheses what follows might be read as its labels.
        match &self.many {
            Some(Many { side: Side::Left, taken_over }) => {
                write!(f, " group_left ({})", taken_over.join(", "))
            }
            Some(Many { side: Side::Right, taken_over }) => {
                write!(f, " group_right ({})", taken_over.join(", "))
            }
            None => Ok(()),
        }
    }
}

/// In parentheses where a side would be read as something else without them. No more are written: each is a level of depth.
fn form(binary: &Binary, side: Side) -> Form {
    let inner = if side == Side::Left { &binary.left } else { &binary.right };
    let Metric::Binary(inner) = inner else { return Form::Bare };
    let is_from_right = binary.op == BinaryOp::Power;
    match inner.op.tightness().cmp(&binary.op.tightness()) {
        Ordering::Less => Form::InParentheses,
        Ordering::Equal => Form::if_needed(is_from_right == (side == Side::Left)),
        Ordering::Greater => Form::Bare,
    }
}

impl Display for RangeAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name())?;
        if let RangeFunction::Quantile(quantile) = self.function {
            write!(f, "{quantile}, ")?;
        }
        self.query.fmt(f)?;
        if let Some(unwrap) = &self.unwrap {
            write!(f, " {unwrap}")?;
        }
        f.write_str(" [")?;
        span(self.range, f)?;
        f.write_str("]")?;
        if self.offset != 0 {
            f.write_str(" offset ")?;
            span(self.offset, f)?;
        }
        f.write_str(")")?;
        match &self.grouping {
            Some(grouping) => write!(f, " {grouping}"),
            None => Ok(()),
        }
    }
}

impl Display for Unwrap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.conversion {
            Conversion::Number => write!(f, "| unwrap {}", self.label)?,
            Conversion::Duration => write!(f, "| unwrap duration({})", self.label)?,
            Conversion::Bytes => write!(f, "| unwrap bytes({})", self.label)?,
        }
        self.filters.iter().try_for_each(|filter| write!(f, " | {filter}"))
    }
}

impl Display for Grouping {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == GroupingKind::By { "by" } else { "without" };
        write!(f, "{kind} ({})", self.labels.join(", "))
    }
}

/// A length of time that may lie on either side of none.
fn span(nanos: i64, f: &mut Formatter<'_>) -> fmt::Result {
    if nanos < 0 {
        f.write_str("-")?;
    }
    TimeSpan::from_nanos(nanos.saturating_abs()).fmt(f)
}

/// A text as it stands in a query.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                other => write!(f, "{other}")?,
            }
        }
        f.write_str("\"")
    }
}

fn list<T>(
    items: &[T],
    f: &mut Formatter<'_>,
    print: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        print(item, f)?;
    }
    Ok(())
}
