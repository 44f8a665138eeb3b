//! Columns of the list of records: which, in which order, how wide.

use crate::state::url::Pairs;

/// Narrower, nothing can be read; wider, nothing else.
pub const WIDTH_PX_MIN: u32 = 48;
pub const WIDTH_PX_MAX: u32 = 1_600;
/// More than anybody reads, and few enough for an address.
const COLUMNS_MAX: usize = 20;
const START: [&str; 5] = ["timestamp", "level", "service", "message", "latency_ms"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Of the field.
    pub name: String,
    /// As the reader drew it; `None`: as the page thinks best.
    pub width_px: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Default for Columns {
    fn default() -> Self {
        Columns(START.iter().map(|name| Column::of(name)).collect())
    }
}

impl Column {
    fn of(name: &str) -> Column {
        Column { name: name.to_owned(), width_px: None }
    }

    /// What stands in the head.
    pub fn title(&self) -> &str {
        match self.name.as_str() {
            "timestamp" => "Time",
            "level" => "Level",
            "service" => "Service",
            "message" => "Message",
            "latency_ms" => "Latency",
            other => other,
        }
    }

    fn usual_px(&self) -> u32 {
        match self.name.as_str() {
            "timestamp" => 158,
            "level" => 62,
            "service" => 130,
            "latency_ms" => 84,
            _ => 150,
        }
    }

    /// For CSS.
    fn track(&self) -> String {
        match (self.width_px, self.name.as_str()) {
            (Some(px), _) => format!("{px}px"),
            (None, "message") => "minmax(180px, 1fr)".to_owned(),
            (None, _) => format!("{}px", self.usual_px()),
        }
    }

    /// Wide enough to be seen, without what the message may take besides.
    pub fn least_px(&self) -> u32 {
        match (self.width_px, self.name.as_str()) {
            (Some(px), _) => px,
            (None, "message") => 180,
            (None, _) => self.usual_px(),
        }
    }
}

impl Columns {
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.0.iter()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|column| column.name == name)
    }

    /// Puts the field behind the others, before the latency where that is last.
    pub fn add(&mut self, name: &str) {
        if !self.has(name) && !name.is_empty() && self.0.len() < COLUMNS_MAX {
            self.0.push(Column::of(name));
        }
    }

    /// The last column stays: a list without any is no list.
    pub fn remove(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.retain(|column| column.name != name);
        }
    }

    /// Takes a column from one place to another.
    pub fn shift(&mut self, from: usize, to: usize) {
        if from < self.0.len() {
            let column = self.0.remove(from);
            self.0.insert(to.min(self.0.len()), column);
        }
    }

    pub fn resize(&mut self, place: usize, width_px: u32) {
        if let Some(column) = self.0.get_mut(place) {
            column.width_px = Some(width_px.clamp(WIDTH_PX_MIN, WIDTH_PX_MAX));
        }
    }

    /// `grid-template-columns`.
    pub fn tracks(&self) -> String {
        let tracks: Vec<String> = self.0.iter().map(Column::track).collect();
        tracks.join(" ")
    }

    /// What all of them need with the gaps between them.
    pub fn least_px(&self) -> u32 {
        const GAP_PX: u32 = 12;
        self.0.iter().map(|column| column.least_px() + GAP_PX).sum::<u32>() + 32
    }

    pub fn from_pairs(pairs: &Pairs) -> Columns {
        let mut columns = Columns(Vec::new());
        for text in pairs.all("col") {
            let (name, width) = match text.rsplit_once('~').map(|(name, width)| (name, width.parse::<u32>()))
            {
                Some((name, Ok(width))) => (name, Some(width)),
                _ => (text, None),
            };
            columns.add(name);
            if let Some(width) = width {
                columns.resize(columns.0.len().saturating_sub(1), width);
            }
        }
        if columns.0.is_empty() { Columns::default() } else { columns }
    }

    pub fn add_to(&self, pairs: &mut Vec<(&'static str, String)>) {
        if *self == Columns::default() {
            return;
        }
        pairs.extend(self.0.iter().map(|column| {
            let width = column.width_px.map(|px| format!("~{px}")).unwrap_or_default();
            ("col", format!("{}{width}", column.name))
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::url;

    fn names(columns: &Columns) -> Vec<&str> {
        columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn columns_are_added_once_moved_and_taken_away() {
        let mut columns = Columns::default();
        columns.add("region");
        columns.add("region");
        columns.shift(5, 1);
        assert_eq!(names(&columns), ["timestamp", "region", "level", "service", "message", "latency_ms"]);
        columns.shift(0, 99);
        columns.shift(99, 0);
        assert_eq!(names(&columns).last(), Some(&"timestamp"));
        for name in START.iter().chain(&["region"]) {
            columns.remove(name);
        }
        assert_eq!(columns.iter().count(), 1);
    }

    #[test]
    fn widths_stay_readable_and_survive_the_address() {
        let mut columns = Columns::default();
        columns.add("a~b");
        columns.resize(0, 3);
        columns.resize(5, 99_999);
        columns.resize(77, 100);
        let mut pairs = Vec::new();
        columns.add_to(&mut pairs);
        let read = Columns::from_pairs(&Pairs::of(&url::encode(&pairs)));
        assert_eq!(read, columns);
        assert!(columns.tracks().starts_with("48px 62px") && columns.tracks().ends_with("1600px"));
        assert!(columns.least_px() > 1_600);
    }
}
