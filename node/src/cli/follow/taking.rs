//! Whole records at the end of a file that grows, as lines of a batch. What is not whole yet is left for later.

use std::io;
use std::time::{Duration, Instant};

use super::tracked::Tracked;
use crate::cli::files::form::Form;
use crate::cli::files::records::{Is, Records};
use crate::cli::files::shaping::Shaper;

/// After so long without growth a record is whole whose next one has not begun; and so is, in a file that was rotated away, a
/// line without an end.
const QUIET: Duration = Duration::from_secs(2);
/// Of one file at once; a line that is longer is cut.
const READ_BYTES: usize = 1 << 20;

/// A batch while it is filled.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) body: Vec<u8>,
    /// Which file, and which of its lines, each line of the body comes from.
    pub(super) origins: Vec<(usize, u64)>,
    /// What was not taken, and why.
    pub(super) refused: Vec<(usize, u64, String)>,
}

/// Takes what is whole, and moves the file on.
pub(super) fn take(
    number: usize,
    file: &mut Tracked,
    (form, shaper): (Form, &Shaper),
    now: Instant,
    batch: &mut Batch,
) -> io::Result<()> {
    let bytes = file.read(READ_BYTES)?;
    let is_quiet = file.grown.is_none_or(|grown| now.duration_since(grown) >= QUIET);
    let is_all = bytes.len() < READ_BYTES;
    let end = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
    let whole = match bytes.get(..end) {
        // The end of a file that is complete, or a line that is too long to wait for.
        _ if is_all && is_quiet && file.is_rotated || !is_all && end == 0 => bytes.as_slice(),
        Some(whole) => whole,
        None => return Ok(()),
    };
    // With a pattern of first lines the last record goes on until another begins.
    let is_open_ended = shaper.start_pattern().is_some() && !(is_all && is_quiet);
    let start = file.place;
    let mut records = Records::at(form, whole, start);
    let mut taken = start;
    loop {
        let (before, line_count) = (batch.body.len(), batch.origins.len());
        let Some(found) = records.next(shaper, &mut batch.body)? else { break };
        let is_last = found.end.offset - start.offset >= whole.len() as u64;
        // A record that fills everything that is read at once is cut.
        if is_last && is_open_ended && (taken != start || is_all) {
            batch.body.truncate(before);
            batch.origins.truncate(line_count);
            break;
        }
        taken = found.end;
        match found.is {
            Is::Record | Is::Unfitting => batch.origins.push((number, found.line)),
            Is::Refused(reason) => batch.refused.push((number, found.line, reason)),
        }
    }
    let length = usize::try_from(taken.offset - start.offset).unwrap_or(0);
    if let Some(passed) = whole.get(..length).filter(|passed| !passed.is_empty()) {
        file.advance(passed, taken);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::files::shaping_args::ShapingArgs;
    use clap::Parser;
    use insighthub_model::Timestamp;
    use std::fs::File;
    use std::io::Write;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: ShapingArgs,
    }

    fn shaper(words: &[&str]) -> Shaper {
        let rules = Words::parse_from([&["tail"], words].concat()).args.rules(None).unwrap();
        Shaper::new(rules, Timestamp(0))
    }

    /// What is taken after each piece was written, and at last after a while without growth.
    fn check(words: &[&str], pieces: &[&str], expected: &[&[&str]]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut writer = File::create(&path).unwrap();
        let mut file = Tracked::new(path.clone(), File::open(&path).unwrap()).unwrap();
        let (shaper, begun) = (shaper(words), Instant::now());
        let mut taken = Vec::new();
        let mut step = |file: &mut Tracked, now| {
            file.look(now).unwrap();
            let mut batch = Batch::default();
            take(0, file, (Form::Mixed, &shaper), now, &mut batch).unwrap();
            let text = String::from_utf8(batch.body).unwrap();
            assert_eq!(text.lines().count(), batch.origins.len());
            taken.push(text.lines().map(str::to_owned).collect::<Vec<_>>());
        };
        for piece in pieces {
            writer.write_all(piece.as_bytes()).unwrap();
            step(&mut file, begun);
        }
        file.is_rotated = true;
        step(&mut file, begun + QUIET);
        assert!(file.is_at_end());
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_line_is_taken_once_it_has_its_end() {
        check(
            &[],
            &["{\"a\":1}\n{\"a\"", ":2}\n", "text", " goes on"],
            &[&["{\"a\":1}"], &["{\"a\":2}"], &[], &[], &[r#"{"message":"text goes on"}"#]],
        );
    }

    #[test]
    fn a_record_is_taken_once_the_next_begins() {
        check(
            &["--start-pattern", "^[0-9]"],
            &["1 one\n", " at a\n2 two\n", "3 three\n at b\n"],
            &[
                &[],
                &[r#"{"message":"1 one\n at a"}"#],
                &[r#"{"message":"2 two"}"#],
                &[r#"{"message":"3 three\n at b"}"#],
            ],
        );
    }
}
