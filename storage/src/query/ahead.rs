//! Says ahead of time what will be read of the sources, so that a disk has it ready when a thread turns to it: reading one
//! column after the other leaves a disk idle while a column is decoded, and a core idle while one is read.
//!
//! What is read is mostly learned: the columns that most sources so far were asked for are those of the next. Of the first
//! ones the columns of the conditions are announced. Words are different: the filter of every source is asked before
//! any column.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::filter::Filter;
use super::watched::Watched;
use crate::column_source::{ColumnName, ColumnSource};

/// Sources that are announced before their turn: a few megabytes at most, more than a disk reads while one source is
/// worked on.
const SOURCES_AHEAD: usize = 8;

/// Columns that stored sources were asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// By name, and how many sources were asked for it.
    columns: Mutex<Vec<(Column, usize)>>,
    sources: AtomicUsize,
    rows: AtomicU64,
    /// Rows of the templates whose variables were asked for.
    rows_of_variables: AtomicU64,
}

#[derive(Debug, Clone, PartialEq)]
enum Column {
    Fixed(ColumnName<'static>),
    Field(String),
}

impl Column {
    fn of(name: ColumnName<'_>) -> Column {
        match name.fixed() {
            Some(fixed) => Column::Fixed(fixed),
            None => Column::Field(name.name().to_owned()),
        }
    }

    fn name(&self) -> ColumnName<'_> {
        match self {
            Column::Fixed(name) => *name,
            Column::Field(name) => ColumnName::Field(name),
        }
    }
}

impl Asked {
    /// A stored source of so many rows is worked on.
    pub(super) fn turn_to_source(&self, rows: usize) {
        self.sources.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// A stored source was asked for the variables of a template of so many rows.
    pub(super) fn note_variables(&self, rows: u32) {
        self.rows_of_variables.fetch_add(u64::from(rows), Ordering::Relaxed);
    }

    /// A stored source was asked for a column.
    pub(super) fn note(&self, column: ColumnName<'_>) {
        // Records are announced where it is known of which rows.
        if column == ColumnName::Records {
            return;
        }
        let mut columns = self.columns.lock();
        match columns.iter_mut().find(|(known, _)| known.name() == column) {
            Some((_, sources)) => *sources += 1,
            None => columns.push((Column::of(column), 1)),
        }
    }

    /// Those that at least every second source was asked for. Variables of messages are a third of a block and are read
    /// template by template: only where most of them are wanted they are worth announcing.
    fn usual(&self) -> Vec<Column> {
        let sources = self.sources.load(Ordering::Relaxed);
        let of_variables = self.rows_of_variables.load(Ordering::Relaxed);
        let wants_variables = of_variables * 2 >= self.rows.load(Ordering::Relaxed);
        let columns = self.columns.lock();
        let usual = columns.iter().filter(|(column, asked)| {
            asked * 2 >= sources
                && (wants_variables || *column != Column::Fixed(ColumnName::MessageVariables))
        });
        usual.map(|(column, _)| column.clone()).collect()
    }
}

/// Sources in the order of their turn, and how far they are announced.
#[derive(Debug)]
pub(super) struct Ahead<'a> {
    sources: &'a [&'a Watched<'a>],
    filter: &'a Filter,
    /// The next whose filter of words is to be announced.
    words: AtomicUsize,
    /// The next whose columns are.
    columns: AtomicUsize,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(sources: &'a [&'a Watched<'a>], filter: &'a Filter) -> Ahead<'a> {
        Ahead { sources, filter, words: AtomicUsize::new(0), columns: AtomicUsize::new(0) }
    }

    /// Announces the filters of words of all sources that will be asked for them; threads share the work.
    pub(super) fn announce_words(&self) {
        while let Some(source) = self.sources.get(self.words.fetch_add(1, Ordering::Relaxed)) {
            if self.filter.asks_for_words(*source) {
                source.announce_words();
            }
        }
    }

    /// A thread turns to a source: it and those behind it are announced.
    pub(super) fn turn_to(&self, at: usize, asked: &Asked) {
        let end = at + 1 + SOURCES_AHEAD;
        let usual = asked.usual();
        let from = self.columns.fetch_max(end, Ordering::Relaxed).max(at);
        for source in self.sources.get(from..end.min(self.sources.len())).unwrap_or(&[]) {
            if !source.is_stored() || source.ruled_out(self.filter).is_some() {
                continue;
            }
            match usual.as_slice() {
                // Before anything is learned the filter says what it will ask for.
                [] => self.filter.announce(*source),
                usual => usual.iter().for_each(|column| source.announce(column.name())),
            }
        }
    }
}
