//! What generated traffic draws: choices and deviates from a seed. The same seed gives the same traffic on every machine.

use insighthub_model::prng::SplitMix64;

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(crate) struct Prng(SplitMix64);

impl Prng {
    pub(crate) fn new(seed: u64) -> Prng {
        Prng(SplitMix64::new(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// From 0 up to but without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.uniform()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the choices; `fallback` where there are none.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T], fallback: T) -> T {
        let at = self.below(choices.len() as u64) as usize;
        choices.get(at).copied().unwrap_or(fallback)
    }

    /// A standard normal deviate (Box and Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A log-normal deviate around `median`; `spread` is the standard deviation of its logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.normal()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let draw = |seed| {
            let mut prng = Prng::new(seed);
            [prng.next(), prng.next(), prng.next()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn deviates_have_the_mean_they_claim() {
        let mut prng = Prng::new(1);
        let count = 20_000;
        let mean = (0..count).map(|_| prng.normal()).sum::<f64>() / f64::from(count);
        assert!(mean.abs() < 0.03, "{mean}");
        let share = (0..count).filter(|_| prng.below(10) < 3).count() as f64 / f64::from(count);
        assert!((share - 0.3).abs() < 0.02, "{share}");
    }
}
