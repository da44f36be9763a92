//! The key that secrets are encrypted with: given from outside, or a file that its owner alone can read.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random nonce for each value. Project and name are authenticated along with it,
//! so that a row cannot be moved under another name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use wasmlops_store::SealedSecret;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// In the data folder.
const FILE: &str = "secret.key";

/// Where the key is. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    given: Option<Arc<Zeroizing<[u8; 32]>>>,
    file: PathBuf,
}

impl Keyring {
    /// With a key from outside, or with the file in the data folder, which is made when the first secret is set.
    pub fn new(given: Option<Zeroizing<[u8; 32]>>, home: &Path) -> Self {
        Self { given: given.map(Arc::new), file: home.join(FILE) }
    }

    pub(super) fn seal(&self, project: &str, name: &str, value: &[u8]) -> Result<SealedSecret> {
        let key = match &self.given {
            Some(key) => (**key).clone(),
            None => self.kept_or_made()?,
        };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Error::Host("no random numbers can be had".to_owned()))?;
        // Room for the tag from the start: growing would leave a copy of the value behind.
        let mut bytes = Vec::with_capacity(value.len() + CHACHA20_POLY1305.tag_len());
        bytes.extend_from_slice(value);
        let aead = aead(&key)?;
        let sealed = aead.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound_to(project, name)),
            &mut bytes,
        );
        sealed.map_err(|_| Error::bug("a secret could not be encrypted"))?;
        Ok(SealedSecret { name: name.to_owned(), nonce: nonce.to_vec(), ciphertext: bytes, key_id: id(&key) })
    }

    pub(super) fn open(&self, project: &str, sealed: SealedSecret) -> Result<Zeroizing<Vec<u8>>> {
        let SealedSecret { name, nonce, ciphertext, key_id } = sealed;
        let key = match &self.given {
            Some(key) => (**key).clone(),
            None => self.kept()?.ok_or_else(|| gone(&name, &self.file))?,
        };
        if id(&key) != key_id {
            return Err(other_key(&name));
        }
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| damaged(&name))?;
        let mut bytes = Zeroizing::new(ciphertext);
        let length = aead(&key)?
            .open_in_place(nonce, Aad::from(bound_to(project, &name)), &mut bytes)
            .map_err(|_| damaged(&name))?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The key of the file, which nobody else may be able to read.
    fn kept(&self) -> Result<Option<Zeroizing<[u8; 32]>>> {
        let shown = self.file.display();
        let mut file = match File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Io { what: format!("read `{shown}`"), source: error }),
        };
        let metadata = file.metadata().map_err(Error::io(format!("read `{shown}`")))?;
        if metadata.mode() & 0o077 != 0 {
            let message = format!("others than its owner can use `{shown}`, the key of the project's secrets");
            let hint = format!("`chmod 600 {shown}`, and set the secrets anew if others may have read it");
            return Err(Error::user("open-key", message, hint));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(33));
        Read::by_ref(&mut file).take(33).read_to_end(&mut bytes).map_err(Error::io(format!("read `{shown}`")))?;
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(Zeroizing::new(key))),
            Err(_) => {
                let message = format!("`{shown}` is no key: it must hold 32 bytes");
                Err(Error::user(
                    "invalid-key",
                    message,
                    "bring the file back from a backup, or remove it and set the secrets anew",
                ))
            }
        }
    }

    /// Two processes that make the key at once agree on the one whose link came first.
    fn kept_or_made(&self) -> Result<Zeroizing<[u8; 32]>> {
        if let Some(key) = self.kept()? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *key).map_err(|_| Error::Host("no random numbers can be had".to_owned()))?;
        let beside = self.file.with_extension(format!("key.{}", std::process::id()));
        let made = write_private(&beside, &*key).and_then(|()| match fs::hard_link(&beside, &self.file) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
        let _ = fs::remove_file(&beside);
        made.map_err(Error::io(format!("write `{}`", self.file.display())))?;
        // Secrets are worth nothing without it: it must not be lost with power.
        let folder = self.file.parent().map(File::open).transpose().map_err(Error::io("open the data folder"))?;
        folder.map(|folder| folder.sync_all()).transpose().map_err(Error::io("sync the data folder"))?;
        self.kept()?.ok_or_else(|| Error::Host(format!("`{}` is gone again", self.file.display())))
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A file of that name is of an earlier process with our number, which died in between.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map_err(|_| Error::bug("a key of 32 bytes is none"))
}

/// Tells keys apart, and says nothing of them.
fn id(key: &[u8; 32]) -> String {
    blake3::keyed_hash(key, b"wasmlops secret key id 1").to_hex()[..8].to_owned()
}

/// Lengths, so that no text can borrow from its neighbour.
fn bound_to(project: &str, name: &str) -> Vec<u8> {
    let mut bytes = b"wasmlops-secret/1".to_vec();
    for text in [project, name] {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

fn gone(name: &str, file: &Path) -> Error {
    let message = format!("secret `{name}` cannot be read: `{}` is gone", file.display());
    Error::user("missing-key", message, "bring the key back from a backup, or set the secret anew")
}

fn other_key(name: &str) -> Error {
    let message = format!("secret `{name}` was encrypted with another key than this one");
    let hint = "give the key that it was set with (`WASMLOPS_SECRET_KEY`, or the file `secret.key`), or set it anew";
    Error::user("wrong-key", message, hint)
}

fn damaged(name: &str) -> Error {
    let message = format!("secret `{name}` is not what was kept under this name in this project");
    Error::user("damaged-secret", message, "set it anew; a project that got another name needs its secrets set again")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::new(None, dir.path());
        let sealed = keyring.seal("p", "A", b"correct horse").unwrap();
        let again = keyring.seal("p", "A", b"correct horse").unwrap();
        assert_ne!(sealed.nonce, again.nonce);
        assert_ne!(sealed.ciphertext, again.ciphertext);
        assert!(!sealed.ciphertext.windows(7).any(|window| window == b"correct"));
        assert_eq!(keyring.open("p", sealed.clone()).unwrap().as_slice(), b"correct horse");
        assert!(keyring.open("q", sealed.clone()).is_err());
        assert!(keyring.open("p", SealedSecret { name: "B".into(), ..sealed.clone() }).is_err());
        let mut torn = sealed.clone();
        torn.ciphertext[0] ^= 1;
        assert!(keyring.open("p", torn).is_err());
        let other = Keyring::new(Some(Zeroizing::new([7; 32])), dir.path());
        assert!(other.open("p", sealed).unwrap_err().to_string().contains("another key"));
    }

    #[test]
    fn the_key_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::new(None, dir.path());
        let sealed = keyring.seal("p", "A", b"correct horse").unwrap();
        let file = dir.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        for refused in [keyring.seal("p", "B", b"x").map(|_| ()), keyring.open("p", sealed.clone()).map(|_| ())] {
            assert!(refused.unwrap_err().to_string().contains("others than its owner"));
        }
        fs::remove_file(&file).unwrap();
        assert!(keyring.open("p", sealed).unwrap_err().to_string().contains("is gone"));
        assert!(!file.exists(), "reading makes no key");
    }
}
