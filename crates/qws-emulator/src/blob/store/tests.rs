use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn store(limit: usize) -> BlobStore {
    let store = BlobStore::new(limit);
    assert_eq!(store.create_container("c", Vec::new(), NOW), Ok(true));
    assert_eq!(store.create_container("c", Vec::new(), NOW), Ok(false));
    store
}

fn put(store: &BlobStore, conditions: &Conditions) -> Result<Blob, &'static str> {
    store
        .put("c", "b", Bytes::from_static(b"text"), Properties::default(), conditions, NOW)
        .map_err(|error| error.code)
}

fn stage(store: &BlobStore, id: &str, text: &'static [u8]) -> Result<(), &'static str> {
    store.stage("c", "b", id.to_owned(), Bytes::from_static(text)).map_err(|error| error.code)
}

fn commit(store: &BlobStore, list: &[(BlockSource, &str)]) -> Result<Bytes, &'static str> {
    let list: Vec<_> = list.iter().map(|(source, id)| (*source, (*id).to_owned())).collect();
    store
        .commit("c", "b", &list, Properties::default(), &Conditions::default(), NOW)
        .map(|blob| blob.content)
        .map_err(|error| error.code)
}

#[test]
fn conditions_guard_writes_and_deletions() {
    let store = store(usize::MAX);
    let new_only = Conditions { if_none_match: Some("*".to_owned()), ..Conditions::default() };
    let first = put(&store, &new_only).unwrap();
    assert_eq!(put(&store, &new_only).unwrap_err(), "BlobAlreadyExists");
    let same = Conditions { if_match: Some(first.etag.clone()), ..Conditions::default() };
    let second = put(&store, &same).unwrap();
    assert_ne!(second.etag, first.etag);
    assert_eq!(put(&store, &same).unwrap_err(), "ConditionNotMet");
    assert_eq!(store.delete("c", "b", &same).unwrap_err().code, "ConditionNotMet");
    let described = store.describe("c", "b", &Conditions::default(), NOW, |properties| {
        properties.content_type = Some("a/b".to_owned());
    });
    let described = described.unwrap();
    assert_ne!(described.etag, second.etag);
    assert_eq!(
        (described.content, described.properties.content_type.as_deref()),
        ("text".into(), Some("a/b"))
    );
}

#[test]
fn blocks_become_a_blob_in_the_order_of_the_list_and_can_be_kept() {
    let store = store(usize::MAX);
    stage(&store, "BB", b"two").unwrap();
    stage(&store, "AA", b"one").unwrap();
    assert_eq!(stage(&store, "LONG", b""), Err("InvalidBlobOrBlock"));
    let both = commit(&store, &[(BlockSource::Latest, "AA"), (BlockSource::Uncommitted, "BB")]);
    assert_eq!(both, Ok(Bytes::from_static(b"onetwo")));
    assert_eq!(commit(&store, &[(BlockSource::Uncommitted, "AA")]), Err("InvalidBlockList"));
    assert_eq!(commit(&store, &[(BlockSource::Committed, "BB")]), Ok(Bytes::from_static(b"two")));
    assert_eq!(store.get("c", "b").unwrap().content, "two");
}

#[test]
fn what_is_not_there_is_said() {
    let store = store(usize::MAX);
    assert_eq!(store.get("x", "b").unwrap_err().code, "ContainerNotFound");
    assert_eq!(store.get("c", "b").unwrap_err().code, "BlobNotFound");
    put(&store, &Conditions::default()).unwrap();
    store.delete("c", "b", &Conditions::default()).unwrap();
    assert_eq!(store.delete("c", "b", &Conditions::default()).unwrap_err().code, "BlobNotFound");
}

#[test]
fn what_goes_is_no_longer_counted() {
    let store = store(usize::MAX);
    let empty = store.bytes();
    for _ in 0..3 {
        put(&store, &Conditions::default()).unwrap();
        assert_eq!(store.bytes(), empty + OVERHEAD + 1 + 4, "the blob replaces itself");
        stage(&store, "AA", b"0123456789").unwrap();
        stage(&store, "AA", b"01234").unwrap();
        assert_eq!(store.bytes(), empty + OVERHEAD + 5 + OVERHEAD + 2 + 5);
        commit(&store, &[(BlockSource::Latest, "AA"), (BlockSource::Latest, "AA")]).unwrap();
        assert_eq!(store.bytes(), empty + OVERHEAD + 1 + 10);
    }
    stage(&store, "AA", b"left").unwrap();
    store.delete("c", "b", &Conditions::default()).unwrap();
    store.delete_container("c").unwrap();
    assert_eq!(store.bytes(), 0);
    assert_eq!(store.delete_container("c").unwrap_err().code, "ContainerNotFound");
}

#[test]
fn beyond_the_limit_nothing_more_is_taken_and_nothing_is_lost() {
    let store = store(3 * OVERHEAD + 16);
    put(&store, &Conditions::default()).unwrap();
    stage(&store, "AA", b"0").unwrap();
    assert_eq!(stage(&store, "BB", b"0"), Err("InsufficientStorage"));
    let big = Bytes::from(vec![0; 4 * OVERHEAD]);
    let refused = store.put("c", "b", big, Properties::default(), &Conditions::default(), NOW);
    assert_eq!(refused.unwrap_err().code, "InsufficientStorage");
    assert_eq!(store.get("c", "b").unwrap().content, "text");
    let many = store.create_container("d", Vec::new(), NOW);
    assert_eq!(many.unwrap_err().code, "InsufficientStorage");
    // Smaller than what it replaces, it is welcome.
    assert_eq!(commit(&store, &[(BlockSource::Latest, "AA")]), Ok(Bytes::from_static(b"0")));
}
