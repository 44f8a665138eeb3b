//! Texts one after another in one allocation.

/// A column of texts: all bytes in one arena, and where each text ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextColumn {
    bytes: String,
    ends: Vec<u32>,
}

impl TextColumn {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends a text. The arena is bounded by the chunk's size, far below 4 GiB.
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.close();
    }

    /// Makes room for so many more texts, of so many bytes together.
    pub fn reserve(&mut self, rows: usize, bytes: usize) {
        self.ends.reserve(rows);
        self.bytes.reserve(bytes);
    }

    /// Appends to the arena what [`TextColumn::close`] then makes one text; lets a decoder write in place.
    pub fn arena(&mut self) -> &mut String {
        &mut self.bytes
    }

    pub fn close(&mut self) {
        let end = u32::try_from(self.bytes.len());
        assert!(end.is_ok(), "a text column holds less than 4 GiB");
        self.ends.push(end.unwrap_or(u32::MAX));
    }

    /// The text of a row; empty where the row does not exist.
    pub fn get(&self, row: usize) -> &str {
        let start = match row.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start as usize..end as usize).unwrap_or("")
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = self.bytes.get(start..*end as usize).unwrap_or("");
            start = *end as usize;
            text
        })
    }

    pub fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.bytes.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    /// All texts as one string.
    pub fn arena_text(&self) -> &str {
        &self.bytes
    }

    /// Where each text ends in [`TextColumn::arena_text`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Rebuilds a column; `None` when an end is out of order, out of range or inside a character.
    pub fn from_parts(bytes: String, ends: Vec<u32>) -> Option<TextColumn> {
        let mut before = 0;
        for end in &ends {
            if *end < before || !bytes.is_char_boundary(*end as usize) {
                return None;
            }
            before = *end;
        }
        (before as usize == bytes.len()).then_some(TextColumn { bytes, ends })
    }

    /// The texts of columns one after another, in a column of exactly that size.
    pub fn joined<'a>(parts: impl Iterator<Item = &'a TextColumn> + Clone) -> TextColumn {
        let (rows, bytes) =
            parts.clone().fold((0, 0), |(rows, bytes), part| (rows + part.len(), bytes + part.bytes.len()));
        assert!(u32::try_from(bytes).is_ok(), "a text column holds less than 4 GiB");
        let mut joined = TextColumn { bytes: String::with_capacity(bytes), ends: Vec::with_capacity(rows) };
        for part in parts {
            let start = joined.bytes.len() as u32;
            joined.bytes.push_str(&part.bytes);
            joined.ends.extend(part.ends.iter().map(|end| start + end));
        }
        joined
    }

    /// Memory held, in use or not, bytes.
    pub(super) fn bytes_reserved(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    pub fn bytes_held(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<u32>()
    }
}

impl<'a> FromIterator<&'a str> for TextColumn {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut column = TextColumn::default();
        for text in texts {
            column.push(text);
        }
        column
    }
}
