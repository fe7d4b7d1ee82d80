//! The operations of the data plane, one file an area.

mod jobs;
mod providers;
mod storage;

pub use jobs::Jobs;
pub use providers::Providers;
pub use storage::Storage;
