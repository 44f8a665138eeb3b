//! Which group each row of a source belongs to.

use foldhash::{HashMap, HashMapExt};
use insighthub_model::query::TimeSpan;
use insighthub_model::query::system_field::NAMES as SYSTEM_FIELDS;
use insighthub_model::table::Value;
use insighthub_model::{Level, Timestamp};

use super::cells::{self, Cell};
use super::plan::Key;
use crate::column_source::{self, ColumnError, ColumnSource, FieldView, Messages, Values};
use crate::query::bitmap::Bitmap;

/// Up to this many combinations are numbered by their place in a table instead of by a map.
const DENSE_MAX: usize = 1 << 18;
const NONE: u32 = u32::MAX;

/// Group numbers of the rows of one source, and what each number stands for.
#[derive(Debug)]
pub(in crate::query) struct GroupIds {
    /// By row; `None`: every row is in group 0.
    of_row: Option<Vec<u32>>,
    /// The keys' values, by group.
    pub(in crate::query) keys: Vec<Vec<Value>>,
}

impl GroupIds {
    /// Numbers the wanted rows.
    pub(in crate::query) fn new(
        source: &dyn ColumnSource,
        keys: &[Key],
        rows: &Bitmap,
    ) -> Result<GroupIds, ColumnError> {
        let mut parts = keys.iter().map(|key| codes(source, key, rows));
        let Some(first) = parts.next() else {
            return Ok(GroupIds { of_row: None, keys: vec![Vec::new()] });
        };
        let first = first?;
        let mut ids = first.of_row;
        let mut values: Vec<Vec<Value>> = first.values.into_iter().map(|value| vec![value]).collect();
        for part in parts {
            (ids, values) = combine(&ids, &values, part?, rows);
        }
        Ok(GroupIds { of_row: Some(ids), keys: values })
    }

    /// The group of a wanted row.
    #[inline]
    pub(super) fn of(&self, row: usize) -> usize {
        self.of_row.as_ref().map_or(0, |ids| ids.get(row).map_or(usize::MAX, |id| *id as usize))
    }

    pub(in crate::query) fn each_row(&self, rows: &Bitmap, mut visit: impl FnMut(usize, usize)) {
        match &self.of_row {
            None => rows.iter().for_each(|row| visit(0, row)),
            Some(ids) => rows.iter().for_each(|row| {
                if let Some(id) = ids.get(row) {
                    visit(*id as usize, row);
                }
            }),
        }
    }

    /// Wanted rows that follow one another and belong to one group.
    pub(super) fn each_run(&self, rows: &Bitmap, mut visit: impl FnMut(usize, Run)) {
        let Some(ids) = &self.of_row else { return visit(0, Run { count: rows.count() }) };
        let (mut group, mut count) = (NONE, 0);
        for row in rows.iter() {
            let id = ids.get(row).copied().unwrap_or(NONE);
            if id != group {
                if count > 0 {
                    visit(group as usize, Run { count });
                }
                (group, count) = (id, 0);
            }
            count += 1;
        }
        if count > 0 {
            visit(group as usize, Run { count });
        }
    }
}

/// See [`GroupIds::each_run`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    count: usize,
}

impl Run {
    pub(super) fn count(self) -> usize {
        self.count
    }
}

/// A number for each wanted row, and what the numbers stand for.
struct Codes {
    of_row: Vec<u32>,
    values: Vec<Value>,
}

fn codes(source: &dyn ColumnSource, key: &Key, rows: &Bitmap) -> Result<Codes, ColumnError> {
    match key {
        Key::Time(length) => {
            let start_of = |time: i64| length.start_of(Timestamp(time)).map_or(time, |start| start.0);
            stretches(source, *length, start_of, rows)
        }
        Key::TimeFrom(origin, length) => {
            let start_of = |time: i64| stretch_start(*origin, *length, time);
            stretches(source, *length, start_of, rows)
        }
        Key::Field(name) if name == "service" => services(source),
        Key::Field(name) if name == "level" => {
            let of_row = source.level()?.iter().map(|level| u32::from(*level)).collect();
            let values = Level::ALL.iter().map(|level| Value::Text(level.to_string())).collect();
            Ok(Codes { of_row, values })
        }
        Key::Field(name) => values_of(source, name, rows),
        Key::Template => templates(source, rows),
    }
}

