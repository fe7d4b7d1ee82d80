//! Lists: of containers, of blobs page by page, of the blocks of a blob.

use std::collections::BTreeMap;

use super::operations::page;
use super::store::{Blob, Container};
use super::{StorageError, query_value, xml};
use crate::answer::Answer;
use crate::incoming::Incoming;
use crate::route::BlobPath;
use crate::state::Shared;

/// Entries of a page, unless the client asks for fewer.
const PAGE: usize = 5000;

/// What a list is asked for.
pub(super) struct ListQuery {
    pub(super) prefix: String,
    pub(super) delimiter: String,
    /// The name that the page begins with.
    marker: String,
    pub(super) max_results: Option<usize>,
    pub(super) metadata: bool,
    uncommitted: bool,
}

/// A line of a list of blobs.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Blob(&'a Blob),
    /// Blocks were put, but no list of them.
    Uncommitted,
    /// All names that go on from here, in one.
    Prefix,
}

impl ListQuery {
    fn read(query: &str) -> Result<Self, StorageError> {
        let value = |name| query_value(query, name).unwrap_or_default();
        let max_results = match value("maxresults").as_str() {
            "" => None,
            text => {
                let message = "A query parameter specified in the request URI is outside the permissible range: maxresults.";
                let refused = || StorageError::bad_request("OutOfRangeQueryParameterValue", message);
                Some(text.parse().ok().filter(|max| *max > 0).ok_or_else(refused)?)
            }
        };
        let include = value("include");
        let includes = |what: &str| include.split(',').any(|part| part == what);
        Ok(Self {
            prefix: value("prefix"),
            delimiter: value("delimiter"),
            marker: value("marker"),
            max_results,
            metadata: includes("metadata"),
            uncommitted: includes("uncommittedblobs"),
        })
    }

    fn limit(&self) -> usize {
        self.max_results.unwrap_or(PAGE).min(PAGE)
    }

    /// What of a name is one entry together with its like: up to the delimiter after the prefix.
    fn folded<'a>(&self, name: &'a str) -> Option<&'a str> {
        let rest = name.get(self.prefix.len()..).filter(|_| !self.delimiter.is_empty())?;
        let end = rest.find(&self.delimiter)?;
        Some(&name[..self.prefix.len() + end + self.delimiter.len()])
    }

    /// The entries of this page in the order of their names, and the name that the next one begins with.
    fn select<'a>(&self, content: &'a Container) -> (Vec<(&'a str, Entry<'a>)>, Option<&'a str>) {
        let blobs =
            content.blobs.range(self.marker.clone()..).map(|(name, blob)| (name.as_str(), Entry::Blob(blob)));
        let names: Box<dyn Iterator<Item = (&str, Entry<'_>)>> = if self.uncommitted {
            let staged = content.staged.range(self.marker.clone()..);
            let mut all: BTreeMap<&str, Entry<'_>> =
                staged.map(|(name, _)| (name.as_str(), Entry::Uncommitted)).collect();
            all.extend(blobs);
            Box::new(all.into_iter())
        } else {
            Box::new(blobs)
        };
        let mut entries: Vec<(&str, Entry<'_>)> = Vec::new();
        for (name, entry) in names.filter(|(name, _)| name.starts_with(&self.prefix)) {
            let (name_or_prefix, entry) = match self.folded(name) {
                Some(prefix) if entries.last().is_some_and(|(last, _)| *last == prefix) => continue,
                Some(prefix) => (prefix, Entry::Prefix),
                None => (name, entry),
            };
            if entries.len() == self.limit() {
                return (entries, Some(name));
            }
            entries.push((name_or_prefix, entry));
        }
        (entries, None)
    }
}

pub(super) fn blobs(shared: &Shared, request: &Incoming, container: &str) -> Result<Answer, StorageError> {
    let query = ListQuery::read(&request.query)?;
    let service = shared.storage_endpoint();
    let body = shared.blobs.with_container(container, |content| {
        let (entries, next) = query.select(content);
        xml::blobs_page(&service, container, &query, &entries, next)
    })?;
    Ok(page(body))
}

pub(super) fn containers(shared: &Shared, request: &Incoming) -> Result<Answer, StorageError> {
    let query = ListQuery::read(&request.query)?;
    let all = shared.blobs.containers().into_iter();
    let mut rest = all.filter(|(name, ..)| name.starts_with(&query.prefix) && *name >= query.marker);
    let chosen: Vec<_> = rest.by_ref().take(query.limit()).collect();
    let next = rest.next().map(|(name, ..)| name);
    Ok(page(xml::containers_page(&shared.storage_endpoint(), &query, &chosen, next.as_deref())))
}

/// The committed blocks, the uncommitted ones, or both.
pub(super) fn blocks(shared: &Shared, request: &Incoming, path: &BlobPath) -> Result<Answer, StorageError> {
    let kind = query_value(&request.query, "blocklisttype").unwrap_or_else(|| "committed".to_owned());
    let body = shared.blobs.with_container(&path.container, |content| {
        let (blob, staged) = (content.blobs.get(&path.blob), content.staged.get(&path.blob));
        if blob.is_none() && staged.is_none() {
            return Err(StorageError::blob_not_found());
        }
        let committed = blob.iter().flat_map(|blob| blob.blocks.iter());
        let committed = committed.map(|(id, block)| (id.as_str(), block.len())).collect();
        let uncommitted =
            staged.into_iter().flatten().map(|(id, block)| (id.as_str(), block.len())).collect();
        Ok(match kind.to_ascii_lowercase().as_str() {
            "uncommitted" => xml::blocks(None, Some(uncommitted)),
            "all" => xml::blocks(Some(committed), Some(uncommitted)),
            _ => xml::blocks(Some(committed), None),
        })
    })??;
    Ok(page(body))
}
