use super::List;
use crate::{Client, Item, Operation, request::Request};

/// Top-level items of a workspace: sessions, and jobs outside of any session.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    client: &'a Client,
}

impl<'a> Items<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// The items. One of a kind that we do not know comes as [`Item::Other`] and does not end the list.
    pub fn list(&self) -> List<Item> {
        List::new(self.client, Request::get(Operation::ItemsList, ["topLevelItems"]))
    }
}