fn services(source: &dyn ColumnSource) -> Result<Codes, ColumnError> {
    let of_row = match source.service_runs() {
        None => source.service()?.iter().map(|service| u32::from(*service)).collect(),
        Some(runs) => {
            let mut of_row = Vec::with_capacity(source.rows());
            for (run, code) in runs.iter().zip(0u32..) {
                of_row.resize(run.end_row as usize, code);
            }
            of_row
        }
    };
    let values = source.services().iter().map(|service| Value::Text(service.clone())).collect();
    Ok(Codes { of_row, values })
}

/// Rows of a block follow each other in time within a service, so that a division is rarely needed.
fn stretches(
    source: &dyn ColumnSource,
    length: TimeSpan,
    start_of: impl Fn(i64) -> i64,
    rows: &Bitmap,
) -> Result<Codes, ColumnError> {
    let times = source.timestamp()?;
    let mut of_row = vec![NONE; source.rows()];
    let mut known: HashMap<i64, u32> = HashMap::new();
    let mut values = Vec::new();
    let (mut start, mut end, mut code) = (0, 0, NONE);
    for row in rows.iter() {
        let (Some(time), Some(slot)) = (times.get(row), of_row.get_mut(row)) else { continue };
        if code == NONE || *time < start || *time >= end {
            start = start_of(*time);
            end = start.saturating_add(length.nanos());
            code = *known.entry(start).or_insert_with(|| {
                values.push(Value::Time(Timestamp(start)));
                values.len() as u32 - 1
            });
        }
        *slot = code;
    }
    Ok(Codes { of_row, values })
}

/// Start of the stretch that holds the moment, where one of them begins at `origin`.
fn stretch_start(origin: Timestamp, length: TimeSpan, time: i64) -> i64 {
    let since = i128::from(time) - i128::from(origin.0);
    let start = since.div_euclid(i128::from(length.nanos().max(1))) * i128::from(length.nanos().max(1));
    // The first stretch of all may begin before the first nanosecond there is.
    i64::try_from(start + i128::from(origin.0)).unwrap_or(i64::MIN)
}

fn values_of(source: &dyn ColumnSource, name: &str, rows: &Bitmap) -> Result<Codes, ColumnError> {
    let mut of_row = vec![NONE; source.rows()];
    let mut numbering = Numbering::default();
    if !SYSTEM_FIELDS.contains(&name)
        && let [view] = cells::own_columns(source, name)?.as_slice()
        && let Values::Text(texts) = &view.values
        && let Some(codes) = texts.codes()
    {
        number_coded(view, codes, rows, &mut numbering, &mut of_row);
        return Ok(numbering.with_null(of_row, rows));
    }
    cells::visit(source, name, rows, &mut |row, cell| {
        if let Some(slot) = of_row.get_mut(row) {
            *slot = numbering.code(cell);
        }
    })?;
    Ok(numbering.with_null(of_row, rows))
}

/// Each different text is looked at once.
fn number_coded(
    view: &FieldView<'_>,
    codes: column_source::Codes<'_>,
    rows: &Bitmap,
    numbering: &mut Numbering,
    of_row: &mut [u32],
) {
    let mut known = vec![NONE; codes.values.len()];
    for (row, code) in view.rows.iter().zip(codes.codes) {
        let (Some(slot), Some(known)) = (of_row.get_mut(row), known.get_mut(*code as usize)) else {
            continue;
        };
        if !rows.contains(row) {
            continue;
        }
        if *known == NONE {
            *known = numbering.code(Cell::Text(codes.values.get(*code as usize)));
        }
        *slot = *known;
    }
}

