//! Times in the forms that logs have them: `%d/%b/%Y:%H:%M:%S %z` and the like, to RFC 3339.
//!
//! Reads no clock: the year that a form leaves out is an argument.

use insighthub_model::Timestamp;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAY_NANOS: i64 = 86_400_000_000_000;

/// A form of times, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MomentFormat {
    parts: Vec<Part>,
    has_year: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    /// Two digits of this century.
    ShortYear,
    Month,
    MonthName,
    Day,
    Hour,
    /// 1 to 12; `HalfDay` says which.
    Hour12,
    HalfDay,
    Minute,
    Second,
    /// One to nine digits.
    Fraction,
    Zone,
    /// Letters that say nothing that is needed: days of the week, names of zones.
    Letters,
    /// One space or more.
    Space,
    Exactly(char),
}

#[derive(Clone, Debug)]
struct Moment {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    fraction: String,
    zone: String,
    is_afternoon: Option<bool>,
}

impl MomentFormat {
    /// Reads the letters of `strftime`; the form clap wants.
    pub(crate) fn parse(text: &str) -> Result<MomentFormat, String> {
        let mut parts = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let found: &[Part] = match (letter, letter == '%') {
                (_, true) => match letters.next() {
                    Some(name) => &of_letter(name).ok_or_else(|| unknown(text, name))?,
                    None => return Err(format!("{text:?} ends with a lone %: write %% for one")),
                },
                (space, _) if space.is_whitespace() => &[Part::Space],
                (other, _) => &[Part::Exactly(other)],
            };
            parts.extend_from_slice(found);
        }
        let has = |part: Part| parts.contains(&part);
        let has_month = has(Part::Month) || has(Part::MonthName);
        let has_hour = has(Part::Hour) || (has(Part::Hour12) && has(Part::HalfDay));
        if !(has_month && has(Part::Day) && has_hour) {
            return Err(format!("{text:?} leaves out the month, the day or the hour"));
        }
        let has_year = has(Part::Year) || has(Part::ShortYear);
        Ok(MomentFormat { parts, has_year })
    }

    /// The moment that a text means. Without a year it is the last such day before tomorrow.
    pub(crate) fn read(&self, text: &str, now: Timestamp) -> Option<Timestamp> {
        let this_year = now.to_string().get(..4)?.parse().ok()?;
        let found = self.read_in(text, this_year)?.timestamp();
        if self.has_year || found.is_some_and(|found| found.0 <= now.0.saturating_add(DAY_NANOS)) {
            return found;
        }
        self.read_in(text, this_year - 1)?.timestamp()
    }

    fn read_in(&self, text: &str, year: u32) -> Option<Moment> {
        let mut moment = Moment {
            year,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            fraction: String::new(),
            zone: "Z".to_owned(),
            is_afternoon: None,
        };
        let mut rest = text.trim();
        for part in &self.parts {
            rest = moment.take(*part, rest)?;
        }
        rest.is_empty().then_some(moment)
    }
}

impl Moment {
    /// Takes what a part means from the front of a text, and answers the rest.
    fn take<'a>(&mut self, part: Part, text: &'a str) -> Option<&'a str> {
        let (number, rest) = match part {
            Part::Year => digits(text, 4)?,
            Part::Space => {
                let rest = text.trim_start();
                return (rest.len() < text.len()).then_some(rest);
            }
            Part::Exactly(letter) => return text.strip_prefix(letter),
            Part::Letters => return Some(text.trim_start_matches(|letter: char| letter.is_alphabetic())),
            Part::MonthName => return self.take_month(text),
            Part::HalfDay => return self.take_half_day(text),
            Part::Zone => return self.take_zone(text),
            Part::Fraction => {
                let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
                let (fraction, rest) = text.split_at(end);
                self.fraction = format!(".{fraction}");
                return (1..=9).contains(&end).then_some(rest);
            }
            // `%e` has a space where the day has one digit.
            Part::Day => digits(text.trim_start(), 2)?,
            _ => digits(text, 2)?,
        };
        match part {
            Part::Year => self.year = number,
            Part::ShortYear => self.year = 2_000 + number,
            Part::Month => self.month = number,
            Part::Day => self.day = number,
            Part::Hour | Part::Hour12 => self.hour = number,
            Part::Minute => self.minute = number,
            _ => self.second = number,
        }
        Some(rest)
    }

    fn take_month<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let name = text.get(..3)?.to_ascii_lowercase();
        self.month = MONTHS.iter().position(|month| *month == name)? as u32 + 1;
        Some(text.trim_start_matches(|letter: char| letter.is_alphabetic()))
    }

    fn take_half_day<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (half, rest) = text.split_at_checked(2)?;
        self.is_afternoon = Some(match half.to_ascii_lowercase().as_str() {
            "am" => false,
            "pm" => true,
            _ => return None,
        });
        Some(rest)
    }

    /// `Z`, `+0200`, `+02:00` or `+02`.
    fn take_zone<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix('Z') {
            return Some(rest);
        }
        let sign = text.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
        let (hours, rest) = text.get(1..)?.split_at_checked(2)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len()).min(2);
        let (minutes, rest) = rest.split_at(end);
        self.zone = format!("{sign}{hours}:{}", if minutes.is_empty() { "00" } else { minutes });
        Some(rest)
    }

    fn timestamp(&self) -> Option<Timestamp> {
        let hour = match self.is_afternoon {
            None => self.hour,
            Some(is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
        };
        let Moment { year, month, day, minute, second, fraction, zone, .. } = self;
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}");
        Timestamp::parse(&text).ok()
    }
}

