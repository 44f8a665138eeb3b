//! Which files are followed: those that patterns name, under whatever name they go on, and what is left of those that were
//! rotated away.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::tracked::{Change, Tracked};
use crate::cli::error::CliError;
use crate::cli::files::state_file::failure;
use crate::cli::terminal::note;

/// A writer that has not heard of the rotation yet goes on writing to the old file.
const GRACE: Duration = Duration::from_secs(10);
/// Files in all: a pattern that means more is a mistake.
const FILES_MAX: usize = 10_000;
const COMPRESSED: [&[u8]; 2] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Watched {
    patterns: Vec<String>,
    pub(super) files: Vec<Tracked>,
}

impl Watched {
    pub(super) fn new(patterns: Vec<String>, files: Vec<Tracked>) -> Watched {
        Watched { patterns, files }
    }

    /// Opens what is known from before, wherever it has gone.
    pub(super) fn find_again(&mut self) {
        for file in &mut self.files {
            let candidates = [file.path.clone()].into_iter().chain(siblings(&file.path));
            // By identity first: a copy holds the same.
            let mut opened =
                candidates.filter_map(|path| Some((File::open(&path).ok()?, path))).collect::<Vec<_>>();
            let is_same = |(open, _): &(File, PathBuf)| open.metadata().is_ok_and(|found| file.is_of(&found));
            let place = opened
                .iter()
                .position(is_same)
                .or_else(|| opened.iter().position(|(open, _)| file.is_like(open).unwrap_or(false)));
            let Some((open, path)) = place.map(|place| opened.swap_remove(place)) else {
                note(&format!("{}: it is gone, with what was not read of it", file.path.display()));
                continue;
            };
            let is_renamed = path != file.path;
            if let Err(error) = file.go_on_in(&path, open) {
                note(&format!("{}: {error}", path.display()));
            }
            file.is_rotated |= is_renamed;
        }
        self.files.retain(Tracked::is_open);
    }

    /// Looks for files that have come, and for those that have another name by now.
    pub(super) fn look_for_files(&mut self, now: Instant, from_end: Beginning) -> Result<(), CliError> {
        let named = self.named()?;
        for path in &named {
            if let Err(error) = self.look_at(path, from_end)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(failure(path, &error));
            }
        }
        for file in &mut self.files {
            let has_name = std::fs::metadata(&file.path).is_ok_and(|found| file.is_of(&found));
            file.is_rotated = !(has_name && named.contains(&file.path));
        }
        let is_over = |file: &Tracked| {
            let is_quiet = file.grown.is_none_or(|grown| now.duration_since(grown) >= GRACE);
            file.is_rotated && file.is_at_end() && is_quiet
        };
        self.files.retain(|file| !is_over(file));
        Ok(())
    }

    fn named(&self) -> Result<Vec<PathBuf>, CliError> {
        let mut named = Vec::new();
        for pattern in &self.patterns {
            // A name that exists is meant as it is, whatever is in it.
            if Path::new(pattern).is_file() {
                named.push(PathBuf::from(pattern));
                continue;
            }
            let found = glob::glob(pattern).map_err(|error| {
                CliError::Argument(format!("{pattern:?} is no pattern of files: {error}"))
            })?;
            named.extend(found.flatten().filter(|path| path.is_file()));
        }
        named.sort();
        named.dedup();
        if named.len() > FILES_MAX {
            return Err(CliError::Argument(format!("the patterns mean more than {FILES_MAX} files")));
        }
        Ok(named)
    }

    fn look_at(&mut self, path: &Path, beginning: Beginning) -> io::Result<()> {
        let metadata = std::fs::metadata(path)?;
        if let Some(known) = self.files.iter_mut().find(|file| file.is_of(&metadata)) {
            known.path = path.to_owned();
            return Ok(());
        }
        let file = File::open(path)?;
        if is_compressed(&file)? {
            return Ok(());
        }
        let of = self.files.iter().find(|other| !other.is_copy && other.is_like(&file).unwrap_or(false));
        let mut tracked = Tracked::new(path.to_owned(), file)?;
        if let Some(of) = of {
            let (copy, original) = (path.display(), of.path.display());
            note(&format!("{copy} is a copy of {original}: it is read where that one is cut off"));
            // Read when the other is cut off, from where that one was: not twice.
            tracked.is_copy = true;
            tracked.place = of.place;
        } else if beginning == Beginning::AtEnd {
            tracked.go_to_end()?;
        }
        self.files.push(tracked);
        Ok(())
    }

    /// Looks at one file; where it was cut off, what is left of its copy is followed as well.
    pub(super) fn look_at_file(&mut self, number: usize, now: Instant) -> io::Result<()> {
        let Some(file) = self.files.get_mut(number) else { return Ok(()) };
        if file.is_copy || file.look(now)? != Change::CutOff {
            return Ok(());
        }
        let old = file.clone();
        file.begin_anew();
        file.look(now)?;
        let Some((path, copy)) = copy_of(&old) else {
            note(&format!("{}: it was cut off", old.path.display()));
            return Ok(());
        };
        let metadata = copy.metadata()?;
        let mut rest = old;
        rest.go_on_in(&path, copy)?;
        (rest.is_copy, rest.is_rotated) = (false, true);
        rest.look(now)?;
        match self.files.iter_mut().find(|file| file.is_copy && file.is_of(&metadata)) {
            Some(known) => *known = rest,
            None => self.files.push(rest),
        }
        Ok(())
    }
}

/// Where files begin that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    AtBeginning,
    AtEnd,
}

