//! The room for blobs: whose account they are in, links to them, and what is sent through those links.

mod access;
mod account;
mod answer;
mod blob;
mod download;
mod links;
mod names;
mod upload;

pub(crate) use access::Access;
pub(crate) use account::OwnAccount;
pub(crate) use download::Download;
pub(crate) use links::{Place, Store};
pub(crate) use upload::{Existing, Source, Upload};

/// The size of a piece: what is sent in one request, repeated as a whole, and given the deadline of one call.
const PIECE_BYTES: usize = 4 << 20;
