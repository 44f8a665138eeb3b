//! Numbers over time of LogQL: range aggregations, and what is made of them.

use super::log::{Comparison, LabelFilter, LogQuery};

/// Numbers over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// A number of its own.
    Number(f64),
    /// `vector(1)`: a series without labels.
    Vector(f64),
    Range(Box<RangeAggregation>),
    Aggregation(Box<VectorAggregation>),
    Binary(Box<Binary>),
    LabelReplace(Box<LabelReplace>),
}

/// `rate({...} [5m])`
#[derive(Clone, Debug, PartialEq)]
pub struct RangeAggregation {
    pub function: RangeFunction,
    pub query: LogQuery,
    pub unwrap: Option<Unwrap>,
    /// Nanoseconds, more than none.
    pub range: i64,
    /// Nanoseconds back in time.
    pub offset: i64,
    pub grouping: Option<Grouping>,
    /// Byte of the text, for refusals; two queries are the same wherever they stand.
    pub position: Position,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RangeFunction {
    Count,
    Rate,
    Bytes,
    BytesRate,
    Absent,
    Sum,
    Avg,
    Min,
    Max,
    First,
    Last,
    Stddev,
    Stdvar,
    /// From 0 to 1.
    Quantile(f64),
}

/// `| unwrap duration(label) | label > 5`
#[derive(Clone, Debug, PartialEq)]
pub struct Unwrap {
    pub label: String,
    pub conversion: Conversion,
    /// Asked of the line's labels behind the unwrapping.
    pub filters: Vec<LabelFilter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    Number,
    /// Seconds.
    Duration,
    Bytes,
}

/// `by (a, b)` or `without (a, b)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    pub kind: GroupingKind,
    pub labels: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupingKind {
    By,
    Without,
}

/// `sum by (a) (...)`
#[derive(Clone, Debug, PartialEq)]
pub struct VectorAggregation {
    pub function: VectorFunction,
    pub grouping: Option<Grouping>,
    pub inner: Metric,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorFunction {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Stddev,
    Stdvar,
    Topk(u32),
    Bottomk(u32),
    /// Worked out exactly, as [`VectorFunction::Topk`] is.
    ApproxTopk(u32),
    /// Puts the series of one moment in order, the least first.
    Sort,
    SortDesc,
}

/// `a / on (x) b`
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    pub op: BinaryOp,
    pub matching: Option<Matching>,
    pub left: Metric,
    pub right: Metric,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    /// Keeps what meets it.
    Filter(Comparison),
    /// 1 or 0.
    Bool(Comparison),
    And,
    Or,
    Unless,
}

/// Which labels two series must have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    pub kind: MatchingKind,
    pub labels: Vec<String>,
    pub many: Option<Many>,
}

/// `group_left (a)`: several series of one side match the same one of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many {
    pub side: Side,
    /// Labels that are taken over from the side of the one.
    pub taken_over: Vec<String>,
}

/// Of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchingKind {
    On,
    Ignoring,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LabelReplace {
    pub inner: Metric,
    pub target: String,
    pub replacement: String,
    pub source: String,
    pub regex: String,
}

/// A place in the text that does not count where trees are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position(pub usize);

impl PartialEq for Position {
    fn eq(&self, _: &Position) -> bool {
        true
    }
}

impl RangeFunction {
    pub fn name(self) -> &'static str {
        match self {
            RangeFunction::Count => "count_over_time",
            RangeFunction::Rate => "rate",
            RangeFunction::Bytes => "bytes_over_time",
            RangeFunction::BytesRate => "bytes_rate",
            RangeFunction::Absent => "absent_over_time",
            RangeFunction::Sum => "sum_over_time",
            RangeFunction::Avg => "avg_over_time",
            RangeFunction::Min => "min_over_time",
            RangeFunction::Max => "max_over_time",
            RangeFunction::First => "first_over_time",
            RangeFunction::Last => "last_over_time",
            RangeFunction::Stddev => "stddev_over_time",
            RangeFunction::Stdvar => "stdvar_over_time",
            RangeFunction::Quantile(_) => "quantile_over_time",
        }
    }

    /// Whether it is of an unwrapped label and of nothing else.
    pub fn needs_unwrap(self) -> bool {
        !matches!(
            self,
            RangeFunction::Count
                | RangeFunction::Rate
                | RangeFunction::Bytes
                | RangeFunction::BytesRate
                | RangeFunction::Absent
        )
    }
}

impl VectorFunction {
    pub fn name(self) -> &'static str {
        match self {
            VectorFunction::Sum => "sum",
            VectorFunction::Avg => "avg",
            VectorFunction::Min => "min",
            VectorFunction::Max => "max",
            VectorFunction::Count => "count",
            VectorFunction::Stddev => "stddev",
            VectorFunction::Stdvar => "stdvar",
            VectorFunction::Topk(_) => "topk",
            VectorFunction::Bottomk(_) => "bottomk",
            VectorFunction::ApproxTopk(_) => "approx_topk",
            VectorFunction::Sort => "sort",
            VectorFunction::SortDesc => "sort_desc",
        }
    }

    /// Whether `by` and `without` may stand at it.
    pub fn allows_grouping(self) -> bool {
        !matches!(self, VectorFunction::ApproxTopk(_) | VectorFunction::Sort | VectorFunction::SortDesc)
    }
}

impl BinaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::Power => "^",
            BinaryOp::Filter(comparison) | BinaryOp::Bool(comparison) => comparison.symbol(),
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Unless => "unless",
        }
    }

    /// The higher, the tighter it binds. [`BinaryOp::Power`] is read from the right, all others from the left.
    pub fn tightness(self) -> u8 {
        match self {
            BinaryOp::Or => 0,
            BinaryOp::And | BinaryOp::Unless => 1,
            BinaryOp::Filter(_) | BinaryOp::Bool(_) => 2,
            BinaryOp::Add | BinaryOp::Subtract => 3,
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => 4,
            BinaryOp::Power => 5,
        }
    }

    /// Joins series by their being there.
    pub fn is_set(self) -> bool {
        matches!(self, BinaryOp::And | BinaryOp::Or | BinaryOp::Unless)
    }
}

impl Metric {
    /// A number at each moment, without labels.
    pub fn is_number(&self) -> bool {
        match self {
            Metric::Number(_) => true,
            Metric::Binary(binary) => binary.left.is_number() && binary.right.is_number(),
            _ => false,
        }
    }
}
