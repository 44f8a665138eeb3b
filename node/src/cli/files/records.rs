//! The records of one file, one after the other, whatever form it has.

use std::io::{self, BufRead};

use super::array::Elements;
use super::form::Form;
use super::lines::{LINE_BYTES_MAX, Line, Lines, Place};
use super::separated::Separated;
use super::shaping::{Fit, Shaper};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The line it begins at, from 1.
    pub(crate) line: u64,
    /// Where it ends.
    pub(crate) end: Place,
    pub(crate) is: Is,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    /// It was appended, as one line.
    Record,
    /// The same, as the message of a record: it does not fit the pattern.
    Unfitting,
    /// Nothing was appended; why.
    Refused(String),
}

/// See the module's documentation.
pub(crate) enum Records<R> {
    Json { lines: Lines<R>, line: Vec<u8> },
    Array(Elements<R>),
    Separated(Box<Separated<R>>),
    Text(Texts<R>),
}

impl<R: BufRead> Records<R> {
    /// The records of a stream from its beginning, of which `from` was read before.
    pub(crate) fn open(form: Form, mut stream: R, from: Place) -> io::Result<Records<R>> {
        if let Form::Csv(delimiter) = form {
            return Ok(Records::Separated(Box::new(Separated::open(stream, delimiter, from)?)));
        }
        pass_over(&mut stream, from.offset)?;
        Ok(Records::at(form, stream, from))
    }

    /// The records of a stream whose bytes before `from` have been passed over; of rows that is not possible.
    pub(crate) fn at(form: Form, stream: R, from: Place) -> Records<R> {
        match form {
            Form::Array => Records::Array(Elements::at(stream, from)),
            Form::Text | Form::Mixed => Records::Text(Texts::new(form, Lines::at(stream, from))),
            Form::Json | Form::Csv(_) => Records::Json { lines: Lines::at(stream, from), line: Vec::new() },
        }
    }

    /// Appends the next record to `body`. An error is of the stream.
    pub(crate) fn next(&mut self, shaper: &Shaper, body: &mut Vec<u8>) -> io::Result<Option<Found>> {
        match self {
            Records::Json { lines, line } => next_json(lines, line, shaper, body),
            Records::Array(elements) => elements.next(shaper, body),
            Records::Separated(rows) => rows.next(shaper, body),
            Records::Text(texts) => texts.next(shaper, body),
        }
    }

    /// Where the next record begins.
    pub(crate) fn place(&self) -> Place {
        match self {
            Records::Json { lines, .. } => lines.place(),
            Records::Array(elements) => elements.place(),
            Records::Separated(rows) => rows.place(),
            Records::Text(texts) => texts.place,
        }
    }
}

fn pass_over(stream: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    let passed = io::copy(&mut io::Read::take(stream, bytes), &mut io::sink())?;
    if passed < bytes {
        let reason = format!("it ends after {passed} bytes, and {bytes} of it were read before");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
    }
    Ok(())
}

pub(super) fn too_long() -> String {
    format!("the record is longer than {} MiB", LINE_BYTES_MAX >> 20)
}

fn next_json<R: BufRead>(
    lines: &mut Lines<R>,
    line: &mut Vec<u8>,
    shaper: &Shaper,
    body: &mut Vec<u8>,
) -> io::Result<Option<Found>> {
    while let Some(kind) = lines.next(line)? {
        let end = lines.place();
        let found = |is| Ok(Some(Found { line: end.line, end, is }));
        if kind == Line::TooLong {
            return found(Is::Refused(too_long()));
        }
        if !line.trim_ascii().is_empty() {
            shaper.json(line, body);
            return found(Is::Record);
        }
    }
    Ok(None)
}

/// Plain text: a line is a record, or lines up to the next that begins one.
pub(crate) struct Texts<R> {
    form: Form,
    lines: Lines<R>,
    /// The next line, read to see whether it belongs to the record before; and its end.
    ahead: Option<(Vec<u8>, Place)>,
    /// The end of what was given out.
    place: Place,
}

impl<R: BufRead> Texts<R> {
    fn new(form: Form, lines: Lines<R>) -> Texts<R> {
        Texts { form, place: lines.place(), lines, ahead: None }
    }

