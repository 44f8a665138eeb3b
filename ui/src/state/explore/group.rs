//! Records put into groups: by what, what is worked out of each, how it is drawn; and the query that asks for it.

use super::bars::bar_length;
use super::question::Question;
use crate::state::url::Pairs;

/// Fields of one grouping: with more, each group is a record.
pub const FIELDS_MAX: usize = 4;
/// Groups of a list or table.
const ROWS_MAX: usize = 200;
/// Points of a line.
pub const POINTS_MAX: usize = 80;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    #[default]
    Count,
    /// Share of records at ERROR or above.
    ErrorShare,
    Average,
    P50,
    P95,
    P99,
    Sum,
    Distinct,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawn {
    #[default]
    Series,
    /// Over time, on top of each other.
    Bars,
    Top,
    Table,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub by: Vec<String>,
    pub measure: Measure,
    /// The field that is measured, where one is.
    pub field: String,
    pub drawn: Drawn,
}

impl Default for Group {
    fn default() -> Self {
        Group {
            by: vec!["service".to_owned()],
            measure: Measure::default(),
            field: "latency_ms".to_owned(),
            drawn: Drawn::default(),
        }
    }
}

impl Measure {
    pub const ALL: [Measure; 8] = [
        Measure::Count,
        Measure::ErrorShare,
        Measure::Average,
        Measure::P50,
        Measure::P95,
        Measure::P99,
        Measure::Sum,
        Measure::Distinct,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Measure::Count => "count",
            Measure::ErrorShare => "errors",
            Measure::Average => "avg",
            Measure::P50 => "p50",
            Measure::P95 => "p95",
            Measure::P99 => "p99",
            Measure::Sum => "sum",
            Measure::Distinct => "distinct",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Measure::Count => "Count of records",
            Measure::ErrorShare => "Share of errors",
            Measure::Average => "Average of",
            Measure::P50 => "Median of",
            Measure::P95 => "95th percentile of",
            Measure::P99 => "99th percentile of",
            Measure::Sum => "Sum of",
            Measure::Distinct => "Different values of",
        }
    }

    pub fn from_name(name: &str) -> Option<Measure> {
        Measure::ALL.into_iter().find(|measure| measure.name() == name)
    }

    pub fn takes_field(self) -> bool {
        !matches!(self, Measure::Count | Measure::ErrorShare)
    }

    /// Whether bars on top of each other mean something.
    pub fn adds_up(self) -> bool {
        matches!(self, Measure::Count | Measure::Sum)
    }
}

impl Drawn {
    pub const ALL: [(Drawn, &'static str, &'static str); 4] = [
        (Drawn::Series, "series", "Lines"),
        (Drawn::Bars, "bars", "Stacked bars"),
        (Drawn::Top, "top", "Top list"),
        (Drawn::Table, "table", "Table"),
    ];

    pub fn is_over_time(self) -> bool {
        matches!(self, Drawn::Series | Drawn::Bars)
    }

    /// Parts of a whole can be stacked; averages cannot.
    pub fn fits(self, measure: Measure) -> bool {
        self != Drawn::Bars || measure.adds_up()
    }

    fn name(self) -> &'static str {
        Drawn::ALL.iter().find(|(drawn, ..)| *drawn == self).map(|(_, name, _)| *name).unwrap_or_default()
    }

    fn from_name(name: &str) -> Option<Drawn> {
        Drawn::ALL.iter().find(|(_, known, _)| *known == name).map(|(drawn, ..)| *drawn)
    }
}

impl Group {
    /// What is shown, in words: `Median of latency_ms by service`.
    pub fn title(&self) -> String {
        let field = if self.measure.takes_field() { format!(" {}", self.field) } else { String::new() };
        let by = if self.by.is_empty() { String::new() } else { format!(" by {}", self.by.join(", ")) };
        format!("{}{field}{by}", self.measure.title())
    }

    pub fn is_stacked(&self) -> bool {
        self.drawn == Drawn::Bars && self.measure.adds_up()
    }

