//! The engine from its door: guests in, reports out. Each guest is a file in `../guests` that does one thing.

#![allow(clippy::unwrap_used)]

mod ask;
mod behaviour;
mod cache;
mod deliver;
mod hostile;
mod lab;
mod refusals;
mod upkeep;
mod warm;
