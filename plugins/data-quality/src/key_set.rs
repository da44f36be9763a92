//! Keys that were seen, exactly: a hash finds the candidates, and the whole key decides.

/// A set of byte strings, each with the number it got when it came first. Open addressing over one arena: a key costs
/// its own bytes and about 20 more.
#[derive(Default)]
pub struct KeySet {
    /// Number of a key plus one, 0 where there is none; a power of two of them, at most 7 in 8 taken.
    slots: Vec<u32>,
    hashes: Vec<u32>,
    /// Where each key ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl KeySet {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds `key`. `Err` with the number of the equal key that came before.
    pub fn insert(&mut self, key: &[u8]) -> Result<(), usize> {
        if self.slots.len() * 7 <= self.len() * 8 {
            self.grow();
        }
        let hash = hash(key);
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while let Some(number) = self.slots[slot].checked_sub(1) {
            let number = number as usize;
            if self.hashes[number] == hash && self.key(number) == key {
                return Err(number);
            }
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = u32::try_from(self.len() + 1).expect("a table in 32-bit memory has fewer than 2^32 rows");
        self.hashes.push(hash);
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn key(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[number]]
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(64);
        self.slots = vec![0; size];
        for (number, &hash) in self.hashes.iter().enumerate() {
            let mut slot = hash as usize & (size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = number as u32 + 1;
        }
    }
}

/// Eight bytes at a time: multiply by an odd constant, then fold the high half down (the finaliser of MurmurHash3, one
/// round of it a word). A plugin sees one table and leaves, so collisions made on purpose cost its own time only.
fn hash(key: &[u8]) -> u32 {
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 32)
    };
    let (words, rest) = key.as_chunks::<8>();
    let whole = words.iter().fold(key.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mixed = mix(whole, u64::from_le_bytes(last)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed ^ (mixed >> 33)) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn agrees_with_a_hash_map() {
        let mut set = KeySet::default();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut state = 1_u64;
        for _ in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (state >> 49).to_le_bytes()[..(state >> 33) as usize % 9].to_vec();
            let next = known.len();
            let first = *known.entry(key.clone()).or_insert(next);
            assert_eq!(set.insert(&key), if first == next { Ok(()) } else { Err(first) });
        }
        assert_eq!(set.len(), known.len());
    }

    #[test]
    fn equal_hashes_are_not_equal_keys() {
        let mut by_hash: HashMap<u32, u64> = HashMap::new();
        let collision = (0_u64..).find_map(|word| Some((by_hash.insert(hash(&word.to_le_bytes()), word)?, word)));
        let (one, other) = collision.expect("a birthday among 2^32");
        let mut set = KeySet::default();
        assert_eq!(set.insert(&one.to_le_bytes()), Ok(()));
        assert_eq!(set.insert(&other.to_le_bytes()), Ok(()));
        assert_eq!(set.insert(&one.to_le_bytes()), Err(0));
    }
}
