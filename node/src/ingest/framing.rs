//! Cuts the body of a request into records: one object, an array, or one object a line (NDJSON).
//!
//! A broken record is refused alone wherever its end can be told: the end of its line, or in an array
//! the bracket that closes it. Where an array itself is broken (cut off, a comma missing), every record
//! from there on is refused, each counted and kept for mending: what follows cannot be trusted to be
//! where it seems. Nothing is dropped in silence: every piece of the body is a frame or white space.

use memchr::memchr;

use super::scan_text::plain_length;

/// How the records lie in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// Told from the body itself.
    Detect,
    /// One object a line, as the content type says.
    Lines,
}

/// A content type that holds no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Content-Type {0:?} is not supported: use application/json or application/x-ndjson")]
pub struct UnsupportedContentType(pub String);

impl BodyFormat {
    /// The format a Content-Type names. Absent, plain text and curl's default leave it to the body.
    pub fn from_content_type(content_type: Option<&str>) -> Result<BodyFormat, UnsupportedContentType> {
        let Some(content_type) = content_type else { return Ok(BodyFormat::Detect) };
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/x-json-stream" => Ok(BodyFormat::Lines),
            ""
            | "application/json"
            | "text/json"
            | "text/plain"
            | "application/octet-stream"
            | "application/x-www-form-urlencoded" => Ok(BodyFormat::Detect),
            other if other.ends_with("+json") => Ok(BodyFormat::Detect),
            _ => Err(UnsupportedContentType(content_type.chars().take(64).collect())),
        }
    }
}

/// One record as it was sent, or a piece of the body that takes the place of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub raw: &'a [u8],
    /// Where it starts in the body.
    pub offset: usize,
    /// Why it cannot be read, if the body is broken here.
    pub broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Lines,
    /// Objects one after another, each over several lines.
    Objects,
    /// Inside an array; true after a first record.
    Array {
        after_record: bool,
    },
    /// Inside an array that is broken: the rest is only counted and kept.
    BrokenArray,
    End,
}

/// Objects without an end that are looked for up to the end of the body; each costs one reading of it.
const ENDLESS_OBJECTS_MAX: usize = 8;

/// The records of a body, in order.
#[derive(Debug)]
pub(super) struct Frames<'a> {
    body: &'a [u8],
    at: usize,
    layout: Layout,
    /// Objects found to have no end.
    endless: usize,
}

/// Some editors and .NET clients put it first; it says nothing in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// True when a body holds nothing but white space.
pub(super) fn is_empty(body: &[u8]) -> bool {
    is_blank(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body))
}

