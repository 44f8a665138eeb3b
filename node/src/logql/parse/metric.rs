//! Metrics: numbers, `vector(1)`, aggregations, and operators between them.
//!
//! ```text
//! or  <  and unless  <  == != < <= > >=  <  + -  <  * / %  <  ^ (from the right)
//! ```

use super::range::function;
use super::{Parsed, Parser};
use crate::logql::ast::{
    Binary, BinaryOp, Comparison, Grouping, LabelReplace, Many, Matching, MatchingKind, Metric, Side,
    VectorAggregation, VectorFunction,
};
use crate::logql::error::LogqlError;
use crate::logql::lexer::Kind;
use crate::logql::parse::selector::check_regex;

/// Series that `topk` may be asked for.
const RANKED_MAX: f64 = 10_000.0;

/// Known to LogQL, and not to us.
const UNSUPPORTED: [&str; 5] = ["rate_counter", "count_values", "label_join", "group", "variants"];

impl Parser {
    /// Operators that bind as tight as `tightness` or tighter.
    pub(super) fn binary(&mut self, tightness: u8) -> Parsed<Metric> {
        let mut left = self.operand()?;
        while let Some(op) = self.peek().and_then(operator).filter(|op| op.tightness() >= tightness) {
            let position = self.position();
            self.at += 1;
            self.count_operator()?;
            let op = self.with_bool(op)?;
            let matching = self.matching()?;
            let next = op.tightness() + u8::from(op != BinaryOp::Power);
            let right = self.nested(|parser| parser.binary(next))?;
            check_sides(op, &left, &right, position)?;
            check_many(op, matching.as_ref(), position)?;
            left = Metric::Binary(Box::new(Binary { op, matching, left, right }));
        }
        Ok(left)
    }

    fn with_bool(&mut self, op: BinaryOp) -> Parsed<BinaryOp> {
        match op {
            BinaryOp::Filter(comparison) if self.take_name("bool") => Ok(BinaryOp::Bool(comparison)),
            _ if self.is_name("bool") => Err(self.error("bool stands behind comparisons alone")),
            other => Ok(other),
        }
    }

    fn matching(&mut self) -> Parsed<Option<Matching>> {
        let kind = if self.take_name("on") {
            MatchingKind::On
        } else if self.take_name("ignoring") {
            MatchingKind::Ignoring
        } else {
            return Ok(None);
        };
        let labels = self.names("the labels")?;
        let many = self.many()?;
        Ok(Some(Matching { kind, labels, many }))
    }

    /// Behind `on (...)` or `ignoring (...)`.
    fn many(&mut self) -> Parsed<Option<Many>> {
        let side = if self.take_name("group_left") {
            Side::Left
        } else if self.take_name("group_right") {
            Side::Right
        } else {
            return Ok(None);
        };
        let taken_over =
            if self.is("(") { self.names("the labels that are taken over")? } else { Vec::new() };
        Ok(Some(Many { side, taken_over }))
    }

    fn operand(&mut self) -> Parsed<Metric> {
        match self.peek() {
            Some(Kind::Number(_) | Kind::Symbol("-" | "+")) => self.number("a number").map(Metric::Number),
            Some(Kind::Symbol("(")) => self.nested(|parser| {
                parser.expect("(", "here")?;
                let inner = parser.metric()?;
                parser.expect(")", "behind the metric")?;
                Ok(inner)
            }),
            Some(Kind::Symbol("{")) => Err(self
                .error("records are no metric: expected a function of them, as count_over_time({...}[5m])")),
            Some(Kind::Name(_)) => self.call(),
            None => Err(self.error("the query ends here: expected {...} or a metric")),
            _ => Err(self.error("expected {...}, a number, or a function such as rate({...}[5m])")),
        }
    }

    fn call(&mut self) -> Parsed<Metric> {
        let position = self.position();
        let name = self.name("a function")?;
        if let Some(function) = function(&name) {
            return self.nested(|parser| parser.range_aggregation(function, position));
        }
        if let Some(function) = vector_function(&name) {
            return self.nested(|parser| parser.vector_aggregation(function));
        }
        match name.as_str() {
            "vector" => {
                self.expect("(", "behind vector")?;
                let number = self.number("a number")?;
                self.expect(")", "behind the number")?;
                Ok(Metric::Vector(number))
            }
            "label_replace" => self.nested(Parser::label_replace),
            "group_left" | "group_right" => {
                let reason = format!("{name} stands behind on (...) or ignoring (...)");
                Err(LogqlError::new(position, reason))
            }
            name if UNSUPPORTED.contains(&name) => {
                Err(LogqlError::new(position, format!("{name} is not supported")))
            }
            name => {
                let shown: String = name.chars().take(40).collect();
                let reason =
                    format!("there is no function {shown:?}: expected sum, rate, count_over_time ...");
                Err(LogqlError::new(position, reason))
            }
        }
    }

