//! The 200 messages of the generated set: read from `templates.txt`, filled in record by record.

use insighthub_model::Level;

use super::services::Service;
use super::stack::StackStyle;
use super::variable::{Values, Variable};
use crate::cli::prng::Prng;

const TEMPLATES: &str = include_str!("templates.txt");

/// What part of a service's work a message speaks of; `templates.txt` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Kind {
    Done,
    Slow,
    Fail,
    Step,
    Idle,
}

const KINDS: [(&str, Kind); 5] = [
    ("done", Kind::Done),
    ("slow", Kind::Slow),
    ("fail", Kind::Fail),
    ("step", Kind::Step),
    ("idle", Kind::Idle),
];

/// One message with gaps.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) level: Level,
    pub(super) stack: Option<StackStyle>,
    weight: u64,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    /// Already escaped for JSON.
    Text(String),
    Gap(Variable),
}

/// The messages of one kind of one service.
#[derive(Debug, Default)]
struct Choice {
    templates: Vec<Template>,
    weight: u64,
}

/// Every template, by service and kind.
#[derive(Debug)]
pub(super) struct Templates(Vec<[Choice; 5]>);

impl Templates {
    /// Reads the table; an error names the line.
    pub(super) fn read() -> Result<Templates, String> {
        let mut templates = Templates(Service::ALL.iter().map(|_| Default::default()).collect());
        let mut service = None;
        for (number, line) in TEMPLATES.lines().enumerate() {
            let fault = |what: &str| format!("templates.txt line {}: {what}: {line:?}", number + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                service = Some(Service::named(name).ok_or_else(|| fault("no such service"))?);
                continue;
            }
            let (kind, template) = parse(line).map_err(fault)?;
            let choices = service.and_then(|service: Service| templates.0.get_mut(service as usize));
            let choice = choices.and_then(|choices| choices.get_mut(kind as usize));
            let choice = choice.ok_or_else(|| fault("no service before this line"))?;
            choice.weight += template.weight;
            choice.templates.push(template);
        }
        Ok(templates)
    }

    /// One of them, by weight; `None` where the service has none of this kind.
    pub(super) fn pick(&self, service: Service, kind: Kind, prng: &mut Prng) -> Option<&Template> {
        let choice = self.0.get(service as usize)?.get(kind as usize)?;
        let mut at = prng.below(choice.weight);
        choice.templates.iter().find(|template| {
            let found = at < template.weight;
            at = at.wrapping_sub(template.weight);
            found
        })
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.iter().flatten().map(|choice| choice.templates.len()).sum()
    }
}

impl Template {
    /// Appends the message, escaped for JSON.
    pub(super) fn render(&self, text: &mut Vec<u8>, values: &Values<'_>, prng: &mut Prng) {
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.extend_from_slice(fixed.as_bytes()),
                Part::Gap(variable) => variable.render(text, values, prng),
            }
        }
    }
}

/// An error's message that is in no table.
pub(super) fn message(text: &str) -> Result<Template, String> {
    let parts = parts(text).map_err(str::to_owned)?;
    Ok(Template { level: Level::Error, stack: None, weight: 1, parts })
}

/// Reads `KIND [STACK] LEVEL WEIGHT text`.
fn parse(line: &str) -> Result<(Kind, Template), &'static str> {
    let (kind, rest) = line.split_once(' ').ok_or("only one word")?;
    let kind = KINDS.iter().find(|(name, _)| *name == kind).ok_or("no such kind")?.1;
    let (stack, rest) =
        match rest.split_once(' ').and_then(|(word, rest)| Some((StackStyle::named(word)?, rest))) {
            Some((style, rest)) => (Some(style), rest),
            None => (None, rest),
        };
    let mut words = rest.splitn(3, ' ');
    let level = words.next().and_then(|word| word.parse().ok()).ok_or("no level")?;
    let weight = words.next().and_then(|word| word.parse().ok()).ok_or("no weight")?;
    let text = words.next().ok_or("no text")?;
    Ok((kind, Template { level, stack, weight, parts: parts(text)? }))
}

fn parts(text: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    for (number, piece) in text.split('{').enumerate() {
        let mut fixed = piece;
        if number > 0 {
            let (name, rest) = piece.split_once('}').ok_or("a gap is not closed")?;
            parts.push(Part::Gap(Variable::named(name).ok_or("no such variable")?));
            fixed = rest;
        }
        if !fixed.is_empty() {
            parts.push(Part::Text(fixed.replace('\\', "\\\\").replace('"', "\\\"")));
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_200_templates_and_every_service_can_speak_of_everything() {
        let templates = Templates::read().unwrap();
        assert_eq!(templates.count(), 200);
        let mut prng = Prng::new(1);
        for service in Service::ALL {
            for (name, kind) in KINDS {
                assert!(templates.pick(service, kind, &mut prng).is_some(), "{service:?} {name}");
            }
        }
    }

    #[test]
    fn a_faulty_line_is_refused() {
        for line in [
            "done",
            "gone INFO 1 a",
            "done LOUD 1 a",
            "done INFO x a",
            "done INFO 1 {ms",
            "done INFO 1 {mss}",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
