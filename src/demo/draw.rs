//! Reproducible random numbers: the same seed parts give the same numbers on every machine and in every release.

/// Stream of numbers (splitmix64) that depends only on its seed parts.
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    /// Creates a stream from seed parts; their order matters.
    pub(super) fn of(parts: &[u64]) -> Self {
        let mut draw = Self(0x51_7c_c1_b7_27_22_0a_95);
        for part in parts {
            draw.0 = draw.next() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        draw
    }

    /// Returns the next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number from `least..=most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most.saturating_sub(least) + 1)
    }

    /// Draws a number from `0..count`; 0 if `count` is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        // The remainder is smaller than `count`, so it fits.
        usize::try_from(self.next() % (count.max(1) as u64)).unwrap_or(0)
    }

    /// Draws one of `words`; returns an empty text if `words` is empty.
    pub(super) fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_value_of_the_parts_count() {
        let first = |parts: &[u64]| Draw::of(parts).next();
        assert_eq!(first(&[7, 1]), first(&[7, 1]));
        let all = [first(&[7, 1]), first(&[1, 7]), first(&[7]), first(&[7, 1, 0]), first(&[])];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn draws_stay_in_their_bounds_and_reach_both_ends() {
        let mut draw = Draw::of(&[3]);
        let drawn: Vec<u64> = (0..1_000).map(|_| draw.between(20, 25)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&20), Some(&25)));
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.pick(&[]), "");
    }
}
