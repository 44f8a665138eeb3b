//! Changes inputs at random, the same in every run.

/// Marsaglia's xorshift64: the same numbers everywhere.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// The files of a folder of seeds, in the order of their names.
pub(crate) fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let directory = format!("{}/fuzz/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Changes an input; `pieces` turn up at the edges of its grammar, `other` is another input.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], pieces: &[&[u8]], numbers: &mut Numbers) {
    let at = numbers.below(input.len());
    let end = (at + numbers.below(12)).min(input.len());
    match numbers.below(7) {
        0 if !input.is_empty() => input[at] ^= 1 << numbers.below(8),
        1 => drop(input.drain(at..end)),
        2 => {
            let copied = input[at..end].to_vec();
            input.splice(at..at, copied);
        }
        3 | 4 => drop(input.splice(at..at, pieces[numbers.below(pieces.len())].iter().copied())),
        5 => drop(input.splice(at..end, pieces[numbers.below(pieces.len())].iter().copied())),
        _ => {
            let from = numbers.below(other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}
