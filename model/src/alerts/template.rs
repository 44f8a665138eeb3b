//! Templates of messages: text with `{{names}}`, and the text that is sent where a rule has none.

use super::incident::TransitionKind;
use super::names::Problem;
use super::notice::{Notice, minutes_and_hour, shown_number};

const NAMES: [&str; 13] = [
    "heading",
    "kind",
    "rule",
    "severity",
    "service",
    "measure",
    "observed",
    "normal",
    "threshold",
    "start",
    "cause",
    "owner",
    "link",
];
const LABEL: &str = "labels.";

/// Whether every name of a template is known.
pub(super) fn check(template: &str) -> Result<(), Problem> {
    for part in template.split("{{").skip(1) {
        let Some((name, _)) = part.split_once("}}") else {
            return Err(Problem::new("template", "{{ is not followed by }}"));
        };
        let name = name.trim();
        if !NAMES.contains(&name) && !name.starts_with(LABEL) {
            let known = NAMES.join(", ");
            let shown: String = name.chars().take(40).collect();
            return Err(Problem::new(
                "template",
                format!("there is no {shown:?}: expected one of {known}, labels.NAME"),
            ));
        }
    }
    Ok(())
}

/// The plain text of a message, in lines. No channel takes it as it is: each makes its own marks harmless.
pub fn render(notice: &Notice, link: &str) -> Vec<String> {
    match &notice.template {
        Some(template) => of_template(template, notice, link),
        None => plain(notice),
    }
}

/// Where a template does not say itself what kind of message it is, the end is not told in the words of the beginning.
fn of_template(template: &str, notice: &Notice, link: &str) -> Vec<String> {
    let mut lines: Vec<String> = template.lines().map(|line| fill(line, notice, link)).collect();
    let says_kind = template.split("{{").skip(1).any(|part| part.trim_start().starts_with("kind"));
    let is_beginning = matches!(notice.kind, TransitionKind::Fired | TransitionKind::Announced);
    if let (false, false, Some(first)) = (says_kind, is_beginning, lines.first_mut()) {
        *first = format!("{}: {first}", word(notice.kind));
    }
    lines
}

fn word(kind: TransitionKind) -> &'static str {
    match kind {
        TransitionKind::Fired | TransitionKind::Announced => "Firing",
        TransitionKind::Reopened => "Firing again",
        TransitionKind::Flapping => "Flapping",
        TransitionKind::Repeated => "Still firing",
        TransitionKind::Resolved => "Resolved",
        TransitionKind::Test => "Test",
    }
}

fn plain(notice: &Notice) -> Vec<String> {
    let evidence = &notice.evidence;
    let prefix = match notice.kind {
        TransitionKind::Resolved => "InsightHub Resolved",
        TransitionKind::Test => "InsightHub Test",
        TransitionKind::Flapping => "InsightHub Alert (flapping)",
        TransitionKind::Repeated => "InsightHub Alert (still firing)",
        TransitionKind::Fired | TransitionKind::Reopened | TransitionKind::Announced => "InsightHub Alert",
    };
    let mut lines = vec![format!("{prefix}: {}", notice.heading)];
    let measured = shown_number(evidence.observed);
    lines.push(match evidence.normal {
        Some(normal) => format!("{}: {measured} (Normal: {})", evidence.measure, shown_number(normal)),
        None => format!("{}: {measured} (Threshold: {})", evidence.measure, shown_number(evidence.threshold)),
    });
    lines.push(format!("Start Time: {}", minutes_and_hour(notice.opened_at, notice.at)));
    if notice.kind == TransitionKind::Resolved {
        lines.push(format!("End Time: {}", minutes_and_hour(notice.at, notice.at)));
    }
    lines.extend(evidence.cause.as_ref().map(|cause| format!("Potential Cause: {cause}")));
    lines.extend(notice.owner.as_ref().map(|owner| format!("Owner: {owner}")));
    lines
}

fn fill(line: &str, notice: &Notice, link: &str) -> String {
    let mut parts = line.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        text.push_str(&value(name.trim(), notice, link));
        text.push_str(rest);
    }
    text
}

fn value(name: &str, notice: &Notice, link: &str) -> String {
    let evidence = &notice.evidence;
    match name {
        "heading" => notice.heading.clone(),
        "kind" => word(notice.kind).to_owned(),
        "rule" => notice.rule.clone(),
        "severity" => format!("{:?}", notice.severity).to_lowercase(),
        "service" => {
            let of = notice.group.iter().find(|(name, _)| name == "service");
            of.map(|(_, value)| value.clone()).unwrap_or_default()
        }
        "measure" => evidence.measure.clone(),
        "observed" => shown_number(evidence.observed),
        "normal" => evidence.normal.map(shown_number).unwrap_or_default(),
        "threshold" => shown_number(evidence.threshold),
        "start" => minutes_and_hour(notice.opened_at, notice.at),
        "cause" => evidence.cause.clone().unwrap_or_default(),
        "owner" => notice.owner.clone().unwrap_or_default(),
        "link" => link.to_owned(),
        label => {
            let name = label.strip_prefix(LABEL).unwrap_or_default();
            notice.labels.get(name).cloned().unwrap_or_default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn notice() -> Notice {
        let at = Timestamp::parse("2025-12-02T10:32:20Z").unwrap();
        let mut notice = Notice::test("ops", at);
        notice.kind = TransitionKind::Fired;
        notice.heading = "Payment Service ERROR SPIKE".into();
        notice.evidence.cause = Some("Stripe Timeout".into());
        notice.group = vec![("service".into(), "payment".into())];
        notice
    }

    #[test]
    fn the_text_is_one_glance() {
        let expected = [
            "InsightHub Alert: Payment Service ERROR SPIKE",
            "Errors/min: 80 (Normal: 2)",
            "Start Time: 10:32 AM UTC",
            "Potential Cause: Stripe Timeout",
        ];
        assert_eq!(render(&notice(), ""), expected);
    }

    #[test]
    fn a_template_is_filled_once() {
        let mut notice = notice();
        notice.evidence.cause = Some("{{owner}}".into());
        notice.owner = Some("team".into());
        notice.template =
            Some("{{ service }}: {{observed}}/{{normal}} {{cause}}\n{{link}} {{labels.a}}.".into());
        assert_eq!(render(&notice, "http://l"), ["payment: 80/2 {{owner}}", "http://l ."]);
    }

    #[test]
    fn the_end_is_not_told_in_the_words_of_the_beginning() {
        let mut notice = notice();
        let told = |notice: &Notice| render(notice, "").remove(0);
        notice.template = Some("payments are broken".into());
        assert_eq!(told(&notice), "payments are broken");
        notice.kind = TransitionKind::Resolved;
        assert_eq!(told(&notice), "Resolved: payments are broken");
        notice.template = Some("payments: {{ kind }}".into());
        assert_eq!(told(&notice), "payments: Resolved");
    }

    #[test]
    fn a_template_with_an_unknown_name_is_refused() {
        assert_eq!(check("{{observed}} {{labels.x}}"), Ok(()));
        for template in ["{{observd}}", "{{", "{{a"] {
            assert_eq!(check(template).unwrap_err().field, "template", "{template}");
        }
    }
}
