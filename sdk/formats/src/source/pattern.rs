//! Paths with `*`, `?` and `**`: which files they mean.

use std::path::Path;

use wasmlops_sdk::prelude::*;

/// Files under one pattern: more than anybody has in a table, few enough to hold their names.
const MAX_FILES: usize = 100_000;

/// Folders within folders; staged files have no loops, and no guest needs more.
const MAX_DEPTH: usize = 64;

/// The files that `path` means, sorted by name. A path without marks, or one that is a file's own name, is that file;
/// whether it is there is found when it is opened.
///
/// Errors: `invalid-config` at `path` for a pattern that fits no file.
pub fn paths(path: &str) -> Result<Vec<String>> {
    if !is_pattern(path) || Path::new(path).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let names: Vec<&str> = path.split('/').collect();
    // Folders without marks need no look around.
    let fixed = names[..names.len() - 1].iter().take_while(|name| !is_pattern(name)).count();
    let (root, rest) = names.split_at(fixed);
    let mut rest: Vec<&str> = rest.iter().filter(|name| !matches!(**name, "" | ".")).copied().collect();
    rest.dedup_by(|next, last| *next == "**" && *last == "**");
    // At the end `**` means all files.
    if rest.last() == Some(&"**") {
        rest.push("*");
    }
    let mut found = Found { pattern: path, files: Vec::new() };
    found.walk(&root.join("/"), path.starts_with('/') && fixed == 1, &rest, 0)?;
    found.files.sort();
    found.files.dedup();
    if found.files.is_empty() {
        let folder = if root.is_empty() { ".".to_owned() } else { root.join("/") };
        let message = format!(
            "there is no file that fits `{path}` among those granted to this step\nhint: check the pattern, and grant \
             the step the folder: `grants: {{ read: [{folder}] }}`"
        );
        return Err(Error::invalid_config("path", message));
    }
    Ok(found.files)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

struct Found<'a> {
    pattern: &'a str,
    files: Vec<String>,
}

impl Found<'_> {
    /// Collects what lies in `folder` and fits the names `rest`.
    fn walk(&mut self, folder: &str, is_root: bool, rest: &[&str], depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(&format!("leads through more than {MAX_DEPTH} folders")));
        }
        // A folder that cannot be listed holds nothing that could be read.
        let shown = if folder.is_empty() { if is_root { "/" } else { "." } } else { folder };
        let Ok(entries) = std::fs::read_dir(shown) else { return Ok(()) };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() && !is_root { name.clone() } else { format!("{folder}/{name}") };
            let entry = Entry { is_folder: entry.path().is_dir(), path, name };
            match rest.split_first() {
                Some((&"**", below)) => {
                    if entry.is_folder && !entry.is_hidden() {
                        self.walk(&entry.path, false, rest, depth + 1)?;
                    }
                    // It stands for no folder, too.
                    self.take(entry, below, depth)?;
                }
                _ => self.take(entry, rest, depth)?,
            }
        }
        Ok(())
    }

    /// Goes on with an entry if it fits the first name of `rest`, which is not `**`.
    fn take(&mut self, entry: Entry, rest: &[&str], depth: usize) -> Result<()> {
        let Some((pattern, below)) = rest.split_first() else { return Ok(()) };
        if !fits(pattern, &entry.name) || (entry.is_hidden() && !pattern.starts_with('.')) {
            return Ok(());
        }
        match (below.is_empty(), entry.is_folder) {
            (true, false) => self.files.push(entry.path),
            (false, true) => self.walk(&entry.path, false, below, depth + 1)?,
            _ => {}
        }
        if self.files.len() > MAX_FILES {
            return Err(self.wrong(&format!("fits more than {MAX_FILES} files")));
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Error {
        Error::invalid_config("path", format!("`{}` {what}\nhint: name a smaller folder", self.pattern))
    }
}

struct Entry {
    path: String,
    name: String,
    is_folder: bool,
}

impl Entry {
    /// As in shells: a mark never stands for the point at the beginning of a name.
    fn is_hidden(&self) -> bool {
        self.name.starts_with('.')
    }
}

/// Whether `*` (any characters) and `?` (one) can stand for what makes `pattern` into `name`. Goes back to the last `*`
/// alone, which is enough, so that the time is bounded by the product of the lengths.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while position < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
            }
            Some(&mark) if mark == '?' || mark == name[position] => {
                at += 1;
                position += 1;
            }
            _ => match &mut star {
                Some((star, taken)) => {
                    *taken += 1;
                    (at, position) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|mark| *mark == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_for_parts_of_names() {
        for (pattern, name) in [("*", "a"), ("a*", "a"), ("*.csv", "a.csv"), ("2026-??.csv", "2026-01.csv")] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a*b*c", "aXbYc"), ("*a*", "bab"), ("?", "é"), ("a**", "abc"), ("*aab", "aaaab")] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("?", ""), ("a", "b"), ("*.csv", "a.csv.gz"), ("a?", "a"), ("a*b", "abc")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