/// Rows whose template a block knows are not read.
fn templates(source: &dyn ColumnSource, rows: &Bitmap) -> Result<Codes, ColumnError> {
    let mut of_row = vec![NONE; source.rows()];
    let mut numbering = Numbering::default();
    let messages = source.message()?;
    let mut unknown = rows.clone();
    if let Messages::Templated(templated) = &messages {
        let (patterns, free) = (templated.patterns(), templated.templates.free());
        let mut known = vec![NONE; patterns.values.len()];
        unknown.retain(|row| {
            let Some(code) = patterns.codes.get(row).filter(|code| Some(**code) != free) else { return true };
            let (Some(slot), Some(known)) = (of_row.get_mut(row), known.get_mut(*code as usize)) else {
                return true;
            };
            if *known == NONE {
                *known = numbering.code(Cell::Text(patterns.values.get(*code as usize)));
            }
            *slot = *known;
            false
        });
    }
    let mut template = String::new();
    messages.for_each(unknown.iter(), |row, message| {
        if let Some(slot) = of_row.get_mut(row) {
            super::template::write_template(message, &mut template);
            *slot = numbering.code(Cell::Text(&template));
        }
    })?;
    Ok(Codes { of_row, values: numbering.values })
}

/// Gives each different value a number.
#[derive(Default)]
struct Numbering {
    ints: HashMap<i64, u32>,
    texts: HashMap<String, u32>,
    others: HashMap<Value, u32>,
    values: Vec<Value>,
}

impl Numbering {
    fn code(&mut self, cell: Cell<'_>) -> u32 {
        let next = self.values.len() as u32;
        let code = match cell {
            Cell::Int(value) => *self.ints.entry(value).or_insert(next),
            Cell::Text(text) => match self.texts.get(text) {
                Some(code) => *code,
                None => {
                    self.texts.insert(text.to_owned(), next);
                    next
                }
            },
            other => *self.others.entry(other.to_value()).or_insert(next),
        };
        if code == next {
            self.values.push(cell.to_value());
        }
        code
    }

    /// Rows without a value are a group of their own.
    fn with_null(mut self, mut of_row: Vec<u32>, rows: &Bitmap) -> Codes {
        let null = self.values.len() as u32;
        let mut has_null = false;
        for row in rows.iter() {
            if let Some(slot) = of_row.get_mut(row).filter(|slot| **slot == NONE) {
                *slot = null;
                has_null = true;
            }
        }
        if has_null {
            self.values.push(Value::Null);
        }
        Codes { of_row, values: self.values }
    }
}

/// Numbers the combinations that occur.
fn combine(ids: &[u32], keys: &[Vec<Value>], part: Codes, rows: &Bitmap) -> (Vec<u32>, Vec<Vec<Value>>) {
    let width = part.values.len().max(1);
    let mut of_row = vec![NONE; ids.len()];
    let mut combined: Vec<Vec<Value>> = Vec::new();
    let mut open = |left: u32, right: u32| {
        let mut key = keys.get(left as usize).cloned().unwrap_or_default();
        key.push(part.values.get(right as usize).cloned().unwrap_or(Value::Null));
        combined.push(key);
        combined.len() as u32 - 1
    };
    let mut dense = if keys.len() * width <= DENSE_MAX { vec![NONE; keys.len() * width] } else { Vec::new() };
    let mut sparse: HashMap<(u32, u32), u32> = HashMap::new();
    // Rows of one group mostly follow one another.
    let mut last = (NONE, NONE, NONE);
    for row in rows.iter() {
        let (Some(left), Some(right), Some(slot)) = (ids.get(row), part.of_row.get(row), of_row.get_mut(row))
        else {
            continue;
        };
        if (*left, *right) != (last.0, last.1) {
            let id = match dense.get_mut(*left as usize * width + *right as usize) {
                Some(known) if *known != NONE => *known,
                Some(unknown) => {
                    *unknown = open(*left, *right);
                    *unknown
                }
                None => *sparse.entry((*left, *right)).or_insert_with(|| open(*left, *right)),
            };
            last = (*left, *right, id);
        }
        *slot = last.2;
    }
    (of_row, combined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_stretch_holds_its_moment_and_one_begins_at_the_origin(
            origin in any::<i64>(), length in 1i64..i64::MAX, time in any::<i64>(),
        ) {
            let span = TimeSpan::from_nanos(length);
            let start = i128::from(stretch_start(Timestamp(origin), span, time));
            let is_cut = start == i128::from(i64::MIN);
            prop_assert!(start <= i128::from(time) && (is_cut || i128::from(time) < start + i128::from(length)));
            prop_assert!(is_cut || (start - i128::from(origin)) % i128::from(length) == 0);
            prop_assert_eq!(stretch_start(Timestamp(origin), span, origin), origin);
        }
    }
}
