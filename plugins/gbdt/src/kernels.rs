//! The inner loops of training: pairs of sums, and histograms of eight features at once.
//!
//! A pair is one 128-bit value. Eight features' codes of a row lie in one 64-bit word, so that a row costs one load and
//! eight independent additions, and the eight histograms (32 KiB) stay in the cache nearest to the core.

use std::ops::{Add, Sub};

/// Features in a word.
pub const LANES: usize = 8;
/// Slots of a histogram: one for each code that a byte can hold.
pub const SLOTS: usize = 256;
/// The code of a missing value.
pub const MISSING: u8 = 255;

/// A sum of first derivatives and a sum of second derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(16))]
pub struct Pair {
    pub gradient: f64,
    pub hessian: f64,
}

/// A histogram of one feature.
pub type Slots = [Pair; SLOTS];

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wide {
    use core::arch::wasm32::{f64x2_add, f64x2_sub, v128};

    use super::Pair;

    #[inline(always)]
    fn load(pair: Pair) -> v128 {
        core::arch::wasm32::f64x2(pair.gradient, pair.hessian)
    }

    #[inline(always)]
    fn store(value: v128) -> Pair {
        use core::arch::wasm32::f64x2_extract_lane as lane;
        Pair { gradient: lane::<0>(value), hessian: lane::<1>(value) }
    }

    #[inline(always)]
    pub fn add(a: Pair, b: Pair) -> Pair {
        store(f64x2_add(load(a), load(b)))
    }

    #[inline(always)]
    pub fn sub(a: Pair, b: Pair) -> Pair {
        store(f64x2_sub(load(a), load(b)))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod wide {
    use super::Pair;

    #[inline(always)]
    pub fn add(a: Pair, b: Pair) -> Pair {
        Pair { gradient: a.gradient + b.gradient, hessian: a.hessian + b.hessian }
    }

    #[inline(always)]
    pub fn sub(a: Pair, b: Pair) -> Pair {
        Pair { gradient: a.gradient - b.gradient, hessian: a.hessian - b.hessian }
    }
}

impl Add for Pair {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        wide::add(self, other)
    }
}

impl Sub for Pair {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        wide::sub(self, other)
    }
}

/// Adds the pair of each row to the slot of the row's code, for all features of a group. `words` are those of the whole
/// table, `pairs` those of `rows`.
pub fn add_group(words: &[u64], rows: &[u32], pairs: &[Pair], to: &mut [Slots; LANES]) {
    for (&row, &pair) in rows.iter().zip(pairs) {
        let codes = words[row as usize].to_le_bytes();
        for lane in 0..LANES {
            let slot = &mut to[lane][usize::from(codes[lane])];
            *slot = *slot + pair;
        }
    }
}

/// As [`add_group`], for some lanes of a group.
pub fn add_lanes(lanes: &[usize], words: &[u64], rows: &[u32], pairs: &[Pair], to: &mut [Slots; LANES]) {
    match *lanes {
        [a] => add_some([a], words, rows, pairs, to),
        [a, b] => add_some([a, b], words, rows, pairs, to),
        [a, b, c] => add_some([a, b, c], words, rows, pairs, to),
        [a, b, c, d] => add_some([a, b, c, d], words, rows, pairs, to),
        [a, b, c, d, e] => add_some([a, b, c, d, e], words, rows, pairs, to),
        [a, b, c, d, e, f] => add_some([a, b, c, d, e, f], words, rows, pairs, to),
        [a, b, c, d, e, f, g] => add_some([a, b, c, d, e, f, g], words, rows, pairs, to),
        [] => {}
        _ => add_group(words, rows, pairs, to),
    }
}

fn add_some<const N: usize>(lanes: [usize; N], words: &[u64], rows: &[u32], pairs: &[Pair], to: &mut [Slots; LANES]) {
    for (&row, &pair) in rows.iter().zip(pairs) {
        let word = words[row as usize];
        for lane in lanes {
            let slot = &mut to[lane % LANES][usize::from((word >> (8 * lane)) as u8)];
            *slot = *slot + pair;
        }
    }
}

/// `whole -= part`, for the first `codes` slots (at most 255) and the one of missing values.
pub fn subtract(whole: &mut Slots, part: &Slots, codes: usize) {
    for (whole, &part) in whole[..codes].iter_mut().zip(&part[..codes]) {
        *whole = *whole - part;
    }
    let missing = usize::from(MISSING);
    whole[missing] = whole[missing] - part[missing];
}

/// Moves the rows whose code passes `left` to the front and the others behind them, each in the order they had; gives
/// how many passed.
pub fn partition(rows: &mut [u32], spare: &mut [u32], words: &[u64], lane: usize, left: impl Fn(u8) -> bool) -> usize {
    let (mut kept, mut moved) = (0, 0);
    let spare = &mut spare[..rows.len()];
    for index in 0..rows.len() {
        let row = rows[index];
        let goes_left = left((words[row as usize] >> (8 * lane)) as u8);
        // Both are written, and the wrong one is overwritten by the next row: no branch to guess.
        rows[kept] = row;
        spare[moved] = row;
        kept += usize::from(goes_left);
        moved += usize::from(!goes_left);
    }
    rows[kept..].copy_from_slice(&spare[..moved]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(gradient: f64) -> Pair {
        Pair { gradient, hessian: 1.0 }
    }

    #[test]
    fn histograms_of_groups_and_lanes() {
        let words = [u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 255]), u64::from_le_bytes([1; 8]), 0];
        let mut all = Box::new([[Pair::default(); SLOTS]; LANES]);
        add_group(&words, &[0, 1], &[pair(2.0), pair(3.0)], &mut all);
        assert_eq!(all[1][1], Pair { gradient: 5.0, hessian: 2.0 });
        assert_eq!(all[7][255], pair(2.0));
        let mut some = Box::new([[Pair::default(); SLOTS]; LANES]);
        add_lanes(&[1, 7], &words, &[0, 1], &[pair(2.0), pair(3.0)], &mut some);
        assert_eq!((some[1], some[7]), (all[1], all[7]));
        assert_eq!(some[0], [Pair::default(); SLOTS]);
        let mut whole = all[0];
        subtract(&mut whole, &some[1], 2);
        assert_eq!(whole[1], Pair { gradient: -2.0, hessian: -1.0 });
    }

    #[test]
    fn partitions_keep_the_order() {
        let words: Vec<u64> = [5_u64, 1, 4, 2, 3].map(|code| code << 8).into();
        let mut rows = [4, 3, 2, 1, 0];
        assert_eq!(partition(&mut rows, &mut [0; 5], &words, 1, |code| code <= 3), 3);
        assert_eq!(rows, [4, 3, 1, 2, 0]);
    }
}
