//! Grouping accuracy of templates (Zhu et al. 2019): share of lines whose group holds exactly the lines of their true
//! group. Files are `line,label,content,event_id`.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use insighthub_detect::template::Miner;

use crate::series_csv::{SeriesError, lines};

/// Right and all lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    pub right: usize,
    pub lines: usize,
}

impl Accuracy {
    pub fn share(self) -> f64 {
        self.right as f64 / self.lines.max(1) as f64
    }
}

/// Mines a file and compares.
pub fn accuracy(path: &Path) -> Result<Accuracy, SeriesError> {
    let mut miner = Miner::default();
    let (mut found, mut truth) = (Vec::new(), Vec::new());
    for line in lines(path)?.lines().skip(1) {
        let line = line.map_err(|error| SeriesError::File { path: path.display().to_string(), error })?;
        let Some((content, event)) = content_and_event(&line) else { continue };
        found.push(miner.learn(&content));
        truth.push(event);
    }
    let found: Vec<String> = found.into_iter().map(|number| miner.current(number).to_string()).collect();
    Ok(compared(&found, &truth))
}

fn content_and_event(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once(',')?;
    let (_, rest) = rest.split_once(',')?;
    let (content, event) = rest.rsplit_once(',')?;
    let is_quoted = content.len() >= 2 && content.starts_with('"') && content.ends_with('"');
    let content =
        if is_quoted { content.get(1..content.len() - 1)?.replace("\"\"", "\"") } else { content.to_owned() };
    Some((content, event.to_owned()))
}

fn compared(found: &[String], truth: &[String]) -> Accuracy {
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut of_found, mut of_truth) = (BTreeMap::new(), BTreeMap::new());
    for (a, b) in found.iter().zip(truth) {
        *pairs.entry((a, b)).or_default() += 1;
        *of_found.entry(a.as_str()).or_insert(0) += 1;
        *of_truth.entry(b.as_str()).or_insert(0) += 1;
    }
    let is_exact = |((a, b), count): &(&(&str, &str), &usize)| {
        of_found.get(a) == Some(count) && of_truth.get(b) == Some(count)
    };
    Accuracy { right: pairs.iter().filter(is_exact).map(|(_, count)| count).sum(), lines: found.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_groups_count() {
        let texts = |groups: [&str; 5]| groups.map(str::to_owned);
        let found = compared(&texts(["1", "1", "2", "3", "3"]), &texts(["a", "a", "b", "b", "c"]));
        assert_eq!(found, Accuracy { right: 2, lines: 5 });
    }
}
