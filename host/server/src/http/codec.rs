//! Rows as they cross the wire: JSON and tensors in, core batches out, and back.
//!
//! Pure: bytes and a schema in, a batch or the reasons against it out. Knows no request, endpoint or status. Doors:
//! [`rows::decode`] (the body of a prediction), [`ColumnBuffer`] (one column from loose cells), [`ColumnView`] (one
//! column's cells as they are written).

mod buffer;
mod cell;
mod problems;
pub mod rows;
#[cfg(test)]
mod tests;
mod view;
mod write;

pub use buffer::ColumnBuffer;
pub use cell::{Cell, Precision};
pub use problems::{ColumnProblem, Problems, Refusal};
pub use view::{ColumnView, json, write_cell};
pub use write::predictions;

/// Cells of one request at the most: a few bytes of JSON make a row of any width, so that the body's size alone bounds
/// no memory. 4 million cells are 32 MB as 64-bit numbers.
pub const MAX_CELLS: usize = 4_000_000;
