//! Random draws that depend on a seed and on what they are for, not on what was drawn before: a training that goes on
//! from a checkpoint draws the same.

/// A stream of random numbers: SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014).
pub struct Stream(u64);

impl Stream {
    /// The stream for one purpose, such as the rows of round 7.
    pub fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut stream = Self(seed ^ (purpose as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let start = stream.next().wrapping_add(number.wrapping_mul(0xa076_1d64_78bd_642f));
        let mut stream = Self(start);
        stream.next();
        stream
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Even over `0..below`, up to a part in 2^32.
    fn below(&mut self, below: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(below)) >> 64) as u64
    }

    /// `count` of the numbers below `of`, ascending: each such set is equally likely (Knuth, "The Art of Computer
    /// Programming", volume 2, 3.4.2, algorithm S).
    pub fn choose(&mut self, count: usize, of: usize) -> Vec<u32> {
        let mut chosen = Vec::with_capacity(count);
        for number in 0..of {
            let (wanted, left) = (count - chosen.len(), of - number);
            if self.below(left as u64) < wanted as u64 {
                chosen.push(number as u32);
            }
        }
        chosen
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    Sample = 1,
    Rows = 2,
    Features = 3,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_as_many_as_asked_for() {
        let mut counts = [0; 10];
        for round in 0..2000 {
            let chosen = Stream::new(7, Purpose::Rows, round).choose(3, 10);
            assert!(chosen.len() == 3 && chosen.is_sorted());
            chosen.iter().for_each(|&number| counts[number as usize] += 1);
        }
        assert!(counts.iter().all(|&count| (500..700).contains(&count)), "{counts:?}");
        assert_eq!(Stream::new(1, Purpose::Sample, 0).choose(5, 5), [0, 1, 2, 3, 4]);
    }
}
