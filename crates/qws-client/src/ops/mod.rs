//! The operations of the data plane, one file an area.

mod filter;
mod items;
mod jobs;
mod list;
mod providers;
mod quotas;
mod sessions;
mod storage;
mod suite_offers;

pub use filter::{Filter, Order, Property};
pub use items::Items;
pub use jobs::Jobs;
pub use list::{Continuation, List, Page};
pub use providers::Providers;
pub use quotas::Quotas;
pub use sessions::Sessions;
pub use storage::Storage;
pub use suite_offers::SuiteOffers;
