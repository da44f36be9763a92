//! Compiled code on disk: used when it is ours, never when it is not.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use wasmlops_engine::{Engine, EngineOptions, Profile};

use crate::lab::{Bench, bytes, component, engine};

struct Cache(tempfile::TempDir);

impl Cache {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("compiled")
    }

    /// Prepares and runs a guest with a fresh engine on this cache: whether the code came from it.
    fn is_used_for(&self, guest: &str) -> bool {
        let engine = engine(Some(self.folder()));
        let prepared = engine.prepare(&component(guest), Profile::default()).unwrap();
        assert_eq!(bytes(engine.call_blocking(&prepared, Bench::train().request())), b"done");
        prepared.from_cache()
    }

    fn file(&self) -> PathBuf {
        let mut files: Vec<_> = std::fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

#[test]
fn code_is_compiled_once() {
    let cache = Cache::new();
    assert!(!cache.is_used_for("well-behaved"));
    assert!(cache.is_used_for("well-behaved"));
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(cache.file()), 0o600);
    assert_eq!(mode(cache.folder()), 0o700);
}

#[test]
fn an_engine_keeps_code_in_memory() {
    let engine = engine(None);
    let bytes = component("well-behaved");
    assert!(!engine.prepare(&bytes, Profile::default()).unwrap().from_cache());
    assert!(engine.prepare(&bytes, Profile::default()).unwrap().from_cache());
    let digest = *engine.prepare(&bytes, Profile::default()).unwrap().digest();
    assert!(engine.ready(&digest, Profile::default()).is_some());
    // Another profile is other code.
    assert!(engine.ready(&digest, Profile { strict: true, fuel: false }).is_none());
    assert!(!engine.prepare(&bytes, Profile { strict: true, fuel: false }).unwrap().from_cache());
}

#[test]
fn a_changed_byte_means_compiling_again() {
    let cache = Cache::new();
    cache.is_used_for("well-behaved");
    let good = std::fs::read(cache.file()).unwrap();
    for position in [0, 31, 32, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[position] ^= 1;
        std::fs::write(cache.file(), bad).unwrap();
        assert!(!cache.is_used_for("well-behaved"), "byte {position}");
        assert!(cache.is_used_for("well-behaved"));
    }
    for length in [0, 16, 32, good.len() - 1] {
        std::fs::write(cache.file(), &good[..length]).unwrap();
        assert!(!cache.is_used_for("well-behaved"), "{length} bytes");
    }
}

#[test]
fn code_under_another_components_name_is_not_loaded() {
    let cache = Cache::new();
    cache.is_used_for("well-behaved");
    let good = cache.file();
    let other = Cache::new();
    other.is_used_for("log-flood");
    std::fs::copy(good, other.file()).unwrap();
    assert!(!other.is_used_for("log-flood"));
}

#[test]
fn code_sealed_by_another_host_is_not_loaded() {
    let cache = Cache::new();
    cache.is_used_for("well-behaved");
    let options = EngineOptions { cache_dir: Some(cache.folder()), cache_key: [43; 32], workers: 1 };
    let stranger = Engine::new(options).unwrap();
    assert!(!stranger.prepare(&component("well-behaved"), Profile::default()).unwrap().from_cache());
}
