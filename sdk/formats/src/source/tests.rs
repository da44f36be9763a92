//! Tests of the door: paths and patterns, on folders of their own.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A folder with files that hold their own names; gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("wasmlops-formats-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for file in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        Self(folder)
    }

    /// The names that a pattern finds, relative to the folder.
    fn find(&self, pattern: &str) -> Result<Vec<String>> {
        let root = format!("{}/", self.0.display());
        let files = Files { path: format!("{root}{pattern}"), file_column: None };
        let sources = Sources::files(&files)?;
        Ok(sources.inputs.iter().map(|input| input.name().trim_start_matches(&root).to_owned()).collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn patterns_find_files_in_the_order_of_their_names() {
    let files = ["b.csv", "a.csv", "a.csv.gz", "x/c.csv", "x/y/d.csv", ".hidden.csv", ".git/e.csv", "odd*.csv"];
    let folder = Folder::new("patterns", &files);
    let find = |pattern| folder.find(pattern).unwrap();
    assert_eq!(find("?.csv"), ["a.csv", "b.csv"]);
    assert_eq!(find("*/*.csv"), ["x/c.csv"]);
    assert_eq!(find("**/?.csv"), ["a.csv", "b.csv", "x/c.csv", "x/y/d.csv"]);
    assert_eq!(find("**/**/y/*"), ["x/y/d.csv"]);
    assert_eq!(find("x/**"), ["x/c.csv", "x/y/d.csv"]);
    assert_eq!(find(".h*"), [".hidden.csv"]);
    assert_eq!(find("odd*.csv"), ["odd*.csv"], "a file's own name is that file");
    assert_eq!(find("./x/./*.csv"), ["./x/./c.csv"]);
}

#[test]
fn a_pattern_without_files_says_so() {
    let folder = Folder::new("none", &["x/a.csv"]);
    let error = folder.find("x/*.tsv").unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some("path")));
    assert!(error.message.contains("there is no file that fits") && error.message.contains("/x]"), "{error}");
    assert!(folder.find("*/x/*").is_err(), "a file is no folder");
}

#[test]
fn content_is_without_compression_and_streams_are_as_they_lie_there() {
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let sources = Sources::memory("a", "path", packed.to_vec());
    let input = &sources.inputs[0];
    let (mut raw, mut content) = (Vec::new(), Vec::new());
    input.open().unwrap().read_to_end(&mut raw).unwrap();
    input.open_content().unwrap().read_to_end(&mut content).unwrap();
    assert_eq!((raw.as_slice(), content.as_slice()), (&packed[..], &[][..]));
}

#[test]
fn a_file_column_needs_a_name_of_its_own() {
    let sources = Sources::memory("a", "path", Vec::new());
    let fields = [Field::new("x", DataType::S64, true)];
    assert_eq!(sources.file_field("file", &fields).unwrap().data_type, DataType::Categorical);
    for name in ["x", ""] {
        assert_eq!(sources.file_field(name, &fields).unwrap_err().field.as_deref(), Some("file_column"));
    }
}
