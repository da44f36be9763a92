//! Histograms of a leaf's derivatives over the codes of each feature, and the pool that they lie in.

use crate::bins::Bins;
use crate::kernels::{LANES, MISSING, Pair, SLOTS, Slots, add_group, add_lanes, subtract};

/// Rows whose derivatives are gathered at once; they and a group's histograms stay in the nearest caches.
const BLOCK: usize = 2048;

/// All histograms together take at most this, and at least four leaves'.
const MOST_BYTES: usize = 256 << 20;

/// The features that a tree chooses from.
pub struct Active {
    /// Ascending.
    pub features: Vec<usize>,
    /// The groups that they lie in, with their lanes.
    groups: Vec<(usize, Vec<usize>)>,
}

impl Active {
    pub fn new(features: Vec<usize>) -> Self {
        let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
        for &feature in &features {
            let (group, lane) = (feature / LANES, feature % LANES);
            match groups.last_mut() {
                Some((last, lanes)) if *last == group => lanes.push(lane),
                _ => groups.push((group, vec![lane])),
            }
        }
        Self { features, groups }
    }
}

/// Histograms of several leaves.
pub struct Pool {
    groups: usize,
    most: usize,
    histograms: Vec<Vec<Slots>>,
    free: Vec<usize>,
    block: Vec<Pair>,
}

impl Pool {
    pub fn new(groups: usize) -> Self {
        let size = groups * LANES * size_of::<Slots>();
        let most = (MOST_BYTES / size.max(1)).max(4);
        Self { groups, most, histograms: Vec::new(), free: Vec::new(), block: Vec::with_capacity(BLOCK) }
    }

    /// A slot with anything in it, if one is left.
    pub fn take(&mut self) -> Option<usize> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        (self.histograms.len() < self.most).then(|| {
            self.histograms.push(vec![[Pair::default(); SLOTS]; self.groups * LANES]);
            self.histograms.len() - 1
        })
    }

    pub fn give_back(&mut self, slot: usize) {
        self.free.push(slot);
    }

    /// One histogram for each feature.
    pub fn get(&self, slot: usize) -> &[Slots] {
        &self.histograms[slot]
    }

    /// Adds up the derivatives of `rows`.
    pub fn build(&mut self, slot: usize, bins: &Bins, active: &Active, rows: &[u32], pairs: &[Pair]) {
        let histogram = &mut self.histograms[slot];
        for &feature in &active.features {
            histogram[feature][..bins.features[feature].codes].fill(Pair::default());
            histogram[feature][usize::from(MISSING)] = Pair::default();
        }
        let (groups, _) = histogram.as_chunks_mut::<LANES>();
        for rows in rows.chunks(BLOCK) {
            self.block.clear();
            self.block.extend(rows.iter().map(|&row| pairs[row as usize]));
            for (group, lanes) in &active.groups {
                let words = &bins.groups[*group];
                if lanes.len() == LANES {
                    add_group(words, rows, &self.block, &mut groups[*group]);
                } else {
                    add_lanes(lanes, words, rows, &self.block, &mut groups[*group]);
                }
            }
        }
    }

    /// Takes `part` off the histogram in `whole`.
    pub fn subtract(&mut self, whole: usize, part: usize, bins: &Bins, active: &Active) {
        let [whole, part] = self.histograms.get_disjoint_mut([whole, part]).expect("two leaves have two histograms");
        for &feature in &active.features {
            subtract(&mut whole[feature], &part[feature], bins.features[feature].codes);
        }
    }
}
