//! A set of hashes that may say yes to one it does not hold, never no to one it does: a split-block Bloom filter.
//!
//! Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007), in the form of the Parquet
//! format: a hash sets one bit in each of the eight words of one group, so that asking touches one line of the cache.

/// One in about a hundred hashes that are not held is taken for held.
const BITS_PER_HASH: usize = 10;
/// Words of 32 bits in a group.
const GROUP_WORDS: usize = 8;
const GROUP_BITS: usize = GROUP_WORDS * 32;
/// Odd multipliers that spread one hash into eight bit numbers. Part of the disk form of blocks.
const SPREAD: [u32; GROUP_WORDS] =
    [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1, 0xd35a_2d97, 0x6c8e_9cf5, 0xb5ad_4ecf];

/// See the module's documentation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SplitFilter {
    groups: Vec<[u32; GROUP_WORDS]>,
}

impl SplitFilter {
    /// Of these hashes, which are different.
    pub(crate) fn of(hashes: impl ExactSizeIterator<Item = u64>) -> SplitFilter {
        let groups = (hashes.len() * BITS_PER_HASH).div_ceil(GROUP_BITS).max(1);
        let mut filter = SplitFilter { groups: vec![[0; GROUP_WORDS]; groups] };
        for hash in hashes {
            let at = filter.group_of(hash);
            if let Some(group) = filter.groups.get_mut(at) {
                group.iter_mut().zip(bits(hash)).for_each(|(word, bit)| *word |= bit);
            }
        }
        filter
    }

    /// False when the hash is not one of those it was made of.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let group = self.groups.get(self.group_of(hash));
        group.is_none_or(|group| group.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.groups.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// `None` when the bytes are no filter.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<SplitFilter> {
        let (words, rest) = bytes.as_chunks::<4>();
        let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let (groups, odd) = words.as_chunks::<GROUP_WORDS>();
        (rest.is_empty() && odd.is_empty() && !groups.is_empty())
            .then(|| SplitFilter { groups: groups.to_vec() })
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.groups.len() * GROUP_BITS / 8
    }

    /// The upper half of the hash chooses the group, the lower half the bits in it.
    fn group_of(&self, hash: u64) -> usize {
        (((hash >> 32) * self.groups.len() as u64) >> 32) as usize
    }
}

fn bits(hash: u64) -> [u32; GROUP_WORDS] {
    SPREAD.map(|spread| 1 << ((hash as u32).wrapping_mul(spread) >> 27))
}
