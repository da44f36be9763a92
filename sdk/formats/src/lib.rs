//! Foreign bytes into tables, for plugins that read data: a plugin says where the bytes come from, this crate the rest.
//!
//! [`source`] is what is read: granted files by path or pattern, or bytes in memory, each with the name that messages
//! give it. [`compress`] takes compression away, by what the bytes are and not by their name. [`csv`], [`json`] and
//! `parquet` each have one door, `read`: sources and options in, rows into a table writer, and a report or an error
//! with its place out. [`options`] holds what users write for each of them. Shared by the formats that are text:
//! [`value`] (one text as a value), [`infer`] (the type of a column that nobody declared), [`problems`] (rows that
//! cannot be read).
//!
//! No bytes make any of it panic, and memory is bounded whatever a file claims.

pub mod compress;
pub mod csv;
pub mod infer;
pub mod json;
pub mod options;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod problems;
pub mod source;
pub mod value;
