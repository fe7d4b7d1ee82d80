//! Containers and blobs in memory, up to a limit.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use time::OffsetDateTime;

use super::StorageError;
use super::conditions::Conditions;

/// What an entry costs besides its names and contents: `ETag`, times, a place in a map. Rounded up.
const OVERHEAD: usize = 512;

/// One block blob.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) content: Bytes,
    pub(crate) etag: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) modified: OffsetDateTime,
    pub(crate) properties: Properties,
    /// The blocks it is made of, in order, as parts of `content`; none if it was put as a whole.
    pub(crate) blocks: Arc<Vec<(String, Bytes)>>,
}

impl Blob {
    fn weight(&self, name: &str) -> usize {
        OVERHEAD * (1 + self.blocks.len() / 8) + name.len() + self.content.len() + self.properties.weight()
    }
}

/// What the writer says about a blob and its readers get back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_md5: Option<String>,
    pub(crate) cache_control: Option<String>,
    /// `x-ms-meta-*`, whole header names.
    pub(crate) metadata: Vec<(String, String)>,
}

impl Properties {
    fn weight(&self) -> usize {
        self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) etag: String,
    pub(crate) modified: OffsetDateTime,
    /// `x-ms-meta-*`, whole header names.
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) blobs: BTreeMap<String, Blob>,
    /// Blocks that no list has committed yet: blob name, block id.
    pub(crate) staged: BTreeMap<String, BTreeMap<String, Bytes>>,
}

/// Where a block of a list is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockSource {
    Committed,
    Uncommitted,
    Latest,
}

#[derive(Debug)]
pub(crate) struct BlobStore {
    inner: Mutex<Inner>,
    /// The most bytes that are held.
    limit: usize,
}

#[derive(Debug, Default)]
struct Inner {
    containers: BTreeMap<String, Container>,
    serial: u64,
    bytes: usize,
}

impl Inner {
    fn etag(&mut self) -> String {
        self.serial += 1;
        format!("\"0x8DE{:012X}\"", self.serial)
    }

    fn container(&mut self, name: &str) -> Result<&mut Container, StorageError> {
        self.containers.get_mut(name).ok_or_else(StorageError::container_not_found)
    }

    /// Counts what comes and what goes; refuses growth beyond the limit.
    fn weigh(&mut self, limit: usize, comes: usize, goes: usize) -> Result<(), StorageError> {
        let bytes = (self.bytes + comes).saturating_sub(goes);
        if comes > goes && bytes > limit {
            return Err(StorageError::full());
        }
        self.bytes = bytes;
        Ok(())
    }
}

fn weight_of(staged: &BTreeMap<String, Bytes>) -> usize {
    staged.iter().map(|(id, block)| OVERHEAD + id.len() + block.len()).sum()
}

