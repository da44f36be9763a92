//! What wasmtime is set to: one engine for each [`Profile`].
//!
//! Everything a guest does not need is off here, at run time, while the Cargo features stay compiled in: some
//! advisories concern builds without them. Code compiled under one profile cannot be loaded under another.

use wasmtime::{Config, Engine, Strategy, WasmBacktraceDetails};

/// How guest code is compiled where that changes what it computes or what it can be held to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Profile {
    /// Canonicalise NaN bits inside the guest after every float operation. Costs 90-127 % on float loops; without it
    /// NaNs are canonicalised where values leave the guest.
    pub strict: bool,
    /// Meter instructions, so that [`wasmlops_core::limits::Limits::fuel`] can be enforced. Costs 10-50 %.
    pub fuel: bool,
}

impl Profile {
    /// Every profile there is, at its `index`.
    pub const ALL: [Profile; 4] = [
        Profile { strict: false, fuel: false },
        Profile { strict: true, fuel: false },
        Profile { strict: false, fuel: true },
        Profile { strict: true, fuel: true },
    ];

    pub(crate) fn index(self) -> usize {
        usize::from(self.strict) + 2 * usize::from(self.fuel)
    }

    /// Names what results depend on. It goes into cache keys, so it must not change with a patch of wasmtime: the
    /// leading number is raised by hand when the same guest could compute something else.
    pub(crate) fn id(self) -> String {
        let nan = if self.strict { "engine" } else { "edge" };
        let fuel = if self.fuel { "on" } else { "off" };
        format!("wasmlops-engine/1 nan={nan} simd=deterministic fuel={fuel}")
    }
}

/// A wasmtime engine for the profile. The default allocator (on demand) gives every store fresh memory, so that nothing
/// of an earlier guest can be read.
pub(crate) fn engine(profile: Profile) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.strategy(Strategy::Cranelift);
    config.cranelift_nan_canonicalization(profile.strict);
    config.wasm_simd(true);
    config.wasm_relaxed_simd(true);
    config.relaxed_simd_deterministic(true);

    config.epoch_interruption(true);
    config.consume_fuel(profile.fuel);
    // Frames are worth their bytes in a trap's message; the variant that reads the environment is not.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);

    switch_off(&mut config);
    Engine::new(&config)
}

fn switch_off(config: &mut Config) {
    config.wasm_component_model_async(false);
    // Calls in and out cost a quarter without the bookkeeping that only async components need.
    config.concurrency_support(false);
    config.wasm_exceptions(false);
    config.wasm_function_references(false);
    config.wasm_gc(false);
    config.gc_support(false);
    config.wasm_threads(false);
    config.shared_memory(false);
    config.wasm_memory64(false);
    config.wasm_tail_call(false);
    config.wasm_stack_switching(false);
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
}
