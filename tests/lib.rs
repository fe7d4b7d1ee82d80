//! Helpers of the contract suite: an emulator whose time the client moves, and a transport that plays vectors.

mod local;
mod replay;
mod vector;

pub use local::{DrivenClock, Local, new_job};
pub use replay::Replay;
pub use vector::{Exchange, Request, Response, Vector, load};

/// Everything that could be shown of an error: text, both debug forms, hint and the whole chain of causes.
#[must_use]
pub fn everything(error: &qws::Error) -> String {
    let chain = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes: Vec<String> = chain.map(|cause| format!("{cause}\n{cause:?}\n{cause:#?}")).collect();
    format!("{error}\n{error:?}\n{error:#?}\n{:?}\n{}", error.hint(), causes.join("\n"))
}
