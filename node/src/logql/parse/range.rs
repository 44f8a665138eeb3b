//! Range aggregations: `quantile_over_time(0.95, {...} | unwrap latency_ms [5m] offset 1h) by (service_name)`.

use super::{Parsed, Parser};
use crate::logql::ast::{
    Conversion, Grouping, GroupingKind, LabelFilter, LogQuery, Metric, Position, RangeAggregation,
    RangeFunction, Stage, Unwrap,
};
use crate::logql::error::LogqlError;
use crate::logql::lexer::Kind;
use crate::logql::units::duration;

/// The function of a name; `None` where there is none.
pub(super) fn function(name: &str) -> Option<RangeFunction> {
    Some(match name {
        "count_over_time" => RangeFunction::Count,
        "rate" => RangeFunction::Rate,
        "bytes_over_time" => RangeFunction::Bytes,
        "bytes_rate" => RangeFunction::BytesRate,
        "absent_over_time" => RangeFunction::Absent,
        "sum_over_time" => RangeFunction::Sum,
        "avg_over_time" => RangeFunction::Avg,
        "min_over_time" => RangeFunction::Min,
        "max_over_time" => RangeFunction::Max,
        "first_over_time" => RangeFunction::First,
        "last_over_time" => RangeFunction::Last,
        "stddev_over_time" => RangeFunction::Stddev,
        "stdvar_over_time" => RangeFunction::Stdvar,
        "quantile_over_time" => RangeFunction::Quantile(0.0),
        _ => return None,
    })
}

impl Parser {
    /// What stands behind the function's name.
    pub(super) fn range_aggregation(&mut self, function: RangeFunction, at: usize) -> Parsed<Metric> {
        self.count_range()?;
        self.expect("(", &format!("behind {}", function.name()))?;
        let function = match function {
            RangeFunction::Quantile(_) => RangeFunction::Quantile(self.quantile()?),
            other => other,
        };
        let mut found = self.ranged()?;
        self.expect(")", "behind the range")?;
        if self.is_name("by") || self.is_name("without") {
            let position = self.position();
            if !allows_grouping(function) {
                let reason =
                    format!("{} has no by or without: expected sum by (...) around it", function.name());
                return Err(LogqlError::new(position, reason));
            }
            found.grouping = self.grouping()?;
        }
        if function.needs_unwrap() && found.unwrap.is_none() {
            let reason =
                format!("{} is of numbers: expected | unwrap LABEL before the range", function.name());
            return Err(LogqlError::new(at, reason));
        }
        if found.unwrap.is_some() && !function.needs_unwrap() && function != RangeFunction::Rate {
            let reason = format!("{} counts records: expected no unwrap in it", function.name());
            return Err(LogqlError::new(at, reason));
        }
        if found.query.stages.iter().any(|stage| matches!(stage, Stage::Distinct(_))) {
            let reason = "distinct is of records: expected none in a metric; count(sum by (label) (count_over_time(...))) counts \
                          values";
            return Err(LogqlError::new(at, reason));
        }
        Ok(Metric::Range(Box::new(RangeAggregation { function, position: Position(at), ..found })))
    }

    fn quantile(&mut self) -> Parsed<f64> {
        let position = self.position();
        let quantile = self.number("the quantile, from 0 to 1,")?;
        if !(0.0..=1.0).contains(&quantile) {
            return Err(LogqlError::new(position, "a quantile lies between 0 and 1"));
        }
        self.expect(",", "behind the quantile")?;
        Ok(quantile)
    }

    /// Records with a range, which stands behind the selector or behind the pipeline; all of it may be in parentheses.
    fn ranged(&mut self) -> Parsed<RangeAggregation> {
        if self.is("(") && self.is_ranged_inside() {
            return self.nested(|parser| {
                parser.expect("(", "here")?;
                let found = parser.ranged()?;
                parser.expect(")", "behind the range")?;
                Ok(found)
            });
        }
        let mut query = self.log_query_with_unwrap()?;
        let (range, offset) = self.range()?;
        // The old way: {...}[5m] | json.
        if query.1.is_none() {
            query.0.stages.extend(self.stages()?);
            query.1 = self.unwrap()?;
        }
        let (query, unwrap) = query;
        Ok(RangeAggregation {
            function: RangeFunction::Count,
            query,
            unwrap,
            range,
            offset,
            grouping: None,
            position: Position(0),
        })
    }

