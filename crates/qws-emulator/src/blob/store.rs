//! Containers and blobs in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use time::OffsetDateTime;

use super::StorageError;

/// One block blob.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) content: Bytes,
    pub(crate) etag: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) modified: OffsetDateTime,
    pub(crate) properties: Properties,
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

/// `If-Match` and `If-None-Match` of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
}

impl Conditions {
    /// Checks a write to a blob that has this `ETag`, or is not there.
    fn allow_write(&self, etag: Option<&str>) -> Result<(), StorageError> {
        match (self.if_none_match.as_deref(), etag) {
            (Some("*"), Some(_)) => return Err(StorageError::blob_exists()),
            (Some(unwanted), Some(etag)) if unwanted == etag => return Err(StorageError::condition_not_met()),
            _ => {}
        }
        match (self.if_match.as_deref(), etag) {
            (Some(_), None) => Err(StorageError::condition_not_met()),
            (Some(wanted), Some(etag)) if wanted != "*" && wanted != etag => {
                Err(StorageError::condition_not_met())
            }
            _ => Ok(()),
        }
    }

    /// Checks a read: 412 for a changed blob, 304 for an unchanged one.
    pub(crate) fn allow_read(&self, etag: &str) -> Result<(), StorageError> {
        if self.if_match.as_deref().is_some_and(|wanted| wanted != "*" && wanted != etag) {
            return Err(StorageError::condition_not_met());
        }
        if self.if_none_match.as_deref().is_some_and(|known| known == "*" || known == etag) {
            return Err(StorageError {
                status: StatusCode::NOT_MODIFIED,
                ..StorageError::condition_not_met()
            });
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) etag: String,
    pub(crate) modified: OffsetDateTime,
    pub(crate) blobs: BTreeMap<String, Blob>,
    /// Blocks that no list has committed yet: blob name, block id.
    staged: HashMap<String, HashMap<String, Bytes>>,
}

/// Where a block of a list is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockSource {
    Committed,
    Uncommitted,
    Latest,
}

#[derive(Debug, Default)]
pub(crate) struct BlobStore(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    containers: BTreeMap<String, Container>,
    /// Blocks that committed blobs are made of, for lists that keep some of them: container, blob, block id.
    committed: HashMap<(String, String), HashMap<String, Bytes>>,
    serial: u64,
}

impl Inner {
    fn etag(&mut self) -> String {
        self.serial += 1;
        format!("\"0x8DE{:012X}\"", self.serial)
    }

    fn container(&mut self, name: &str) -> Result<&mut Container, StorageError> {
        self.containers.get_mut(name).ok_or_else(StorageError::container_not_found)
    }
}

impl BlobStore {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a container; says whether it is new.
    pub(crate) fn create_container(&self, name: &str, now: OffsetDateTime) -> bool {
        let mut inner = self.lock();
        if inner.containers.contains_key(name) {
            return false;
        }
        let etag = inner.etag();
        let container = Container { etag, modified: now, blobs: BTreeMap::new(), staged: HashMap::new() };
        inner.containers.insert(name.to_owned(), container);
        true
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
        let mut inner = self.lock();
        let etag = inner.etag();
        inner.committed.remove(&(container.to_owned(), name.to_owned()));
        let container = inner.container(container)?;
        let old = container.blobs.get(name);
        conditions.allow_write(old.map(|blob| blob.etag.as_str()))?;
        let created = old.map_or(now, |blob| blob.created);
        let blob = Blob { content, etag, created, modified: now, properties };
        container.staged.remove(name);
        container.blobs.insert(name.to_owned(), blob.clone());
        Ok(blob)
    }

    pub(crate) fn get(&self, container: &str, name: &str) -> Result<Blob, StorageError> {
        self.lock().container(container)?.blobs.get(name).cloned().ok_or_else(StorageError::blob_not_found)
    }

    pub(crate) fn delete(&self, container: &str, name: &str) -> Result<(), StorageError> {
        let mut inner = self.lock();
        inner.committed.remove(&(container.to_owned(), name.to_owned()));
        let removed = inner.container(container)?.blobs.remove(name);
        removed.map(drop).ok_or_else(StorageError::blob_not_found)
    }

