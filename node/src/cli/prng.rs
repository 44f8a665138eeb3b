//! A small seeded generator: the same seed gives the same traffic on every machine.

/// SplitMix64: fast, passes the usual statistical tests, needs no warm-up. Not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Prng(u64);

impl Prng {
    pub(crate) fn new(seed: u64) -> Prng {
        Prng(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0. The bias is under bound / 2^64.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// From 0 up to but without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
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