    /// Whether the range stands inside the parentheses that open here.
    fn is_ranged_inside(&self) -> bool {
        let mut open = 0usize;
        for token in self.tokens.iter().skip(self.at) {
            match token.kind {
                Kind::Symbol("(") => open += 1,
                Kind::Symbol(")") if open <= 1 => return false,
                Kind::Symbol(")") => open -= 1,
                Kind::Symbol("[") => return true,
                _ => {}
            }
        }
        false
    }

    fn log_query_with_unwrap(&mut self) -> Parsed<(LogQuery, Option<Unwrap>)> {
        if !self.is("(") {
            let query = self.log_query()?;
            return Ok((query, self.unwrap()?));
        }
        self.nested(|parser| {
            parser.expect("(", "here")?;
            let found = parser.log_query_with_unwrap()?;
            parser.expect(")", "behind the records")?;
            Ok(found)
        })
    }

    fn range(&mut self) -> Parsed<(i64, i64)> {
        self.expect("[", "and a length of time, as [5m]")?;
        let position = self.position();
        let range = self.number_text().and_then(|text| duration(&text)).filter(|range| *range > 0);
        let range =
            range.ok_or_else(|| LogqlError::new(position, "expected a length of time here, as [5m]"))?;
        self.expect("]", "behind the length of time")?;
        if !self.take_name("offset") {
            return Ok((range, 0));
        }
        let position = self.position();
        let is_negative = self.take("-");
        let offset = self.number_text().and_then(|text| duration(&text));
        let offset =
            offset.ok_or_else(|| LogqlError::new(position, "expected a length of time here, as 5m"))?;
        Ok((range, if is_negative { -offset } else { offset }))
    }

    /// `| unwrap duration(label) | label > 5`
    fn unwrap(&mut self) -> Parsed<Option<Unwrap>> {
        let is_here =
            self.is("|") && matches!(self.peek_second(), Some(Kind::Name(name)) if name == "unwrap");
        if !is_here {
            return Ok(None);
        }
        self.at += 2;
        let position = self.position();
        let name = self.name("the label that is unwrapped")?;
        let mut unwrap = Unwrap { label: name.clone(), conversion: Conversion::Number, filters: Vec::new() };
        if self.take("(") {
            unwrap.conversion = match name.as_str() {
                "duration" | "duration_seconds" => Conversion::Duration,
                "bytes" => Conversion::Bytes,
                _ => {
                    let reason = "expected duration(label), duration_seconds(label) or bytes(label)";
                    return Err(LogqlError::new(position, reason));
                }
            };
            unwrap.label = self.name("the label that is unwrapped")?;
            self.expect(")", "behind the label")?;
        }
        while self.take("|") {
            self.check_list(unwrap.filters.len())?;
            unwrap.filters.push(self.unwrap_filter()?);
        }
        Ok(Some(unwrap))
    }

    fn unwrap_filter(&mut self) -> Parsed<LabelFilter> {
        let position = self.position();
        self.label_filter().map_err(|error| match error.position == position {
            true => LogqlError::new(position, "behind unwrap expected a condition on a label"),
            false => error,
        })
    }

    pub(super) fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let kind = if self.take_name("by") {
            GroupingKind::By
        } else if self.take_name("without") {
            GroupingKind::Without
        } else {
            return Ok(None);
        };
        Ok(Some(Grouping { kind, labels: self.names("the labels")? }))
    }
}

fn allows_grouping(function: RangeFunction) -> bool {
    use RangeFunction::{Avg, First, Last, Max, Min, Quantile, Stddev, Stdvar};
    matches!(function, Avg | Min | Max | First | Last | Stddev | Stdvar | Quantile(_))
}
