//! What users write under `with`. Compiled into the build script too.

pub use wasmlops_statistics::compare::Options as Config;
