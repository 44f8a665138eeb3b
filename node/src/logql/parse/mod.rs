//! From text to syntax tree. One file per part of the grammar; the cursor over the words is here.

mod label_filter;
mod line;
mod metric;
mod range;
mod selector;
mod stage;

use insighthub_model::limits::QUERY_BYTES_MAX;

use super::addresses::{Addresses, EXPECTED};
use super::ast::{Expr, LogQuery, Metric};
use super::error::LogqlError;
use super::lexer::{Kind, Token, tokens};
use super::limits::{DEPTH_MAX, LIST_MAX, OPERATORS_MAX, RANGES_MAX};

type Parsed<T> = Result<T, LogqlError>;

/// Reads a whole query.
pub fn parse(text: &str) -> Parsed<Expr> {
    let mut parser = Parser::new(text)?;
    let expr = parser.expr()?;
    parser.end()?;
    Ok(expr)
}

/// Reads a query of records; where a metric stands instead, says so.
pub fn parse_log(text: &str) -> Parsed<LogQuery> {
    match parse(text)? {
        Expr::Log(query) => Ok(query),
        Expr::Metric(_) => {
            Err(LogqlError::new(0, "expected records here, as {service_name=\"payment\"}, and no metric"))
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Byte behind the last word.
    end: usize,
    depth: usize,
    operators: usize,
    ranges: usize,
}

impl Parser {
    fn new(text: &str) -> Parsed<Parser> {
        if text.len() > QUERY_BYTES_MAX {
            let reason = format!("the query has {} bytes, the most is {QUERY_BYTES_MAX}", text.len());
            return Err(LogqlError::new(0, reason));
        }
        Ok(Parser { tokens: tokens(text)?, at: 0, end: text.len(), depth: 0, operators: 0, ranges: 0 })
    }

    /// Records or a metric; records may stand in parentheses.
    fn expr(&mut self) -> Parsed<Expr> {
        let opens = self.tokens.iter().take_while(|token| token.kind == Kind::Symbol("(")).count();
        let behind = self.tokens.get(opens).map(|token| &token.kind);
        if behind != Some(&Kind::Symbol("{")) {
            return self.metric().map(Expr::Metric);
        }
        let query = self.log_query()?;
        match self.peek() {
            None => Ok(Expr::Log(query)),
            Some(Kind::Symbol("[")) => {
                Err(self.error("a range stands inside a function, as count_over_time({...}[5m])"))
            }
            Some(_) => Err(self.error("expected a stage behind `|`, a line filter, or the end")),
        }
    }

    fn end(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("expected the end of the query, or an operator")),
        }
    }

    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn peek_second(&self) -> Option<&Kind> {
        self.tokens.get(self.at + 1).map(|token| &token.kind)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |token| token.position)
    }

    fn error(&self, reason: impl Into<String>) -> LogqlError {
        LogqlError::new(self.position(), reason)
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Kind::Symbol(found)) if *found == symbol)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let is = self.is(symbol);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, symbol: &str, place: &str) -> Parsed<()> {
        if self.take(symbol) { Ok(()) } else { Err(self.error(format!("expected `{symbol}` {place}"))) }
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Kind::Name(found)) if found == name)
    }

    /// Takes a keyword.
    fn take_name(&mut self, name: &str) -> bool {
        let is = self.is_name(name);
        self.at += usize::from(is);
        is
    }

    /// Any name.
    fn name(&mut self, what: &str) -> Parsed<String> {
        match self.peek() {
            Some(Kind::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.error(format!("expected {what} here"))),
        }
    }

    fn text(&mut self, what: &str) -> Parsed<String> {
        match self.peek() {
            Some(Kind::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.error(format!("expected {what} in quotes here"))),
        }
    }

    /// A number of digits with or without a unit, as it stands there.
    fn number_text(&mut self) -> Option<String> {
        match self.peek() {
            Some(Kind::Number(text)) => {
                let text = text.clone();
                self.at += 1;
                Some(text)
            }
            _ => None,
        }
    }

    /// A plain number with its sign.
    fn number(&mut self, what: &str) -> Parsed<f64> {
        let position = self.position();
        let is_negative = self.take("-");
        if !is_negative {
            self.take("+");
        }
        let found = self.number_text().and_then(|text| text.parse::<f64>().ok());
        let number = found.filter(|number| number.is_finite());
        let number = number.ok_or_else(|| LogqlError::new(position, format!("expected {what} here")))?;
        Ok(if is_negative { -number } else { number })
    }

    /// Names with commas between them, in parentheses; none are names as well.
    fn names(&mut self, what: &str) -> Parsed<Vec<String>> {
        self.expect("(", &format!("before {what}"))?;
        let mut names = Vec::new();
        while !self.take(")") {
            if !names.is_empty() {
                self.expect(",", "or `)` here")?;
            }
            self.check_list(names.len())?;
            names.push(self.name("a label's name")?);
        }
        Ok(names)
    }

    /// `ip("10.0.0.0/8")`
    fn addresses(&mut self) -> Parsed<String> {
        if !self.take_name("ip") {
            return Err(
                self.error("expected ip(\"...\") here: texts and addresses go in filters of their own")
            );
        }
        self.expect("(", "behind ip")?;
        let position = self.position();
        let text = self.text(EXPECTED)?;
        if Addresses::parse(&text).is_none() {
            return Err(LogqlError::new(position, format!("expected {EXPECTED}")));
        }
        self.expect(")", "behind the addresses")?;
        Ok(text)
    }

    fn check_list(&self, items: usize) -> Parsed<()> {
        if items < LIST_MAX {
            return Ok(());
        }
        Err(self.error(format!("a list has at most {LIST_MAX} parts: expected fewer")))
    }

    /// Goes one level down.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Parser) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(format!("the query is nested more than {DEPTH_MAX} deep")));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn count_operator(&mut self) -> Parsed<()> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            return Err(
                self.error(format!("the query has more than {OPERATORS_MAX} operators: expected fewer"))
            );
        }
        Ok(())
    }

    fn count_range(&mut self) -> Parsed<()> {
        self.ranges += 1;
        if self.ranges > RANGES_MAX {
            return Err(self
                .error(format!("the query has more than {RANGES_MAX} range aggregations: expected fewer")));
        }
        Ok(())
    }

    fn metric(&mut self) -> Parsed<Metric> {
        self.binary(0)
    }
}
