//! Records of LogQL: selectors, and what is done with each line.

/// Records: which streams, and what is done with each line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogQuery {
    /// All must be met.
    pub selector: Vec<Matcher>,
    pub stages: Vec<Stage>,
}

/// `name="value"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    pub name: String,
    pub op: MatchOp,
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    Equal,
    NotEqual,
    Matches,
    NotMatches,
}

/// What is done with a line, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Line(LineFilter),
    Filter(LabelFilter),
    /// `json`, with the names it takes where it does not take all.
    Json(Vec<Extraction>),
    Logfmt(Vec<Extraction>),
    Unpack,
    Regexp(String),
    Pattern(String),
    LineFormat(String),
    LabelFormat(Vec<(String, FormatValue)>),
    Drop(Vec<LabelPick>),
    Keep(Vec<LabelPick>),
    Decolorize,
    /// Of lines with the same values only the first that is met.
    Distinct(Vec<String>),
}

/// `|= "a" or "b"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFilter {
    pub op: LineOp,
    /// One or more; for the negative ones none may be found, else one must.
    pub texts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineOp {
    Contains,
    NotContains,
    Matches,
    NotMatches,
    /// `|>`: the whole line, `<_>` standing for any run.
    Pattern,
    NotPattern,
    /// `|= ip("10.0.0.0/8")`
    HasAddress,
    HasNoAddress,
}

/// `label="path"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction {
    pub label: String,
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatValue {
    /// Another label's value; that label goes away.
    Rename(String),
    Template(String),
}

/// A name of `drop` or `keep`, with a condition on the value where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelPick {
    pub name: String,
    pub condition: Option<(MatchOp, String)>,
}

/// A condition on labels.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelFilter {
    Match(Matcher),
    Compare {
        name: String,
        comparison: Comparison,
        bound: Bound,
    },
    /// `name = ip("10.0.0.0/8")`
    Address {
        name: String,
        is_negative: bool,
        addresses: String,
    },
    And(Box<LabelFilter>, Box<LabelFilter>),
    Or(Box<LabelFilter>, Box<LabelFilter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a label's value is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    Number(f64),
    /// Nanoseconds.
    Duration(i64),
    Bytes(u64),
}

impl MatchOp {
    pub fn symbol(self) -> &'static str {
        match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Matches => "=~",
            MatchOp::NotMatches => "!~",
        }
    }

    pub fn is_negative(self) -> bool {
        matches!(self, MatchOp::NotEqual | MatchOp::NotMatches)
    }
}

impl LineOp {
    pub fn symbol(self) -> &'static str {
        match self {
            LineOp::Contains | LineOp::HasAddress => "|=",
            LineOp::NotContains | LineOp::HasNoAddress => "!=",
            LineOp::Matches => "|~",
            LineOp::NotMatches => "!~",
            LineOp::Pattern => "|>",
            LineOp::NotPattern => "!>",
        }
    }

    pub fn is_negative(self) -> bool {
        matches!(self, LineOp::NotContains | LineOp::NotMatches | LineOp::NotPattern | LineOp::HasNoAddress)
    }

    /// Whether its texts stand in `ip(...)`.
    pub fn is_of_addresses(self) -> bool {
        matches!(self, LineOp::HasAddress | LineOp::HasNoAddress)
    }
}

impl Comparison {
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }

    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}
