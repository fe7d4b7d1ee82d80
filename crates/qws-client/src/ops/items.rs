use super::List;
use crate::{Item, Operation, pipeline::Pipeline, request::Request};

/// Top-level items of a workspace: sessions, and jobs outside of any session.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    pipeline: &'a Pipeline,
}

impl<'a> Items<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// The items. One of a kind that we do not know comes as [`Item::Other`] and does not end the list.
    pub fn list(&self) -> List<Item> {
        List::new(self.pipeline, Request::get(Operation::ItemsList, ["topLevelItems"]))
    }
}
