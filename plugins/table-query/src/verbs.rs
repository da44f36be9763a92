//! The verbs: each is planned against the columns that it will meet, then run.

mod aggregate;
mod distinct;
mod filter;
mod join;
pub mod ordered;
mod point_in_time;
pub mod project;
mod right;
mod window;

pub use aggregate::Aggregated;
pub use distinct::Unique;
pub use filter::Filtered;
pub use join::Joined;
pub use point_in_time::PointInTime;
pub use project::Projected;
pub use window::Windowed;
