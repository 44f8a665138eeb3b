//! No data: groups that wrote before and are silent in the window. Pure.

use std::collections::BTreeSet;

use insighthub_model::alerts::Rule;

use super::judging::{Figures, History, Judgement, Window, evidence};
use super::questions::Row;

pub(super) fn judge(rule: &Rule, window: Window, rows: &[Row], history: &History) -> Vec<Judgement> {
    let heard: BTreeSet<&Vec<(String, String)>> = rows.iter().map(|row| &row.group).collect();
    let silent = history.groups().filter(|group| !heard.contains(*group));
    let judgement = |group: &Vec<(String, String)>| {
        let because = format!("wrote before, and nothing for {} s", rule.window_secs);
        let figures = Figures::plain("Records".to_owned(), 0.0, 1.0, because);
        Judgement { group: group.clone(), breached: true, evidence: evidence(rule, group, window, figures) }
    };
    silent.map(judgement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::Timestamp;
    use insighthub_model::alerts::{Condition, NoData, first_rules};

    #[test]
    fn only_who_wrote_before_can_be_silent() {
        let (_, rule) = first_rules().remove(0);
        let rule = Rule { condition: Condition::NoData(NoData::default()), ..rule };
        let row = |service: &str, begins| Row {
            group: vec![("service".to_owned(), service.to_owned())],
            begins,
            values: vec![1.0, 1.0],
        };
        let history = History::of(["a", "b"].map(|service| row(service, Some(Timestamp(0)))).to_vec());
        let window = Window { from: Timestamp(0), to: Timestamp(60) };
        let silent = judge(&rule, window, &[row("b", None), row("c", None)], &history);
        assert_eq!(silent.len(), 1);
        assert!(silent[0].breached && silent[0].group[0].1 == "a");
    }
}
