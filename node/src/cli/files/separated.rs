//! Rows of cells (CSV and its relatives), under the names in their first row.

use std::io::{self, BufRead};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::lines::{LINE_BYTES_MAX, Place};
use super::records::{Found, Is, too_long};
use super::shaping::Shaper;

const BYTE_ORDER_MARK: char = '\u{feff}';
/// The one that the first line has most of; with none, the first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// See the module's documentation.
pub(crate) struct Separated<R> {
    rows: Reader<R>,
    names: Vec<String>,
    row: ByteRecord,
    place: Place,
    /// Where rows are at that are given out again from here on; those before are passed over.
    from: Place,
}

impl<R: BufRead> Separated<R> {
    pub(super) fn open(mut stream: R, delimiter: Option<u8>, from: Place) -> io::Result<Separated<R>> {
        let delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => guess(stream.fill_buf()?),
        };
        let mut rows =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(stream);
        let mut row = ByteRecord::new();
        rows.read_byte_record(&mut row).map_err(io::Error::from)?;
        let name =
            |cell: &[u8]| String::from_utf8_lossy(cell).trim_matches([BYTE_ORDER_MARK, ' ']).to_owned();
        let names = row.iter().map(name).collect();
        let place = Place { offset: rows.position().byte(), line: rows.position().line().saturating_sub(1) };
        Ok(Separated { rows, names, row, place, from })
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn next(&mut self, shaper: &Shaper, body: &mut Vec<u8>) -> io::Result<Option<Found>> {
        loop {
            if !self.rows.read_byte_record(&mut self.row).map_err(io::Error::from)? {
                return Ok(None);
            }
            let line = self.row.position().map_or(0, csv::Position::line);
            let position = self.rows.position();
            self.place = Place { offset: position.byte(), line: position.line().saturating_sub(1) };
            if self.place.offset <= self.from.offset {
                continue;
            }
            let is = if self.row.as_slice().len() > LINE_BYTES_MAX {
                Is::Refused(too_long())
            } else {
                self.append(shaper, body);
                Is::Record
            };
            return Ok(Some(Found { line, end: self.place, is }));
        }
    }

    fn append(&self, shaper: &Shaper, body: &mut Vec<u8>) {
        let values: Vec<_> = self.row.iter().map(String::from_utf8_lossy).collect();
        // More cells than names: none of them is lost.
        let others: Vec<String> =
            (self.names.len()..values.len()).map(|column| format!("column_{}", column + 1)).collect();
        let names = self.names.iter().chain(&others).map(String::as_str);
        shaper.cells(names.zip(values.iter().map(AsRef::as_ref)), body);
    }
}

fn guess(beginning: &[u8]) -> u8 {
    let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // The last of equals is found by `max_by_key`: the first is to win.
    DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}