    pub(crate) fn stage(
        &self,
        container: &str,
        name: &str,
        block: String,
        content: Bytes,
    ) -> Result<(), StorageError> {
        let mut inner = self.lock();
        let staged = inner.container(container)?.staged.entry(name.to_owned()).or_default();
        // Azure demands ids of one length within a blob.
        if staged.keys().next().is_some_and(|other| other.len() != block.len()) {
            return Err(StorageError::invalid_block());
        }
        staged.insert(block, content);
        Ok(())
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
        let mut inner = self.lock();
        let key = (container.to_owned(), name.to_owned());
        let known = inner.committed.get(&key).cloned().unwrap_or_default();
        let etag = inner.etag();
        let place = inner.container(container)?;
        let old = place.blobs.get(name);
        conditions.allow_write(old.map(|blob| blob.etag.as_str()))?;
        let created = old.map_or(now, |blob| blob.created);
        let staged = place.staged.get(name);
        let find = |source: BlockSource, id: &String| {
            let fresh = staged.and_then(|staged| staged.get(id)).filter(|_| source != BlockSource::Committed);
            fresh.or_else(|| known.get(id).filter(|_| source != BlockSource::Uncommitted)).cloned()
        };
        let mut blocks = HashMap::new();
        let mut content = BytesMut::new();
        for (source, id) in list {
            let block = find(*source, id).ok_or_else(StorageError::invalid_block_list)?;
            content.extend_from_slice(&block);
            blocks.insert(id.clone(), block);
        }
        let blob = Blob { content: content.freeze(), etag, created, modified: now, properties };
        place.staged.remove(name);
        place.blobs.insert(name.to_owned(), blob.clone());
        inner.committed.insert(key, blocks);
        Ok(blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn store() -> BlobStore {
        let store = BlobStore::default();
        assert!(store.create_container("c", NOW));
        assert!(!store.create_container("c", NOW));
        store
    }

    fn put(store: &BlobStore, conditions: &Conditions) -> Result<Blob, &'static str> {
        store
            .put("c", "b", Bytes::from_static(b"text"), Properties::default(), conditions, NOW)
            .map_err(|error| error.code)
    }

    #[test]
    fn conditions_guard_writes() {
        let store = store();
        let new_only = Conditions { if_none_match: Some("*".to_owned()), if_match: None };
        let first = put(&store, &new_only).unwrap();
        assert_eq!(put(&store, &new_only).unwrap_err(), "BlobAlreadyExists");
        let same = Conditions { if_match: Some(first.etag.clone()), if_none_match: None };
        let second = put(&store, &same).unwrap();
        assert_ne!(second.etag, first.etag);
        assert_eq!(put(&store, &same).unwrap_err(), "ConditionNotMet");
    }

    #[test]
    fn blocks_become_a_blob_in_the_order_of_the_list_and_can_be_kept() {
        let store = store();
        let stage = |id: &str, text: &'static [u8]| {
            store.stage("c", "b", id.to_owned(), Bytes::from_static(text)).map_err(|error| error.code)
        };
        let commit = |list: &[(BlockSource, &str)]| {
            let list: Vec<_> = list.iter().map(|(source, id)| (*source, (*id).to_owned())).collect();
            store
                .commit("c", "b", &list, Properties::default(), &Conditions::default(), NOW)
                .map(|blob| blob.content)
                .map_err(|error| error.code)
        };
        stage("BB", b"two").unwrap();
        stage("AA", b"one").unwrap();
        assert_eq!(stage("LONG", b""), Err("InvalidBlobOrBlock"));
        let both = commit(&[(BlockSource::Latest, "AA"), (BlockSource::Uncommitted, "BB")]);
        assert_eq!(both, Ok(Bytes::from_static(b"onetwo")));
        assert_eq!(commit(&[(BlockSource::Uncommitted, "AA")]), Err("InvalidBlockList"));
        assert_eq!(commit(&[(BlockSource::Committed, "BB")]), Ok(Bytes::from_static(b"two")));
        assert_eq!(store.get("c", "b").unwrap().content, "two");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let store = store();
        assert_eq!(store.get("x", "b").unwrap_err().code, "ContainerNotFound");
        assert_eq!(store.get("c", "b").unwrap_err().code, "BlobNotFound");
        put(&store, &Conditions::default()).unwrap();
        store.delete("c", "b").unwrap();
        assert_eq!(store.delete("c", "b").unwrap_err().code, "BlobNotFound");
    }
}
