//! What stands in the slots of a block's templates, read group by group or slot by slot.

use std::sync::Arc;

use super::BlockReader;
use super::templates::{decode_variable, decode_variables};
use crate::column_source::{ColumnError, Template, Templates, Texts, Variables};

impl Variables for BlockReader {
    fn variables(&self, templates: &Templates, template: u32) -> Result<Arc<[Texts<'static>]>, ColumnError> {
        let group = self.group(templates, template)?;
        let variables: HeldGroup = self.cached(group.at, |cursor, _| {
            let variables = decode_variables(cursor, group.templates)?;
            let bytes = variables
                .iter()
                .flat_map(|slots| slots.iter())
                .map(|slot| slot.bytes_held() + size_of::<Texts<'_>>())
                .sum();
            Ok((variables.into(), bytes))
        })?;
        variables.get(group.place).cloned().ok_or_else(|| self.no_variables(template))
    }

    fn variable(
        &self,
        templates: &Templates,
        template: u32,
        slot: usize,
    ) -> Result<Option<Texts<'static>>, ColumnError> {
        let group = self.group(templates, template)?;
        let slots: usize = group.templates.iter().map(|template| template.characters.len()).sum();
        if slots > PASSED_SLOTS_MAX || self.holds(group.at) {
            return Ok(self.variables(templates, template)?.get(slot).cloned());
        }
        self.cached_slot(templates.slot_number(template, slot), group.at, |cursor, _| {
            let variable = decode_variable(cursor, group.templates, (group.place, slot))?;
            let bytes = variable.as_ref().map_or(0, Texts::bytes_held) + size_of::<Texts<'_>>();
            Ok((variable, bytes))
        })
    }
}

/// The variables of a group, template by template and slot by slot.
type HeldGroup = Arc<[Arc<[Texts<'static>]>]>;

/// Groups of more slots are of small templates: passing over so many costs more than decoding them all once.
const PASSED_SLOTS_MAX: usize = 64;

/// Templates whose variables are in one chunk.
struct Group<'a> {
    /// Number of the chunk.
    at: usize,
    templates: &'a [Template],
    /// Which of them was asked for.
    place: usize,
}

impl BlockReader {
    fn group<'a>(&self, templates: &'a Templates, template: u32) -> Result<Group<'a>, ColumnError> {
        let missing = || self.no_variables(template);
        let behind = self.footer.variables().find(|(_, first)| *first > template).map(|(_, first)| first);
        let group = self.footer.variables().take_while(|(_, first)| *first <= template).last();
        let (at, first) = group.ok_or_else(missing)?;
        let end = behind.map_or(templates.list().len(), |end| end as usize);
        let templates = templates.list().get(first as usize..end).ok_or_else(missing)?;
        Ok(Group { at, templates, place: (template - first) as usize })
    }

    fn no_variables(&self, template: u32) -> ColumnError {
        self.unreadable(format!("it has no variables of template {template}"))
    }
}
