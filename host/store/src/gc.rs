//! Removing what retention lets go, and the blobs that nothing names any more. Decides nothing about runs: see
//! `wasmlops_core::retention`.
//!
//! A blob is there before the row that names it, and rows are found by one process while another one writes. So nothing
//! that is about to be named may go:
//!
//! 1. Whoever will name a blob has put it ([`Blobs::put`](crate::Blobs::put)) or held it
//!    ([`Blobs::hold`](crate::Blobs::hold)) less than [`GRACE`] before. Both set the file's time, also where the blob
//!    was there already.
//! 2. Names are read in one snapshot, begun at a time M. A name that is committed later belongs to a blob whose time is
//!    after M − grace; one that was committed earlier is seen.
//! 3. A file is removed only if its time is before M − grace, looked at under a lock that every put and hold shares
//!    ([`Blobs::remove_older`](crate::Blobs::remove_older)). Who comes first keeps the blob; who comes second finds
//!    none, and stores it again or takes it for lost.
//! 4. And it is removed only if nothing named it a grace ago either: whoever looked a digest up and names it without
//!    holding it has that long.
//! 5. Rows that say what a blob was go before its file: a crash in between leaves a file without a name, which the next
//!    passes find again.

mod aged;
mod condemned;
mod named;
mod runs;

pub use aged::{Aged, Removed};
pub use condemned::{Condemned, Judged};
pub use named::{Named, digests_in};
pub use runs::RetentionRow;

/// A blob younger than this is never removed, and one that nothing names waits so long: a day, in microseconds. No run,
/// upload or registration holds a digest for longer before it commits it.
pub const GRACE: i64 = 24 * 60 * 60 * 1_000_000;