    /// `by` stands before or behind the parentheses.
    fn vector_aggregation(&mut self, function: VectorFunction) -> Parsed<Metric> {
        let before = self.grouping_of(function)?;
        self.expect("(", &format!("behind {}", function.name()))?;
        let function = match function {
            VectorFunction::Topk(_) => VectorFunction::Topk(self.ranked()?),
            VectorFunction::Bottomk(_) => VectorFunction::Bottomk(self.ranked()?),
            VectorFunction::ApproxTopk(_) => VectorFunction::ApproxTopk(self.ranked()?),
            other => other,
        };
        let position = self.position();
        let inner = self.metric()?;
        if inner.is_number() {
            return Err(LogqlError::new(
                position,
                format!("{} is of series, not of a number", function.name()),
            ));
        }
        self.expect(")", "behind the metric")?;
        let grouping = match before {
            Some(grouping) => Some(grouping),
            None => self.grouping_of(function)?,
        };
        Ok(Metric::Aggregation(Box::new(VectorAggregation { function, grouping, inner })))
    }

    fn grouping_of(&mut self, function: VectorFunction) -> Parsed<Option<Grouping>> {
        if !function.allows_grouping() && (self.is_name("by") || self.is_name("without")) {
            return Err(self.error(format!("{} has no by or without", function.name())));
        }
        self.grouping()
    }

    fn ranked(&mut self) -> Parsed<u32> {
        let position = self.position();
        let wanted = self.number("the number of series")?;
        if wanted.fract() != 0.0 || !(1.0..=RANKED_MAX).contains(&wanted) {
            return Err(LogqlError::new(position, format!("expected a whole number from 1 to {RANKED_MAX}")));
        }
        self.expect(",", "behind the number of series")?;
        Ok(wanted as u32)
    }

    fn label_replace(&mut self) -> Parsed<Metric> {
        self.expect("(", "behind label_replace")?;
        let position = self.position();
        let inner = self.metric()?;
        if inner.is_number() {
            return Err(LogqlError::new(position, "label_replace is of series, not of a number"));
        }
        let [target, replacement, source] = [(); 3].map(|()| {
            self.expect(",", "here")?;
            self.text("a text")
        });
        self.expect(",", "here")?;
        let position = self.position();
        let regex = self.text("a regular expression")?;
        check_regex(&regex, position)?;
        self.expect(")", "behind the regular expression")?;
        let (target, replacement, source) = (target?, replacement?, source?);
        Ok(Metric::LabelReplace(Box::new(LabelReplace { inner, target, replacement, source, regex })))
    }
}

fn vector_function(name: &str) -> Option<VectorFunction> {
    Some(match name {
        "sum" => VectorFunction::Sum,
        "avg" => VectorFunction::Avg,
        "min" => VectorFunction::Min,
        "max" => VectorFunction::Max,
        "count" => VectorFunction::Count,
        "stddev" => VectorFunction::Stddev,
        "stdvar" => VectorFunction::Stdvar,
        "topk" => VectorFunction::Topk(0),
        "bottomk" => VectorFunction::Bottomk(0),
        "approx_topk" => VectorFunction::ApproxTopk(0),
        "sort" => VectorFunction::Sort,
        "sort_desc" => VectorFunction::SortDesc,
        _ => return None,
    })
}

fn operator(kind: &Kind) -> Option<BinaryOp> {
    Some(match kind {
        Kind::Name(name) => match name.as_str() {
            "or" => BinaryOp::Or,
            "and" => BinaryOp::And,
            "unless" => BinaryOp::Unless,
            _ => return None,
        },
        Kind::Symbol(symbol) => match *symbol {
            "==" => BinaryOp::Filter(Comparison::Equal),
            "!=" => BinaryOp::Filter(Comparison::NotEqual),
            "<" => BinaryOp::Filter(Comparison::Less),
            "<=" => BinaryOp::Filter(Comparison::LessOrEqual),
            ">" => BinaryOp::Filter(Comparison::Greater),
            ">=" => BinaryOp::Filter(Comparison::GreaterOrEqual),
            "+" => BinaryOp::Add,
            "-" => BinaryOp::Subtract,
            "*" => BinaryOp::Multiply,
            "/" => BinaryOp::Divide,
            "%" => BinaryOp::Modulo,
            "^" => BinaryOp::Power,
            _ => return None,
        },
        Kind::Text(_) | Kind::Number(_) => return None,
    })
}

/// A number has no labels that could be there or not.
fn check_sides(op: BinaryOp, left: &Metric, right: &Metric, position: usize) -> Parsed<()> {
    let is_number = |metric: &Metric| metric.is_number();
    if op.is_set() && (is_number(left) || is_number(right)) {
        let reason = format!("{} joins series: expected none of its sides to be a number", op.symbol());
        return Err(LogqlError::new(position, reason));
    }
    if matches!(op, BinaryOp::Filter(_)) && is_number(left) && is_number(right) {
        return Err(LogqlError::new(position, "a comparison of two numbers needs bool behind the operator"));
    }
    Ok(())
}

/// Series are there or not: none is taken more than once.
fn check_many(op: BinaryOp, matching: Option<&Matching>, position: usize) -> Parsed<()> {
    if op.is_set() && matching.is_some_and(|matching| matching.many.is_some()) {
        let reason =
            format!("{} joins many series with many: expected no group_left or group_right", op.symbol());
        return Err(LogqlError::new(position, reason));
    }
    Ok(())
}
