//! Changes inputs at random, the same in every run.

/// Marsaglia's xorshift64: the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// The files of a folder of seeds, in the order of their names.
fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let directory = format!("{}/fuzz/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Changes an input; `pieces` turn up at the edges of its grammar, `other` is another input.
fn mutate(input: &mut Vec<u8>, other: &[u8], pieces: &[&[u8]], numbers: &mut Numbers) {
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

/// What is mutated.
pub(crate) struct Corpus<'a> {
    pub(crate) folder: &'a str,
    /// With fewer seeds some are missing.
    pub(crate) seeds_min: usize,
    pub(crate) pieces: &'a [&'a [u8]],
}

/// Gives the seeds to a check, and then so many mutations of them.
pub(crate) fn check_mutations(corpus: &Corpus<'_>, count: usize, check: fn(&[u8])) {
    let seeds = seeds(corpus.folder);
    assert!(seeds.len() >= corpus.seeds_min, "the seeds are missing");
    seeds.iter().for_each(|seed| check(seed));
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    for _ in 0..count {
        let mut input = seeds[numbers.below(seeds.len())].clone();
        for _ in 0..1 + numbers.below(4) {
            let other = numbers.below(seeds.len());
            mutate(&mut input, &seeds[other], corpus.pieces, &mut numbers);
        }
        check(&input);
    }
}