impl BlobStore {
    pub(crate) fn new(limit: usize) -> Self {
        Self { inner: Mutex::default(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held now: contents, names, and an allowance for each entry.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Makes a container; says whether it is new.
    pub(crate) fn create_container(
        &self,
        name: &str,
        metadata: Vec<(String, String)>,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let mut inner = self.lock();
        if inner.containers.contains_key(name) {
            return Ok(false);
        }
        inner.weigh(self.limit, OVERHEAD + name.len(), 0)?;
        let (blobs, staged) = (BTreeMap::new(), BTreeMap::new());
        let container = Container { etag: inner.etag(), modified: now, metadata, blobs, staged };
        inner.containers.insert(name.to_owned(), container);
        Ok(true)
    }

    pub(crate) fn delete_container(&self, name: &str) -> Result<(), StorageError> {
        let mut inner = self.lock();
        let gone = inner.containers.remove(name).ok_or_else(StorageError::container_not_found)?;
        let blobs: usize = gone.blobs.iter().map(|(name, blob)| blob.weight(name)).sum();
        let staged: usize = gone.staged.values().map(weight_of).sum();
        inner.weigh(self.limit, 0, OVERHEAD + name.len() + blobs + staged)
    }

    /// Names, `ETags` and times of the containers, by name.
    pub(crate) fn containers(&self) -> Vec<(String, String, OffsetDateTime)> {
        let inner = self.lock();
        let row = |(name, container): (&String, &Container)| {
            (name.clone(), container.etag.clone(), container.modified)
        };
        inner.containers.iter().map(row).collect()
    }

    /// Every blob, by container and name.
    pub(crate) fn all(&self) -> Vec<(String, String, Blob)> {
        let inner = self.lock();
        let blobs = |(container, content): (&String, &Container)| -> Vec<(String, String, Blob)> {
            let entries = content.blobs.iter();
            entries.map(|(name, blob)| (container.clone(), name.clone(), blob.clone())).collect()
        };
        inner.containers.iter().flat_map(blobs).collect()
    }

    /// Looks at a container while nobody changes it.
    pub(crate) fn with_container<T>(
        &self,
        name: &str,
        look: impl FnOnce(&Container) -> T,
    ) -> Result<T, StorageError> {
        self.lock().container(name).map(|container| look(container))
    }

    pub(crate) fn put(
        &self,
        container: &str,
        name: &str,
        content: Bytes,
        properties: Properties,
        conditions: &Conditions,
        now: OffsetDateTime,
    ) -> Result<Blob, StorageError> {
        self.replace(container, name, conditions, now, |_, _| Ok((content, properties, Vec::new())))
    }

    /// Puts a blob together from blocks, in the order of the list.
    pub(crate) fn commit(
        &self,
        container: &str,
        name: &str,
        list: &[(BlockSource, String)],
        properties: Properties,
        conditions: &Conditions,
        now: OffsetDateTime,
    ) -> Result<Blob, StorageError> {
        self.replace(container, name, conditions, now, |old, staged| {
            let committed: HashMap<&String, &Bytes> =
                old.iter().flat_map(|blob| blob.blocks.iter()).map(|(id, block)| (id, block)).collect();
            let find = |source: BlockSource, id: &String| {
                let fresh = staged.and_then(|staged| staged.get(id));
                let known = committed.get(id).copied();
                match source {
                    BlockSource::Committed => known,
                    BlockSource::Uncommitted => fresh,
                    BlockSource::Latest => fresh.or(known),
                }
            };
            let mut joined = BytesMut::new();
            for (source, id) in list {
                joined.extend_from_slice(find(*source, id).ok_or_else(StorageError::invalid_block_list)?);
            }
            let content = joined.freeze();
            // The blocks are parts of the whole from now on, and not held twice.
            let mut start = 0;
            let mut parts = Vec::with_capacity(list.len());
            for (source, id) in list {
                let length = find(*source, id).map_or(0, Bytes::len);
                parts.push((id.clone(), content.slice(start..start + length)));
                start += length;
            }
            Ok((content, properties, parts))
        })
    }

    fn replace(
        &self,
        container: &str,
        name: &str,
        conditions: &Conditions,
        now: OffsetDateTime,
        make: impl FnOnce(
            Option<&Blob>,
            Option<&BTreeMap<String, Bytes>>,
        ) -> Result<(Bytes, Properties, Vec<(String, Bytes)>), StorageError>,
    ) -> Result<Blob, StorageError> {
        let mut inner = self.lock();
        let etag = inner.etag();
        let place = inner.container(container)?;
        let (old, staged) = (place.blobs.get(name), place.staged.get(name));
        conditions.allow_write(old)?;
        let (content, properties, blocks) = make(old, staged)?;
        let created = old.map_or(now, |blob| blob.created);
        let blob = Blob { content, etag, created, modified: now, properties, blocks: Arc::new(blocks) };
        let goes = old.map_or(0, |blob| blob.weight(name)) + staged.map_or(0, weight_of);
        inner.weigh(self.limit, blob.weight(name), goes)?;
        let place = inner.container(container)?;
        place.staged.remove(name);
        place.blobs.insert(name.to_owned(), blob.clone());
        Ok(blob)
    }

    /// Replaces what is said about a blob; its content stays.
    pub(crate) fn describe(
        &self,
        container: &str,
        name: &str,
        conditions: &Conditions,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Properties),
    ) -> Result<Blob, StorageError> {
        let old = self.get(container, name)?;
        self.replace(container, name, conditions, now, |current, _| {
            let current = current.unwrap_or(&old);
            let mut properties = current.properties.clone();
            change(&mut properties);
            Ok((current.content.clone(), properties, current.blocks.to_vec()))
        })
    }

    pub(crate) fn get(&self, container: &str, name: &str) -> Result<Blob, StorageError> {
        self.lock().container(container)?.blobs.get(name).cloned().ok_or_else(StorageError::blob_not_found)
    }

    pub(crate) fn delete(
        &self,
        container: &str,
        name: &str,
        conditions: &Conditions,
    ) -> Result<(), StorageError> {
        let mut inner = self.lock();
        let blobs = &mut inner.container(container)?.blobs;
        let old = blobs.get(name).ok_or_else(StorageError::blob_not_found)?;
        conditions.allow_write(Some(old))?;
        let goes = old.weight(name);
        blobs.remove(name);
        inner.weigh(self.limit, 0, goes)
    }

    pub(crate) fn stage(
        &self,
        container: &str,
        name: &str,
        block: String,
        content: Bytes,
    ) -> Result<(), StorageError> {
        let mut inner = self.lock();
        let place = inner.container(container)?;
        let staged = place.staged.get(name);
        // Azure demands ids of one length within a blob.
        let other = staged.and_then(|staged| staged.keys().next());
        if other.is_some_and(|other| other.len() != block.len()) {
            return Err(StorageError::invalid_block());
        }
        let old = staged.and_then(|staged| staged.get(&block));
        let goes = old.map_or(0, |old| OVERHEAD + block.len() + old.len());
        inner.weigh(self.limit, OVERHEAD + block.len() + content.len(), goes)?;
        let place = inner.container(container)?;
        place.staged.entry(name.to_owned()).or_default().insert(block, content);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
