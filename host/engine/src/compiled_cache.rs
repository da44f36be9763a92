//! Compiled code on disk, believed only with a MAC.
//!
//! Loading compiled code means running it, so whoever could write the folder could take over the host. Each file is
//! `MAC ‖ code`, where the MAC is BLAKE3 keyed with the host's secret over `length of the key ‖ key ‖ code`; it is
//! checked over the very bytes that are loaded afterwards. A file that is missing, torn, foreign or changed is no
//! error: the component is compiled again.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use wasmlops_package::Digest;
use wasmtime::component::Component;

use crate::config::Profile;

pub(crate) struct CompiledCache {
    folder: PathBuf,
    secret: [u8; 32],
}

/// What the code was made from, and by what.
pub(crate) struct CodeKey(String);

impl CodeKey {
    pub fn new(digest: &Digest, profile: Profile, engine: &wasmtime::Engine) -> Self {
        let mut compatibility = Blake3Hasher(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut compatibility);
        Self(format!("{}-{}{}", digest.hex(), profile.index(), &compatibility.0.finalize().to_hex()[..16]))
    }
}

impl CompiledCache {
    /// Errors: the folder cannot be made.
    pub fn open(folder: PathBuf, secret: [u8; 32]) -> std::io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder, secret })
    }

    /// The component, if its code lies here unharmed.
    pub fn load(&self, key: &CodeKey, engine: &wasmtime::Engine) -> Option<Component> {
        let file = std::fs::read(self.path(key)).ok()?;
        let (mac, code) = file.split_first_chunk::<32>()?;
        // `blake3::Hash` compares in constant time.
        if self.mac(key, code) != blake3::Hash::from_bytes(*mac) {
            tracing::warn!(key = key.0, "compiled code with a wrong seal was not loaded");
            return None;
        }
        // SAFETY: the MAC says that a host with our secret wrote exactly these bytes, which are in our own memory, and
        // `store` only writes what `Component::serialize` gave it.
        unsafe { Component::deserialize(engine, code) }.ok()
    }

    /// Keeps the code for the next time. Failing to is no reason to fail a call.
    pub fn store(&self, key: &CodeKey, component: &Component) {
        let written = component.serialize().map_err(|error| error.to_string()).and_then(|code| {
            let mac = self.mac(key, &code);
            write_whole(&self.path(key), &[mac.as_bytes(), &code]).map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(error, "compiled code was not kept");
        }
    }

    fn path(&self, key: &CodeKey) -> PathBuf {
        self.folder.join(format!("{}.code", key.0))
    }

    fn mac(&self, key: &CodeKey, code: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.secret);
        mac.update(&(key.0.len() as u64).to_le_bytes()).update(key.0.as_bytes()).update(code);
        mac.finalize()
    }
}

/// A reader sees the whole file or none. Not flushed to disk: a torn file fails its MAC.
fn write_whole(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let unique = format!("{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let part = path.with_extension(unique);
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        parts.iter().try_for_each(|bytes| file.write_all(bytes))?;
        std::fs::rename(&part, path)
    };
    write().inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}

/// Takes what a `Hash` gives. The standard hasher may change with the toolchain, this one does not.
struct Blake3Hasher(blake3::Hasher);

impl Hasher for Blake3Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the digest is taken whole")
    }
}
