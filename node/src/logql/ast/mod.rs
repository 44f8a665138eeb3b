//! The syntax tree of LogQL. Says what was asked; what it means for records is decided elsewhere.

mod log;
mod metric;

pub use log::{
    Bound, Comparison, Extraction, FormatValue, LabelFilter, LabelPick, LineFilter, LineOp, LogQuery,
    MatchOp, Matcher, Stage,
};
pub use metric::{
    Binary, BinaryOp, Conversion, Grouping, GroupingKind, LabelReplace, Many, Matching, MatchingKind, Metric,
    Position, RangeAggregation, RangeFunction, Side, Unwrap, VectorAggregation, VectorFunction,
};

/// A whole query.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Log(LogQuery),
    Metric(Metric),
}