/// The file beside it that holds what was read of it last.
fn copy_of(file: &Tracked) -> Option<(PathBuf, File)> {
    let opened = siblings(&file.path).into_iter().filter_map(|path| Some((File::open(&path).ok()?, path)));
    let mut copies = opened.filter(|(open, _)| file.is_like(open).unwrap_or(false));
    copies.next().map(|(open, path)| (path, open))
}

/// Files beside it whose names begin with its own: `app.log.1`, `app.log-20260131`.
fn siblings(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
        return Vec::new();
    };
    // `app-2026.log` may be how `app.log` is rotated.
    let stem = name.split('.').next().unwrap_or(&name).to_owned();
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let other = entry.file_name().to_string_lossy().into_owned();
            other != name && other.starts_with(&stem) && entry.path().is_file()
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn is_compressed(file: &File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.take(4).read_to_end(&mut beginning)?;
    Ok(COMPRESSED.iter().any(|magic| beginning.starts_with(magic)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::files::form::Form;
    use crate::cli::files::shaping::Shaper;
    use crate::cli::files::shaping_args::Rules;
    use crate::cli::follow::taking::{Batch, take};
    use insighthub_model::Timestamp;
    use std::fs;
    use std::io::Write;

    struct Bench {
        folder: tempfile::TempDir,
        watched: Watched,
        now: Instant,
        taken: Vec<String>,
    }

    impl Bench {
        fn new(pattern: &str) -> Bench {
            let folder = tempfile::tempdir().unwrap();
            let patterns = vec![folder.path().join(pattern).display().to_string()];
            Bench {
                folder,
                watched: Watched::new(patterns, Vec::new()),
                now: Instant::now(),
                taken: Vec::new(),
            }
        }

        fn append(&self, name: &str, lines: std::ops::Range<u32>) {
            let path = self.folder.path().join(name);
            let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            for line in lines {
                writeln!(file, "line {line}").unwrap();
            }
        }

        fn place(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn round(&mut self) {
            self.watched.look_for_files(self.now, Beginning::AtBeginning).unwrap();
            let shaper = Shaper::new(Rules::default(), Timestamp(0));
            let mut batch = Batch::default();
            for number in 0..self.watched.files.len() {
                self.watched.look_at_file(number, self.now).unwrap();
            }
            for (number, file) in self.watched.files.iter_mut().enumerate().filter(|(_, file)| !file.is_copy)
            {
                take(number, file, (Form::Mixed, &shaper), self.now, &mut batch).unwrap();
            }
            let text = String::from_utf8(batch.body).unwrap();
            self.taken
                .extend(text.lines().map(|line| line.replace("{\"message\":\"line ", "").replace("\"}", "")));
        }

        /// As a process that is started again knows it.
        fn restart(&mut self) {
            let text = serde_json::to_string(&self.watched.files).unwrap();
            self.watched.files = serde_json::from_str(&text).unwrap();
            self.watched.find_again();
        }

        fn assert_each_once(&self, count: u32) {
            let mut numbers: Vec<u32> = self.taken.iter().map(|line| line.parse().unwrap()).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_file_that_is_renamed_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        for pattern in ["app.log", "app.log*"] {
            let mut bench = Bench::new(pattern);
            bench.append("app.log", 0..5);
            bench.round();
            bench.append("app.log", 5..8);
            fs::rename(bench.place("app.log"), bench.place("app.log.1")).unwrap();
            bench.append("app.log", 8..10);
            bench.append("app.log.1", 10..11);
            bench.round();
            bench.assert_each_once(11);
            bench.now += GRACE * 2;
            bench.round();
            bench.round();
            bench.assert_each_once(11);
            let followed = if pattern.ends_with('*') { 2 } else { 1 };
            assert_eq!(bench.watched.files.len(), followed, "{pattern}");
        }
    }

    #[test]
    fn a_file_that_is_copied_and_cut_off_loses_nothing() {
        for pattern in ["app.log", "app.log*"] {
            let mut bench = Bench::new(pattern);
            bench.append("app.log", 0..5);
            bench.round();
            bench.append("app.log", 5..8);
            fs::copy(bench.place("app.log"), bench.place("app.log.1")).unwrap();
            if pattern.ends_with('*') {
                bench.round();
            }
            fs::OpenOptions::new().write(true).open(bench.place("app.log")).unwrap().set_len(0).unwrap();
            // It may be longer than before when it is looked at next.
            bench.append("app.log", 8..20);
            bench.round();
            bench.round();
            bench.assert_each_once(20);
        }
    }

    #[test]
    fn what_happens_while_nobody_looks_is_found_out() {
        let mut bench = Bench::new("*.log");
        bench.append("a.log", 0..5);
        bench.append("b.log", 5..10);
        bench.round();
        bench.append("a.log", 10..12);
        fs::rename(bench.place("a.log"), bench.place("a.log.1")).unwrap();
        bench.append("a.log", 12..14);
        bench.append("b.log", 14..16);
        fs::copy(bench.place("b.log"), bench.place("b.log.1")).unwrap();
        fs::OpenOptions::new().write(true).open(bench.place("b.log")).unwrap().set_len(0).unwrap();
        bench.append("c.log", 16..18);
        bench.restart();
        bench.append("b.log", 18..19);
        bench.round();
        bench.round();
        bench.assert_each_once(19);
    }

    #[test]
    fn compressed_files_are_left_alone() {
        let mut bench = Bench::new("app*");
        fs::write(bench.place("app.log.2.gz"), b"\x1f\x8b\x08 and so on").unwrap();
        bench.append("app.log", 0..1);
        bench.round();
        bench.assert_each_once(1);
    }
}
