//! `wasi:random`: bytes that depend on the step's seed alone.
//!
//! They are the output stream of BLAKE3 keyed with the seed (section 2.6 of its paper, "Extendable Output"), whose
//! bytes, unlike those of a library's "standard generator", are fixed for good. All three interfaces draw from streams
//! of their own, so that what one is used for does not shift another.

use blake3::OutputReader;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use crate::state::State;
use crate::watch::{Stop, Stopped};

/// Bytes of one call. The default is 64 MiB.
const MAX_BYTES: u64 = 64 << 10;

pub(crate) struct Randomness {
    random: OutputReader,
    insecure: OutputReader,
    insecure_seed: OutputReader,
}

impl Randomness {
    pub fn new(seed: &[u8; 32]) -> Self {
        let stream = |name: &str| blake3::Hasher::new_keyed(seed).update(name.as_bytes()).finalize_xof();
        Self {
            random: stream("wasi:random/random"),
            insecure: stream("wasi:random/insecure"),
            insecure_seed: stream("wasi:random/insecure-seed"),
        }
    }
}

fn next_u64(stream: &mut OutputReader) -> u64 {
    let mut bytes = [0; 8];
    stream.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

impl State {
    fn random_bytes(
        &mut self,
        len: u64,
        stream: fn(&mut Randomness) -> &mut OutputReader,
    ) -> wasmtime::Result<Vec<u8>> {
        if len > MAX_BYTES {
            self.watch
                .stop(Stop::HostBudget(format!("{len} random bytes in one call, and at most {MAX_BYTES} are given")));
            return Err(Stopped.into());
        }
        self.watch.host_call(len as usize)?;
        let mut bytes = vec![0; len as usize];
        stream(&mut self.random).fill(&mut bytes);
        Ok(bytes)
    }
}

impl random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len, |random| &mut random.random)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.watch.host_call(8)?;
        Ok(next_u64(&mut self.random.random))
    }
}

impl insecure::Host for State {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len, |random| &mut random.insecure)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.watch.host_call(8)?;
        Ok(next_u64(&mut self.random.insecure))
    }
}

impl insecure_seed::Host for State {
    /// Meant to be read once, for hash maps; the contract allows it to be the same each time, and so it is.
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.watch.host_call(16)?;
        let stream = &mut self.random.insecure_seed;
        stream.set_position(0);
        Ok((next_u64(stream), next_u64(stream)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut randomness = Randomness::new(&[7; 32]);
        let first = next_u64(&mut randomness.random);
        assert_eq!(first, next_u64(&mut Randomness::new(&[7; 32]).random));
        assert_ne!(first, next_u64(&mut randomness.random));
        assert_ne!(first, next_u64(&mut randomness.insecure));
        assert_ne!(first, next_u64(&mut Randomness::new(&[8; 32]).random));
    }
}
