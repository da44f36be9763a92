//! Memory: one sum over all linear memories and tables of a call.
//!
//! wasmtime's own limits hold for each memory alone and allow ten thousand of them.

use wasmtime::ResourceLimiter;

/// How many of each a component may have. A component that an ordinary toolchain makes has one memory, up to three
/// tables and under a dozen core instances; composed ones have a few times that.
pub(crate) const MAX_MEMORIES: usize = 4;
pub(crate) const MAX_TABLES: usize = 16;
pub(crate) const MAX_INSTANCES: usize = 32;
/// Slots in all tables together.
pub(crate) const MAX_TABLE_SLOTS: usize = 100_000;

/// What a table slot takes.
const SLOT_BYTES: u64 = size_of::<usize>() as u64;

pub(crate) struct Limiter {
    limit: u64,
    components: usize,
    memory: u64,
    slots: usize,
    peak: u64,
    /// What the last growth added: to be taken back when it fails further down.
    last: (u64, usize),
    refused: bool,
}

impl Limiter {
    /// `limit` in bytes.
    pub fn new(limit: u64) -> Self {
        Self::for_components(1, limit)
    }

    /// As [`Limiter::new`], for a store with several components, each of which may have its count of things.
    pub fn for_components(components: usize, limit: u64) -> Self {
        Self { limit, components, memory: 0, slots: 0, peak: 0, last: (0, 0), refused: false }
    }

    /// The most bytes held at once.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// Whether the guest asked for more than it may have.
    pub fn refused(&self) -> bool {
        self.refused
    }

    fn grow(&mut self, memory: u64, slots: usize) -> bool {
        let total = (self.memory.saturating_add(memory))
            .saturating_add((self.slots.saturating_add(slots) as u64).saturating_mul(SLOT_BYTES));
        if total > self.limit || self.slots.saturating_add(slots) > MAX_TABLE_SLOTS {
            self.refused = true;
            self.last = (0, 0);
            return false;
        }
        self.memory += memory;
        self.slots += slots;
        self.peak = self.peak.max(total);
        self.last = (memory, slots);
        true
    }

    fn take_back(&mut self) {
        let (memory, slots) = std::mem::take(&mut self.last);
        self.memory -= memory;
        self.slots -= slots;
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow((desired - current) as u64, 0))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(0, desired - current))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.components * MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        self.components * MAX_TABLES
    }

    fn memories(&self) -> usize {
        self.components * MAX_MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_memories_and_tables() {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 400, None).unwrap());
        assert!(limiter.memory_growing(0, 400, None).unwrap());
        assert!(limiter.table_growing(0, 25, None).unwrap());
        assert!(!limiter.refused());
        assert!(!limiter.memory_growing(400, 500, None).unwrap());
        assert!(limiter.refused());
        assert_eq!(limiter.peak(), 1000);
    }

    #[test]
    fn a_growth_that_fails_later_costs_nothing() {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 800, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no address space")).unwrap();
        assert!(limiter.memory_growing(0, 1000, None).unwrap());
    }
}