impl<'a> Frames<'a> {
    pub(super) fn new(body: &'a [u8], format: BodyFormat) -> Frames<'a> {
        let at = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut frames = Frames { body, at, layout: Layout::Lines, endless: 0 };
        if format == BodyFormat::Detect {
            frames.skip_space();
            frames.layout = frames.detect();
            frames.at += usize::from(frames.layout == Layout::Array { after_record: false });
        }
        frames
    }

    fn detect(&self) -> Layout {
        match self.byte() {
            Some(b'[') => Layout::Array { after_record: false },
            Some(b'{') if !self.starts_with_a_line() => Layout::Objects,
            _ => Layout::Lines,
        }
    }

    /// True when the first line is an object, or the next line starts one: then lines are records
    /// even if the first one is broken. An object printed over several lines never has `{` second.
    fn starts_with_a_line(&self) -> bool {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let line_length = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(line_length).unwrap_or((rest, &[]));
        let next = after.iter().find(|byte| !matches!(byte, b'\n' | b'\r'));
        next == Some(&b'{') || value_end(line, 0).is_some_and(|end| line.get(end..).is_some_and(is_blank))
    }

    fn byte(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn frame(&self, from: usize, to: usize, broken: Option<&'static str>) -> Option<Frame<'a>> {
        let raw = self.body.get(from..to).unwrap_or_default();
        Some(Frame { raw, offset: from, broken })
    }

    fn next_line(&mut self) -> Option<Frame<'a>> {
        self.skip_space();
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        let offset = self.at;
        self.at += length;
        Some(Frame { raw: line.trim_ascii_end(), offset, broken: None })
    }

    fn next_object(&mut self) -> Option<Frame<'a>> {
        self.skip_space();
        let start = self.at;
        self.byte()?;
        let looked_for = self.endless < ENDLESS_OBJECTS_MAX;
        let end = looked_for.then(|| value_end(self.body, start).filter(|end| *end > start)).flatten();
        let end = end.unwrap_or_else(|| {
            self.endless += 1;
            // Its end cannot be told: it ends where a line starts the next one.
            line_with_object(self.body, start + 1).unwrap_or(self.body.len())
        });
        self.at = end;
        self.frame(start, end, None)
    }

    fn next_element(&mut self, after_record: bool) -> Option<Frame<'a>> {
        const CUT_OFF: &str = "the JSON array has no end: the body may have been cut off";
        const NO_COMMA: &str = "the JSON array is broken: expected ',' or ']' before this";
        const NO_RECORD: &str = "the JSON array is broken: expected a record before this";
        const CUT_INSIDE: &str = "the JSON array is cut off inside this record";
        const TRAILING: &str = "there is text after the end of the JSON array";
        self.skip_space();
        if after_record && self.byte() == Some(b',') {
            self.at += 1;
            self.skip_space();
        } else if after_record && self.byte().is_some_and(|byte| byte != b']') {
            self.layout = Layout::BrokenArray;
            return self.next_piece(NO_COMMA);
        }
        let start = self.at;
        let Some(first) = self.byte() else {
            self.layout = Layout::End;
            return self.frame(start, start, Some(CUT_OFF));
        };
        if first == b']' {
            self.at += 1;
            self.skip_space();
            self.layout = Layout::End;
            self.byte()?;
            return self.frame(self.at, self.body.len(), Some(TRAILING));
        }
        match value_end(self.body, start) {
            Some(end) if end > start => {
                self.at = end;
                self.layout = Layout::Array { after_record: true };
                self.frame(start, end, None)
            }
            end => {
                self.layout = Layout::BrokenArray;
                self.next_piece(if end.is_some() { NO_RECORD } else { CUT_INSIDE })
            }
        }
    }

    /// In a broken array: the next thing that looks like a record, for the count and the dead letters.
    fn next_piece(&mut self, broken: &'static str) -> Option<Frame<'a>> {
        while self.byte().is_some_and(|byte| is_space(byte) || matches!(byte, b',' | b']' | b'}')) {
            self.at += 1;
        }
        let start = self.at;
        self.byte()?;
        let end = value_end(self.body, start).filter(|end| *end > start).unwrap_or(self.body.len());
        self.at = end;
        self.frame(start, end, Some(broken))
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        match self.layout {
            Layout::Lines => self.next_line(),
            Layout::Objects => self.next_object(),
            Layout::Array { after_record } => self.next_element(after_record),
            Layout::BrokenArray => {
                self.next_piece("not read, because the JSON array is broken before this record")
            }
            Layout::End => None,
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_space(*byte))
}

/// Where a line starts with `{`, from an offset on.
fn line_with_object(body: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'\n', body.get(at..)?)? + 1;
        if body.get(at) == Some(&b'{') {
            return Some(at);
        }
    }
}

/// The end of the JSON value at an offset, by its quotes and brackets alone; `None` where it has none.
pub(super) fn value_end(body: &[u8], start: usize) -> Option<usize> {
    match body.get(start)? {
        b'{' | b'[' => brackets_end(body, start),
        b'"' => string_end(body, start),
        _ => {
            let rest = body.get(start..)?;
            let ends = |byte: &u8| is_space(*byte) || matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"');
            Some(start + rest.iter().position(ends).unwrap_or(rest.len()))
        }
    }
}

fn brackets_end(body: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0u32;
    let mut at = start;
    loop {
        match body.get(at)? {
            b'"' => {
                at = string_end(body, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The end of the string whose opening quote is at an offset.
#[inline]
fn string_end(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += plain_length(body.get(at..)?);
        at += match body.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => 2,
            // A control character: what is wrong with it is said when the record is read.
            _ => 1,
        };
    }
}
