//! The keys that records have: a tree, since objects lie in objects, with a column for each leaf.

use std::collections::HashMap;

/// Different keys in a file, wherever they stand.
const MAX_KEYS: usize = 20_000;

/// A key's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry(u32);

impl Entry {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// All keys so far.
pub struct Keys {
    nodes: Vec<Node>,
    entries: Vec<Key>,
    /// Counts records, to see a key that comes twice in one.
    record: u64,
}

/// The keys of objects at one place.
struct Node {
    /// With the dot behind it; empty for the root.
    prefix: String,
    /// In the order in which they came first, which is most often that of every record.
    entries: Vec<u32>,
    by_key: HashMap<Box<[u8]>, u32>,
}

struct Key {
    raw: Box<[u8]>,
    name: String,
    node: Option<usize>,
    /// Among the keys of its object.
    place: usize,
    /// The last record that had it.
    record: u64,
}

impl Keys {
    pub const ROOT: usize = 0;

    pub fn new() -> Self {
        Self { nodes: vec![Node::new(String::new())], entries: Vec::new(), record: 0 }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn begin_record(&mut self) {
        self.record += 1;
    }

    /// The entry of `key` in the object `node`. `expected` is the place of the key that usually comes next.
    #[inline]
    pub fn find(&self, node: usize, key: &[u8], expected: &mut usize) -> Option<Entry> {
        let node = &self.nodes[node];
        if let Some(&entry) = node.entries.get(*expected)
            && *self.entries[entry as usize].raw == *key
        {
            *expected += 1;
            return Some(Entry(entry));
        }
        let entry = *node.by_key.get(key)?;
        // What follows is most often what followed it before.
        *expected = self.entries[entry as usize].place + 1;
        Some(Entry(entry))
    }

    /// A new key; `None` where there are too many.
    pub fn add(&mut self, node: usize, key: &[u8]) -> Option<Entry> {
        if self.entries.len() >= MAX_KEYS {
            return None;
        }
        let entry = u32::try_from(self.entries.len()).ok()?;
        let name = self.path(node, key);
        self.entries.push(Key { raw: key.into(), name, node: None, place: self.nodes[node].entries.len(), record: 0 });
        self.nodes[node].entries.push(entry);
        self.nodes[node].by_key.insert(key.into(), entry);
        Some(Entry(entry))
    }

    /// Adds the keys on the way to `name`: `a.b` is `b` in the object `a`, and the key `a.b` itself.
    pub fn declare(&mut self, name: &str) -> Option<()> {
        let mut node = Self::ROOT;
        self.find_or_add(node, name.as_bytes())?;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            let entry = self.find_or_add(node, part.as_bytes())?;
            if parts.peek().is_some() {
                node = self.node(entry, true)?;
            }
        }
        Some(())
    }

    fn find_or_add(&mut self, node: usize, key: &[u8]) -> Option<Entry> {
        self.find(node, key, &mut 0).or_else(|| self.add(node, key))
    }

    /// Notes that the record has the key; `false` if it had it already.
    #[inline]
    pub fn see(&mut self, entry: Entry) -> bool {
        let key = &mut self.entries[entry.index()];
        let first = key.record != self.record;
        key.record = self.record;
        first
    }

    /// The object under a key; made where `make` says so.
    pub fn node(&mut self, entry: Entry, make: bool) -> Option<usize> {
        let key = &mut self.entries[entry.index()];
        if key.node.is_none() && make {
            key.node = Some(self.nodes.len());
            self.nodes.push(Node::new(format!("{}.", key.name)));
        }
        key.node
    }

    /// The name that the key's column has.
    pub fn name(&self, entry: Entry) -> &str {
        &self.entries[entry.index()].name
    }

    /// All names, in the order of [`Entry::index`].
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|key| key.name.as_str())
    }

    pub fn path(&self, node: usize, key: &[u8]) -> String {
        format!("{}{}", self.nodes[node].prefix, String::from_utf8_lossy(key))
    }
}

impl Node {
    fn new(prefix: String) -> Self {
        Self { prefix, entries: Vec::new(), by_key: HashMap::new() }
    }
}