    /// The whole query: groups first, then `time` where it is drawn over time, then `value`.
    pub fn query(&self, question: &Question) -> String {
        let mut by: Vec<String> = self.by.iter().map(|field| name(field)).collect();
        if self.drawn.is_over_time() {
            by.push(format!("time({})", bar_length(question.span, POINTS_MAX)));
        }
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
        let field = name(&self.field);
        let value = match self.measure {
            Measure::Count => "count() as value".to_owned(),
            // The share itself is worked out here: the language has no division.
            Measure::ErrorShare => "count() if (level:>=error) as value, count() as records".to_owned(),
            measure => format!("{}({field}) as value", measure.name()),
        };
        let order = match self.drawn {
            Drawn::Series | Drawn::Bars => String::new(),
            Drawn::Top | Drawn::Table => format!(" | sort value desc | limit {ROWS_MAX}"),
        };
        format!("{} | stats {value}{by}{order}", question.filter.query())
    }

    pub fn from_pairs(pairs: &Pairs) -> Group {
        let mut by: Vec<String> = pairs.all("by").map(str::to_owned).take(FIELDS_MAX).collect();
        let start = Group::default();
        // `by=` alone says: by no field.
        if by.is_empty() && pairs.get("by").is_none() {
            by = start.by;
        }
        by.retain(|field| !field.is_empty());
        by.dedup();
        Group {
            by,
            measure: pairs.get("agg").and_then(Measure::from_name).unwrap_or_default(),
            field: pairs.get("of").map_or(start.field, str::to_owned),
            drawn: pairs.get("as").and_then(Drawn::from_name).unwrap_or_default(),
        }
    }

    pub fn add_to(&self, pairs: &mut Vec<(&'static str, String)>) {
        let start = Group::default();
        if self.by.is_empty() {
            pairs.push(("by", String::new()));
        } else if self.by != start.by {
            pairs.extend(self.by.iter().map(|field| ("by", field.clone())));
        }
        if self.measure != start.measure {
            pairs.push(("agg", self.measure.name().to_owned()));
        }
        if self.field != start.field {
            pairs.push(("of", self.field.clone()));
        }
        if self.drawn != start.drawn {
            pairs.push(("as", self.drawn.name().to_owned()));
        }
    }
}

/// A field's name as stages take it.
pub fn name(field: &str) -> String {
    const WORDS: [&str; 7] = ["by", "as", "if", "asc", "desc", "before", "after"];
    let is_plain = field.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && field.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-'))
        && !WORDS.contains(&field.to_ascii_lowercase().as_str());
    if is_plain {
        return field.to_owned();
    }
    format!("\"{}\"", field.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::filter::Filter;
    use crate::state::range::Span;
    use crate::state::url;
    use insighthub_model::query::parse;

    fn question() -> Question {
        let filter = Filter { text: "a OR b".into(), service: "x y".into(), ..Filter::default() };
        Question { filter, span: Span { from_ms: 0, to_ms: 3_600_000 } }
    }

    #[test]
    fn every_grouping_is_a_query_that_can_be_read() {
        for (drawn, ..) in Drawn::ALL {
            for measure in Measure::ALL {
                for by in [vec![], vec!["service".to_owned(), "a \"b\"".to_owned(), "by".to_owned()]] {
                    let text = Group { by, measure, field: "1st".into(), drawn }.query(&question());
                    assert!(parse(&text).is_ok(), "{text}: {:?}", parse(&text));
                }
            }
        }
        assert_eq!(
            Group::default().query(&question()),
            r#"(a OR b) service:"x y" | stats count() as value by service, time(1m)"#
        );
    }

    #[test]
    fn only_what_adds_up_is_stacked() {
        let fits = |measure| Drawn::Bars.fits(measure);
        assert!(fits(Measure::Count) && fits(Measure::Sum));
        assert!(!fits(Measure::P95) && !fits(Measure::ErrorShare) && !fits(Measure::Distinct));
        assert!(Drawn::Series.fits(Measure::P95));
        // The address keeps what was chosen, so that it is there again with a measure that it fits.
        let group = Group::from_pairs(&Pairs::of("agg=p95&as=bars"));
        assert_eq!((group.drawn, group.is_stacked()), (Drawn::Bars, false));
    }

    #[test]
    fn no_field_is_another_thing_than_nothing_said() {
        let none = Group { by: Vec::new(), ..Group::default() };
        let mut pairs = Vec::new();
        none.add_to(&mut pairs);
        assert_eq!(Group::from_pairs(&Pairs::of(&url::encode(&pairs))), none);
        assert_eq!(Group::from_pairs(&Pairs::of("")), Group::default());
    }
}