/// A number of one to `most` digits.
fn digits(text: &str, most: usize) -> Option<(u32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()).min(most);
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

fn of_letter(letter: char) -> Option<Vec<Part>> {
    use Part::{
        Day, Exactly, Fraction, HalfDay, Hour, Hour12, Letters, Minute, Month, MonthName, Second, ShortYear,
        Year, Zone,
    };
    Some(match letter {
        'Y' => vec![Year],
        'y' => vec![ShortYear],
        'm' => vec![Month],
        'b' | 'B' | 'h' => vec![MonthName],
        'd' | 'e' => vec![Day],
        'H' | 'k' => vec![Hour],
        'I' | 'l' => vec![Hour12],
        'p' => vec![HalfDay],
        'M' => vec![Minute],
        'S' => vec![Second],
        'f' | 'L' | 'N' => vec![Fraction],
        'z' => vec![Zone],
        'a' | 'A' | 'Z' => vec![Letters],
        'T' => vec![Hour, Exactly(':'), Minute, Exactly(':'), Second],
        'F' => vec![Year, Exactly('-'), Month, Exactly('-'), Day],
        '%' => vec![Exactly('%')],
        _ => return None,
    })
}

fn unknown(text: &str, letter: char) -> String {
    format!("{text:?}: %{letter} is not known; these are: %Y %y %m %b %d %H %I %p %M %S %f %z %Z %a %T %F %%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, text: &str) -> Option<String> {
        let now = Timestamp::parse("2026-01-31T10:00:00Z").unwrap();
        MomentFormat::parse(form).unwrap().read(text, now).map(|moment| moment.to_string())
    }

    #[test]
    fn times_of_known_logs_are_read() {
        for (form, text, expected) in [
            ("%d/%b/%Y:%H:%M:%S %z", "02/Dec/2025:10:10:02 +0200", "2025-12-02T08:10:02.000Z"),
            ("%Y-%m-%d %H:%M:%S,%f", "2025-12-02 10:10:02,123", "2025-12-02T10:10:02.123Z"),
            ("%F %T.%f %z", "2025-12-02 10:10:02.5 -05:30", "2025-12-02T15:40:02.500Z"),
            ("%a %b %e %H:%M:%S %Z %Y", "Tue Dec  2 10:10:02 UTC 2025", "2025-12-02T10:10:02.000Z"),
            ("%m/%d/%y %I:%M:%S %p", "12/02/25 12:10:02 AM", "2025-12-02T00:10:02.000Z"),
            ("%m/%d/%y %I:%M:%S %p", "12/02/25 1:10:02 pm", "2025-12-02T13:10:02.000Z"),
        ] {
            assert_eq!(read(form, text).as_deref(), Some(expected), "{form} {text}");
        }
    }

    #[test]
    fn a_day_without_a_year_is_the_last_one() {
        assert_eq!(read("%b %d %T", "Jan 31 09:00:00").as_deref(), Some("2026-01-31T09:00:00.000Z"));
        assert_eq!(read("%b %e %T", "Dec  2 09:00:00").as_deref(), Some("2025-12-02T09:00:00.000Z"));
    }

    #[test]
    fn what_does_not_fit_is_no_moment() {
        for text in
            ["", "2025-12-02", "2025-13-02 10:00:00", "2025-12-02 10:00:00 late", "2025-12-02 25:00:00"]
        {
            assert_eq!(read("%F %T", text), None, "{text}");
        }
    }

    #[test]
    fn a_form_that_means_no_moment_is_refused() {
        for form in ["", "%H:%M", "%Y-%m-%d", "%Q", "%d %b %Y %H %"] {
            assert!(MomentFormat::parse(form).is_err(), "{form}");
        }
    }
}