    fn line(&mut self) -> io::Result<Option<(Vec<u8>, Place)>> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let mut line = Vec::new();
        Ok(self.lines.next(&mut line)?.map(|_| (line, self.lines.place())))
    }

    fn next(&mut self, shaper: &Shaper, body: &mut Vec<u8>) -> io::Result<Option<Found>> {
        loop {
            let Some((mut record, mut end)) = self.line()? else { return Ok(None) };
            let line = end.line;
            while let Some(start) = shaper.start_pattern()
                && let Some((next, next_end)) = self.line()?
            {
                let is_start = start.is_match(&String::from_utf8_lossy(&next));
                if is_start || record.len() + next.len() > LINE_BYTES_MAX {
                    self.ahead = Some((next, next_end));
                    break;
                }
                record.push(b'\n');
                record.extend_from_slice(&next);
                end = next_end;
            }
            self.place = end;
            let text = String::from_utf8_lossy(&record);
            let text = text.trim_end();
            if self.form == Form::Mixed && text.starts_with('{') && text.ends_with('}') {
                shaper.json(text.as_bytes(), body);
                return Ok(Some(Found { line, end, is: Is::Record }));
            }
            if !text.is_empty() {
                let is = match shaper.text(text, body) {
                    Fit::Fits => Is::Record,
                    Fit::FitsNot => Is::Unfitting,
                };
                return Ok(Some(Found { line, end, is }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::files::shaping_args::{Rules, ShapingArgs};
    use clap::Parser;
    use insighthub_model::Timestamp;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: ShapingArgs,
    }

    pub(crate) fn rules(words: &[&str]) -> Rules {
        Words::parse_from([&["import"], words].concat()).args.rules(None).unwrap()
    }

    /// All records, read from the beginning and from every place between two of them.
    fn check(form: Form, words: &[&str], text: &str, expected: &[(u64, &str)]) {
        let shaper = Shaper::new(rules(words), Timestamp(0));
        let read = |from: Place| {
            let (mut found, mut places) = (Vec::new(), Vec::new());
            let mut records = Records::open(form, text.as_bytes(), from).unwrap();
            let mut body = Vec::new();
            while let Some(next) = records.next(&shaper, &mut body).unwrap() {
                assert_eq!(records.place(), next.end);
                places.push(next.end);
                found.push((next.line, String::from_utf8(std::mem::take(&mut body)).unwrap()));
            }
            (found, places)
        };
        let (found, places) = read(Place::default());
        let shown: Vec<(u64, &str)> = found.iter().map(|(line, text)| (*line, text.trim_end())).collect();
        assert_eq!(shown, expected);
        for (number, place) in places.iter().enumerate() {
            assert_eq!(read(*place).0, found[number + 1..], "from record {number} on");
        }
    }

    #[test]
    fn lines_of_json_are_records() {
        check(
            Form::Json,
            &[],
            "{\"a\":1}\n\n  \n{\"a\":2}\r\nnone",
            &[(1, "{\"a\":1}"), (4, "{\"a\":2}"), (5, "none")],
        );
    }

    #[test]
    fn elements_of_an_array_are_records() {
        let text = " [\n {\"a\": \"],\\\"[\"},\n {\"b\": [1,\n2]} , 3\n]\n";
        check(Form::Array, &[], text, &[(2, "{\"a\": \"],\\\"[\"}"), (3, "{\"b\": [1, 2]}"), (4, "3")]);
        check(Form::Array, &[], "[]", &[]);
        check(Form::Array, &[], "[{\"a\":1},{\"a\":", &[(1, "{\"a\":1}"), (1, "{\"a\":")]);
    }

    #[test]
    fn rows_are_records() {
        let text = "message,status,note\nfirst,200,\n\"two\nlines\",500,\"a \"\"b\"\"\"\nlast,-1,x\n";
        let expected = [
            (2, r#"{"message":"first","status":200}"#),
            (3, r#"{"message":"two\nlines","status":500,"note":"a \"b\""}"#),
            (5, r#"{"message":"last","status":-1,"note":"x"}"#),
        ];
        check(Form::Csv(Some(b',')), &[], text, &expected);
        check(Form::Csv(None), &[], &text.replace(',', ";"), &expected);
        check(Form::Csv(None), &[], &text.replace(',', "\t"), &expected);
        check(Form::Csv(None), &[], "message\nonly\n", &[(2, r#"{"message":"only"}"#)]);
        check(
            Form::Csv(None),
            &[],
            "a,b\n1\n1,2,3\n",
            &[(2, r#"{"a":1}"#), (3, r#"{"a":1,"b":2,"column_3":3}"#)],
        );
    }

    #[test]
    fn lines_that_begin_nothing_belong_to_the_record_before() {
        let text = "10:00 one\n  at a\n\n  at b\n10:01 two\n10:02 three\n tail";
        check(
            Form::Text,
            &["--start-pattern", r"^\d\d:\d\d "],
            text,
            &[
                (1, r#"{"message":"10:00 one\n  at a\n\n  at b"}"#),
                (5, r#"{"message":"10:01 two"}"#),
                (6, r#"{"message":"10:02 three\n tail"}"#),
            ],
        );
        check(Form::Text, &[], "a\n\nb", &[(1, r#"{"message":"a"}"#), (3, r#"{"message":"b"}"#)]);
    }
}
