//! Dice with a seed: the same seed throws the same numbers, on every machine and in every version.

use std::time::Duration;

use crate::chaos_record::mixed;

/// SplitMix64. Small, and known well enough to be trusted for schedules.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice { state: seed }
    }

    /// Dice of their own for one part of a run: how often they are thrown does not disturb the others.
    pub fn of_their_own(&self, part: u64) -> Dice {
        Dice { state: mixed(self.state ^ mixed(part)) }
    }

    pub fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// A number below the bound; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let number = self.throw();
        if bound == 0 { 0 } else { number % bound }
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most.saturating_sub(least) + 1))
    }

    /// One of several; `None` of none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let place = usize::try_from(self.below(among.len() as u64)).unwrap_or(0);
        among.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_numbers() {
        let numbers = |seed| {
            let mut dice = Dice::new(seed);
            (0..100).map(|_| dice.throw()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn one_part_of_a_run_does_not_disturb_another() {
        let dice = Dice::new(3);
        let mut first = dice.of_their_own(1);
        let before = first.clone().throw();
        let mut second = dice.of_their_own(2);
        second.throw();
        assert_eq!(first.throw(), before);
        assert_ne!(before, dice.of_their_own(2).throw());
    }

    #[test]
    fn every_side_comes_up() {
        let mut dice = Dice::new(1);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[usize::try_from(dice.below(5)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(dice.pick::<u8>(&[]), None);
        assert!((10..=20).contains(&dice.millis(10, 20).as_millis()));
    }
}
