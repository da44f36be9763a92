//! Which rows a round learns from.

use crate::config::Config;
use crate::random::{Purpose, Stream};

/// The rows of a round, and those that it leaves out, ascending.
pub struct Chosen {
    seed: u64,
    every: u64,
    all: usize,
    /// How many; `None` is all.
    count: Option<usize>,
    drawn: Option<u64>,
    rows: Vec<u32>,
    others: Vec<u32>,
}

impl Chosen {
    pub fn new(config: &Config, all: usize) -> Self {
        let count = ((config.subsample * all as f64).round() as usize).max(1);
        let count = (config.subsample < 1.0 && count < all).then_some(count);
        let every = config.subsample_freq.max(1);
        Self { seed: config.seed, every, all, count, drawn: None, rows: Vec::new(), others: Vec::new() }
    }

    /// Draws for a round, if it is one's turn; which rows depends on the seed and the round alone.
    pub fn draw(&mut self, round: u64) {
        let Some(count) = self.count else { return };
        let turn = round / self.every;
        if self.drawn == Some(turn) {
            return;
        }
        self.drawn = Some(turn);
        self.rows = Stream::new(self.seed, Purpose::Rows, turn).choose(count, self.all);
        self.others.clear();
        let mut next = 0;
        for &row in &self.rows {
            self.others.extend(next..row);
            next = row + 1;
        }
        self.others.extend(next..self.all as u32);
    }

    /// `None`: all rows.
    pub fn rows(&self) -> Option<&[u32]> {
        self.count.map(|_| self.rows.as_slice())
    }

    pub fn others(&self) -> &[u32] {
        &self.others
    }
}
