//! Conditional headers (Microsoft Learn, "Specifying conditional headers for Blob service operations").

use http::StatusCode;
use time::OffsetDateTime;

use super::StorageError;
use super::store::Blob;
use crate::clock;
use crate::incoming::Incoming;

#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<OffsetDateTime>,
    pub(crate) if_unmodified_since: Option<OffsetDateTime>,
    /// The link lets its holder make blobs, and not change them.
    pub(crate) new_only: bool,
}

impl Conditions {
    pub(super) fn of(request: &Incoming) -> Self {
        let date = |name| request.header(name).and_then(clock::parse_http_date);
        Self {
            if_match: request.header("if-match").map(str::to_owned),
            if_none_match: request.header("if-none-match").map(str::to_owned),
            if_modified_since: date("if-modified-since"),
            if_unmodified_since: date("if-unmodified-since"),
            new_only: false,
        }
    }

    /// Checks a write to a blob that is there, or is not.
    pub(super) fn allow_write(&self, blob: Option<&Blob>) -> Result<(), StorageError> {
        let Some(blob) = blob else {
            let unmet = self.if_match.is_some();
            return if unmet { Err(StorageError::condition_not_met()) } else { Ok(()) };
        };
        if self.if_none_match.as_deref() == Some("*") {
            return Err(StorageError::blob_exists());
        }
        if self.new_only {
            return Err(StorageError::permission_mismatch());
        }
        if self.is_changed(blob) || self.is_known(blob) {
            return Err(StorageError::condition_not_met());
        }
        Ok(())
    }

    /// Checks a read: 412 for a changed blob, 304 for an unchanged one.
    pub(super) fn allow_read(&self, blob: &Blob) -> Result<(), StorageError> {
        if self.if_none_match.as_deref() == Some("*") {
            let message = "The request includes an unsatisfiable condition for this operation.";
            return Err(StorageError::bad_request("UnsatisfiableCondition", message));
        }
        if self.is_changed(blob) {
            return Err(StorageError::condition_not_met());
        }
        if self.is_known(blob) {
            let not_modified = StorageError::condition_not_met();
            return Err(StorageError { status: StatusCode::NOT_MODIFIED, ..not_modified });
        }
        Ok(())
    }

    /// The caller wants the blob as it was, and it is not.
    fn is_changed(&self, blob: &Blob) -> bool {
        self.if_match.as_deref().is_some_and(|wanted| wanted != "*" && wanted != blob.etag)
            || self.if_unmodified_since.is_some_and(|since| modified(blob) > since)
    }

    /// The caller wants a blob that it has not seen, and this one it has.
    fn is_known(&self, blob: &Blob) -> bool {
        self.if_none_match.as_deref() == Some(blob.etag.as_str())
            || self.if_modified_since.is_some_and(|since| modified(blob) <= since)
    }
}

/// Headers tell whole seconds, so that is what is compared.
fn modified(blob: &Blob) -> OffsetDateTime {
    blob.modified.replace_nanosecond(0).unwrap_or(blob.modified)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::blob::store::{BlobStore, Properties};

    #[test]
    fn times_are_compared_in_whole_seconds() {
        let store = BlobStore::new(usize::MAX);
        let at = OffsetDateTime::UNIX_EPOCH + Duration::from_millis(5500);
        store.create_container("c", Vec::new(), at).unwrap();
        let always = Conditions::default();
        let blob = store.put("c", "b", Bytes::new(), Properties::default(), &always, at).unwrap();
        let since = |seconds| Some(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let status = |conditions: &Conditions| {
            conditions.allow_read(&blob).map_or_else(|error| error.status.as_u16(), |()| 200)
        };
        let modified = |seconds| Conditions { if_modified_since: since(seconds), ..Conditions::default() };
        let unmodified =
            |seconds| Conditions { if_unmodified_since: since(seconds), ..Conditions::default() };
        assert_eq!([4, 5, 6].map(|seconds| status(&modified(seconds))), [200, 304, 304]);
        assert_eq!([4, 5, 6].map(|seconds| status(&unmodified(seconds))), [412, 200, 200]);
        assert_eq!(modified(5).allow_write(Some(&blob)).unwrap_err().code, "ConditionNotMet");
        assert_eq!(modified(5).allow_write(None), Ok(()));
    }
}
