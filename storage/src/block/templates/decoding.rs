//! From chunks to templates and variables. Any bytes are taken: what does not fit together is damage.

use std::sync::Arc;

use insighthub_model::batch::TextColumn;

use super::super::encoding::{
    Cursor, DamagedChunk, Decoded, decode_codes_below, decode_integers, decode_texts, pick_texts,
};
use crate::column_source::{Column, Template, Templates, Texts};

/// What the chunk of the messages holds.
#[derive(Debug, Clone)]
pub(in crate::block) enum HeldMessages {
    Plain(Arc<TextColumn>),
    Templated(Arc<Templates>, Arc<[u32]>),
}

impl HeldMessages {
    pub(in crate::block) fn bytes_held(&self) -> usize {
        match self {
            HeldMessages::Plain(texts) => texts.bytes_held(),
            HeldMessages::Templated(templates, codes) => templates.bytes_held() + size_of_val(&**codes),
        }
    }
}

/// How messages are kept: the first byte of their chunk.
pub(in crate::block) const PLAIN: u8 = 0;
pub(in crate::block) const TEMPLATED: u8 = 1;

/// A template has at least a row.
const DAMAGED: DamagedChunk = DamagedChunk("the templates do not fit the rows");

/// The messages of a block of so many rows.
pub(in crate::block) fn decode_messages(cursor: &mut Cursor<'_>, rows: usize) -> Decoded<HeldMessages> {
    match cursor.u8()? {
        PLAIN => Ok(HeldMessages::Plain(match decode_texts(cursor, rows)? {
            Texts::Plain(Column::Shared(texts)) => texts,
            texts => texts.to_column().into(),
        })),
        TEMPLATED => decode_templates(cursor, rows),
        _ => Err(DamagedChunk("messages have another encoding")),
    }
}

fn decode_templates(cursor: &mut Cursor<'_>, rows: usize) -> Decoded<HeldMessages> {
    let count = cursor.length()?;
    if count > rows {
        return Err(DAMAGED);
    }
    let has_free = cursor.u8()? != 0;
    let slots = decode_integers(cursor, count)?;
    let slots: Vec<usize> = slots
        .into_iter()
        .map(|slots| {
            usize::try_from(slots).ok().filter(|slots| *slots <= usize::from(u8::MAX)).ok_or(DAMAGED)
        })
        .collect::<Decoded<_>>()?;
    let slots_total: usize = slots.iter().sum();
    let literals = decode_texts(cursor, slots_total + count)?.to_column();
    let characters = decode_integers(cursor, slots_total)?;
    let codes: Arc<[u32]> = decode_codes_below(cursor, rows, count)?.into();
    let mut rows_of = vec![0u32; count];
    for code in &*codes {
        if let Some(rows) = rows_of.get_mut(*code as usize) {
            *rows += 1;
        }
    }
    let (mut literals, mut characters) = (literals.iter().map(str::to_owned), characters.into_iter());
    let templates: Vec<Template> = slots
        .iter()
        .zip(rows_of)
        .map(|(slots, rows)| {
            let literals = literals.by_ref().take(*slots + 1).collect();
            let characters = characters.by_ref().take(*slots).map(|set| set as u64).collect();
            Template::new(literals, characters, rows)
        })
        .collect();
    let free = count.checked_sub(1).filter(|_| has_free).map(|last| last as u32);
    let is_free =
        |number: &u32| templates.get(*number as usize).is_some_and(|template| template.literals == ["", ""]);
    if has_free && !free.as_ref().is_some_and(is_free) {
        return Err(DAMAGED);
    }
    Ok(HeldMessages::Templated(Templates::new(templates, free).into(), codes))
}

/// Template by template and slot by slot the variables of a group.
pub(in crate::block) fn decode_variables(
    cursor: &mut Cursor<'_>,
    templates: &[Template],
) -> Decoded<Vec<Arc<[Texts<'static>]>>> {
    let slots = |template: &Template| {
        let slots = template.characters.iter().map(|_| decode_texts(cursor, template.rows as usize));
        slots.collect::<Decoded<Arc<[_]>>>()
    };
    templates.iter().map(slots).collect()
}

/// What stands in one slot of one of the templates of a group. The others are passed over.
pub(in crate::block) fn decode_variable(
    cursor: &mut Cursor<'_>,
    templates: &[Template],
    wanted: (usize, usize),
) -> Decoded<Option<Texts<'static>>> {
    let mut found = None;
    for (number, template) in templates.iter().enumerate() {
        let rows = template.rows as usize;
        for slot in 0..template.characters.len() {
            if (number, slot) == wanted {
                found = Some(decode_texts(cursor, rows)?);
            } else {
                pick_texts(cursor, rows, &[])?;
            }
        }
    }
    Ok(found)
}
