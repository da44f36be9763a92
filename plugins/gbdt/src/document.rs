//! Trees as bytes: for models, which predictors should load quickly, and for checkpoints.
//!
//! `wasmlops-gbdt`, a version byte, a JSON header with its length, then each tree: the number of leaves, the nodes (feature,
//! kind, threshold or set of codes, children, gain) and the leaves (value, rows). All numbers are little-endian; a
//! child below 0 is a leaf, counted from -1 down.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmlops_sdk::{Error, Result, decode, encode};

use crate::tree::{Child, CodeSet, Node, Rule, Tree};

const MAGIC: &[u8] = b"wasmlops-gbdt\x01";

const AT_MOST: u8 = 0;
const AT_MOST_OR_MISSING: u8 = 1;
const IN: u8 = 2;

/// The fewest bytes of a node, and of a leaf.
const LEAST_NODE: usize = 29;
const LEAF: usize = 12;

/// Errors: `internal` where the header cannot be written.
pub fn write(header: &impl Serialize, trees: &[Tree]) -> Result<Vec<u8>> {
    let header = encode(header)?;
    let mut out = MAGIC.to_vec();
    out.extend((header.len() as u32).to_le_bytes());
    out.extend(header);
    out.extend((trees.len() as u32).to_le_bytes());
    for tree in trees {
        out.extend((tree.leaves.len() as u32).to_le_bytes());
        tree.nodes.iter().for_each(|node| write_node(&mut out, node));
        for (value, rows) in tree.leaves.iter().zip(&tree.rows) {
            out.extend(value.to_le_bytes());
            out.extend((*rows as u32).to_le_bytes());
        }
    }
    Ok(out)
}

fn write_node(out: &mut Vec<u8>, node: &Node) {
    out.extend(node.feature.to_le_bytes());
    match node.rule {
        Rule::AtMost { threshold, missing_left } => {
            out.push(if missing_left { AT_MOST_OR_MISSING } else { AT_MOST });
            out.extend(threshold.to_le_bytes());
        }
        Rule::In { set } => {
            out.push(IN);
            set.iter().for_each(|word| out.extend(word.to_le_bytes()));
        }
    }
    for child in [node.left, node.right] {
        let number = match child {
            Child::Node(node) => node as i32,
            Child::Leaf(leaf) => !(leaf as i32),
        };
        out.extend(number.to_le_bytes());
    }
    out.extend(node.gain.to_le_bytes());
}

/// Errors: `invalid-input` for bytes that [`write`] did not write, with the place. Trees are trees: every node and leaf
/// is reached once, and no number is NaN.
pub fn read<H: DeserializeOwned>(bytes: &[u8]) -> Result<(H, Vec<Tree>)> {
    let mut bytes = Bytes { bytes, at: 0 };
    if bytes.take(MAGIC.len())? != MAGIC {
        return Err(bytes.refuse("it does not start like a model of `gbdt`, version 1"));
    }
    let length = bytes.u32()? as usize;
    let header = decode(bytes.take(length)?)?;
    let count = bytes.count(4)?;
    let trees = (0..count).map(|_| read_tree(&mut bytes)).collect::<Result<_>>()?;
    if bytes.at < bytes.bytes.len() {
        return Err(bytes.refuse("it goes on after the last tree"));
    }
    Ok((header, trees))
}

struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn refuse(&self, what: &str) -> Error {
        Error::invalid_input(format!("the model cannot be read at byte {}: {what}", self.at)).at("model")
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.refuse("it ends too early"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into().expect("as many were taken"))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn number(&mut self) -> Result<f64> {
        let number = f64::from_le_bytes(self.array()?);
        if number.is_nan() { Err(self.refuse("a number is NaN")) } else { Ok(number) }
    }

    fn finite(&mut self) -> Result<f64> {
        let number = self.number()?;
        if number.is_finite() { Ok(number) } else { Err(self.refuse("a number is infinite")) }
    }

    /// How many things of at least `least` bytes follow; no more than the bytes that are left can hold.
    fn count(&mut self, least: usize) -> Result<usize> {
        let count = self.u32()? as usize;
        let most = (self.bytes.len() - self.at) / least;
        if count > most { Err(self.refuse("it ends too early")) } else { Ok(count) }
    }
}

fn read_tree(bytes: &mut Bytes) -> Result<Tree> {
    let leaves = bytes.count(LEAF)?;
    if leaves == 0 || (leaves - 1).saturating_mul(LEAST_NODE) > bytes.bytes.len() - bytes.at {
        return Err(bytes.refuse("a tree has no leaves, or more than there are bytes for"));
    }
    let mut tree = Tree { nodes: Vec::with_capacity(leaves - 1), ..Tree::default() };
    let (mut seen_nodes, mut seen_leaves) = (vec![false; leaves - 1], vec![false; leaves]);
    for at in 0..leaves - 1 {
        if at > 0 && !seen_nodes[at] {
            return Err(bytes.refuse("nothing leads to a node"));
        }
        let node = read_node(bytes)?;
        for child in [node.left, node.right] {
            let seen = match child {
                // A child stands behind its parent, so that every walk ends.
                Child::Node(child) => seen_nodes.get_mut(child as usize).filter(|_| child as usize > at),
                Child::Leaf(leaf) => seen_leaves.get_mut(leaf as usize),
            };
            match seen {
                Some(seen @ false) => *seen = true,
                _ => return Err(bytes.refuse("a node's child is none")),
            }
        }
        tree.nodes.push(node);
    }
    for _ in 0..leaves {
        tree.leaves.push(bytes.finite()?);
        tree.rows.push(u64::from(bytes.u32()?));
    }
    Ok(tree)
}

fn read_node(bytes: &mut Bytes) -> Result<Node> {
    let feature = bytes.u32()?;
    let rule = match bytes.array()? {
        [kind @ (AT_MOST | AT_MOST_OR_MISSING)] => {
            Rule::AtMost { threshold: bytes.number()?, missing_left: kind == AT_MOST_OR_MISSING }
        }
        [IN] => {
            let mut set = CodeSet::default();
            for word in &mut set {
                *word = u64::from_le_bytes(bytes.array()?);
            }
            Rule::In { set }
        }
        _ => return Err(bytes.refuse("a node is of no known kind")),
    };
    let mut child = || -> Result<Child> {
        let number = i32::from_le_bytes(bytes.array()?);
        Ok(if number < 0 { Child::Leaf(!number as u32) } else { Child::Node(number as u32) })
    };
    let (left, right) = (child()?, child()?);
    Ok(Node { feature, rule, left, right, gain: bytes.finite()? })
}
