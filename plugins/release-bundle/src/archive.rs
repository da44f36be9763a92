//! A tar archive whose bytes depend on names and contents alone: no times, no owners, files in the order of their names.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use wasmlops_sdk::prelude::*;

/// What a reader of the folder checks with `sha256sum --check SHA256SUMS`.
const CHECKSUMS: &str = "SHA256SUMS";

pub struct Archive {
    folder: String,
    files: BTreeMap<String, Vec<u8>>,
}

pub struct Finished {
    pub bytes: Vec<u8>,
    /// Of the archive, in hex.
    pub sha256: String,
    /// The checksums' own file included.
    pub files: usize,
}

impl Archive {
    pub fn new(folder: &str) -> Self {
        Self { folder: folder.to_owned(), files: BTreeMap::new() }
    }

    /// Errors: `invalid-input` for a name that leads out of the folder or comes twice.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !plain || name.contains('\\') || name == CHECKSUMS {
            return Err(Error::invalid_input(format!("`{name}` cannot name a file of a bundle")));
        }
        if self.files.insert(name.to_owned(), bytes).is_some() {
            return Err(Error::invalid_input(format!("the release has two files `{name}`")));
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<Finished> {
        let line = |(name, bytes): (&String, &Vec<u8>)| format!("{}  {name}\n", hex(bytes));
        let checksums: String = self.files.iter().map(line).collect();
        self.files.insert(CHECKSUMS.to_owned(), checksums.into_bytes());
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in &self.files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            let path = format!("{}/{name}", self.folder);
            tar.append_data(&mut header, &path, bytes.as_slice()).map_err(cannot(&path))?;
        }
        let bytes = tar.into_inner().map_err(cannot("the archive"))?;
        Ok(Finished { sha256: hex(&bytes), files: self.files.len(), bytes })
    }
}

fn cannot(path: &str) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::invalid_input(format!("`{path}` cannot be put into the archive: {error}"))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn sample() -> Finished {
        let mut archive = Archive::new("churn-3");
        archive.add("transforms/0.state", vec![7; 1000]).unwrap();
        archive.add("model.json", b"{}".to_vec()).unwrap();
        archive.finish().unwrap()
    }

    #[test]
    fn holds_every_file_and_its_checksum() {
        let finished = sample();
        let mut archive = tar::Archive::new(finished.bytes.as_slice());
        let mut files = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            assert_eq!((entry.header().mtime().unwrap(), entry.header().mode().unwrap()), (0, 0o644));
            files.insert(entry.path().unwrap().to_string_lossy().into_owned(), bytes);
        }
        assert_eq!(files.len(), finished.files);
        assert_eq!(files["churn-3/transforms/0.state"], vec![7; 1000]);
        // `printf '{}' | sha256sum`
        let sum = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  model.json\n";
        assert!(String::from_utf8_lossy(&files["churn-3/SHA256SUMS"]).starts_with(sum));
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(sample().bytes, sample().bytes);
    }

    #[test]
    fn names_stay_in_the_folder() {
        for name in ["../x", "/x", "a//b", "a/./b", "", "SHA256SUMS", "a\\b"] {
            assert!(Archive::new("m").add(name, vec![]).is_err(), "{name}");
        }
        let mut twice = Archive::new("m");
        twice.add("a", vec![]).unwrap();
        assert!(twice.add("a", vec![]).is_err());
    }
}
