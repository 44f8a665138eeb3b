//! The values of a few rows of a block's fields, as samples of many blocks ask for them. They are picked from the packed
//! columns, because whole ones would empty the cache of what is in it. What was picked is kept: the next question asks
//! mostly for the same rows, or, of a smaller sample, for some of them.

use std::sync::Arc;

use insighthub_model::batch::{FieldKind, TextColumn};

use super::BlockReader;
use super::encoding::{Cursor, Decoded, decode_rows, pick_floats, pick_integers, pick_texts};
use crate::column_source::{Column, ColumnError, ColumnSource, FieldView, PickedField, Rows, Texts, Values};

/// Above this share of a block's rows (one in so many) whole columns are cheaper.
const FEW_ROWS_SHARE: usize = 16;
/// Of each column so many are kept: a comparison has two sides.
const PICKS_KEPT: usize = 2;

/// The values a column has in these rows, which ascend.
#[derive(Debug)]
pub(super) struct Pick {
    rows: Arc<[u32]>,
    /// Row by row of `rows`, by their number among them.
    values: FieldView<'static>,
}

/// See [`ColumnSource::picked_fields`].
pub(super) fn picked_fields<'a>(
    block: &'a BlockReader,
    wanted: &dyn Fn(&str) -> bool,
    rows: &[usize],
) -> Result<Option<Vec<PickedField<'a>>>, ColumnError> {
    if rows.len() * FEW_ROWS_SHARE > block.rows() {
        return Ok(None);
    }
    let rows: Arc<[u32]> = rows.iter().map(|row| *row as u32).collect();
    let fields = block.footer.all_fields().filter(|(_, name, _)| wanted(name));
    fields
        .map(|(at, name, kind)| Ok((name, picked(block, (at, kind), &rows)?)))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn picked(
    block: &BlockReader,
    (at, kind): (usize, FieldKind),
    rows: &Arc<[u32]>,
) -> Result<FieldView<'static>, ColumnError> {
    let kept = block.kept_picks(at);
    if let Some(values) = kept.iter().find_map(|pick| pick.in_rows(rows)) {
        return Ok(values);
    }
    if block.holds(at) {
        return Ok(in_rows_of(&block.field_column(at, kind)?, rows));
    }
    let total = block.rows();
    let values = block.decoded(at, |cursor, chunk| {
        let count = chunk.values as usize;
        let (rows, places) = places(&decode_rows(cursor, count, total)?, rows);
        Ok(FieldView { rows, values: pick_values(cursor, count, &places, kind)? })
    })?;
    let pick = Arc::new(Pick { rows: Arc::clone(rows), values: values.clone() });
    block.keep_picks(at, std::iter::once(pick).chain(kept.iter().cloned()).take(PICKS_KEPT).collect());
    Ok(values)
}

impl Pick {
    /// The values in these rows, if they are all among its own.
    fn in_rows(&self, rows: &[u32]) -> Option<FieldView<'static>> {
        if *self.rows == *rows {
            return Some(self.values.clone());
        }
        let mut own = (0u32..).zip(self.rows.iter());
        let mut number =
            |row: &u32| own.by_ref().find(|(_, known)| *known >= row).filter(|(_, known)| *known == row);
        let numbers: Option<Vec<u32>> =
            rows.iter().map(|row| number(row).map(|(number, _)| number)).collect();
        Some(in_rows_of(&self.values, &numbers?))
    }

    pub(super) fn bytes_held(&self) -> usize {
        size_of::<Pick>() + size_of_val(&*self.rows) + self.values.bytes_held()
    }
}

/// Which of these rows have a value, by their number among them, and where it is.
fn places(has: &Rows<'_>, rows: &[u32]) -> (Rows<'static>, Vec<usize>) {
    let place = |(number, row): (u32, &u32)| Some((number, has.position(*row as usize)?));
    let (numbers, places): (Vec<u32>, Vec<usize>) = (0u32..).zip(rows).filter_map(place).unzip();
    match numbers.len() == rows.len() {
        true => (Rows::All(rows.len()), places),
        false => (Rows::Listed(Column::Shared(numbers.into())), places),
    }
}

fn in_rows_of(view: &FieldView<'_>, rows: &[u32]) -> FieldView<'static> {
    let (rows, places) = places(&view.rows, rows);
    let values = match &view.values {
        Values::Bool(values) => Values::Bool(shared(values, &places)),
        Values::Int(values) => Values::Int(shared(values, &places)),
        Values::Float(values) => Values::Float(shared(values, &places)),
        Values::Text(texts) => Values::Text(texts_at(texts, &places)),
        Values::Json(texts) => Values::Json(texts_at(texts, &places)),
    };
    FieldView { rows, values }
}

fn shared<T: Copy>(values: &[T], places: &[usize]) -> Column<'static, [T]> {
    Column::Shared(places.iter().filter_map(|place| values.get(*place)).copied().collect())
}

fn texts_at(texts: &Texts<'_>, places: &[usize]) -> Texts<'static> {
    let mut column = TextColumn::default();
    for place in places {
        texts.push(*place, column.arena());
        column.close();
    }
    Texts::Plain(Column::Shared(column.into()))
}

fn pick_values(
    cursor: &mut Cursor<'_>,
    count: usize,
    places: &[usize],
    kind: FieldKind,
) -> Decoded<Values<'static>> {
    let texts = |texts: TextColumn| Texts::Plain(Column::Shared(texts.into()));
    Ok(match kind {
        FieldKind::Bool => {
            let values = pick_integers(cursor, count, places)?;
            Values::Bool(Column::Shared(values.into_iter().map(|value| value != 0).collect()))
        }
        FieldKind::Int => Values::Int(Column::Shared(pick_integers(cursor, count, places)?.into())),
        FieldKind::Float => Values::Float(Column::Shared(pick_floats(cursor, count, places)?.into())),
        FieldKind::Text => Values::Text(texts(pick_texts(cursor, count, places)?)),
        FieldKind::Json => Values::Json(texts(pick_texts(cursor, count, places)?)),
    })
}
