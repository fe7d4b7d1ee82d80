use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::Duration,
};

use super::*;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

fn key(scope: &str) -> Key {
    Key {
        who: Who::Person,
        authority: "https://login.microsoftonline.com".into(),
        tenant: "t".into(),
        client_id: "c".into(),
        scope: scope.into(),
    }
}

fn token(text: &str, seconds: u64) -> Stored {
    let life = Duration::from_secs(seconds);
    let token = AccessToken { secret: Secret::new(text), asked: now(), life, refresh_in: life / 2 };
    Stored::access_token(&token)
}

async fn read(cache: &TokenCache, key: &Key) -> Option<String> {
    Some(cache.get(key).await?.secret.expose().to_owned())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn each_part_of_the_key_counts_and_what_has_ended_is_swept_out() {
    let root = tempfile::tempdir().unwrap();
    let cache = TokenCache::in_folder(root.path().join("a/b")).unwrap();
    assert!(read(&cache, &key("s")).await.is_none());
    cache.put(&key("s"), Some(token("one", 60)), now()).await;
    cache.put(&key("other"), Some(token("two", 120)), now()).await;
    cache.put(&key("offline_access"), Some(Stored::refresh_token(Secret::new("three"))), now()).await;
    assert_eq!(read(&cache, &key("s")).await.as_deref(), Some("one"));
    let others = [
        Key { who: Who::Application, ..key("s") },
        Key { authority: "https://login.microsoftonline.us".into(), ..key("s") },
        Key { tenant: "u".into(), ..key("s") },
        Key { client_id: "d".into(), ..key("s") },
    ];
    for other in others {
        assert!(cache.get(&other).await.is_none(), "{other:?}");
    }
    cache.put(&key("s"), Some(token("four", 180)), now() + Duration::from_secs(120)).await;
    assert_eq!(read(&cache, &key("s")).await.as_deref(), Some("four"));
    assert!(cache.get(&key("other")).await.is_none());
    cache.put(&key("s"), None, now()).await;
    assert!(cache.get(&key("s")).await.is_none());
    assert_eq!(read(&cache, &key("offline_access")).await.as_deref(), Some("three"));
}

#[tokio::test]
async fn times_are_kept_and_count_from_now() {
    let root = tempfile::tempdir().unwrap();
    let cache = TokenCache::in_folder(root.path().join("c")).unwrap();
    cache.put(&key("s"), Some(token("one", 3600)), now()).await;
    let at = async |passed| {
        let moment = now() + Duration::from_secs(passed);
        let token = cache.get(&key("s")).await.unwrap().into_access_token(moment).unwrap();
        (token.life.as_secs(), token.refresh_in.as_secs())
    };
    assert_eq!(at(600).await, (3000, 1200));
    assert_eq!(at(2000).await, (1600, 0));
    assert_eq!(at(9000).await, (0, 0));
    cache.put(&key("r"), Some(Stored::refresh_token(Secret::new("r"))), now()).await;
    assert!(cache.get(&key("r")).await.unwrap().into_access_token(now()).is_none());
}

#[tokio::test]
async fn only_the_owner_may_read_and_only_one_file_is_left() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    let cache = TokenCache::in_folder(&folder).unwrap();
    cache.put(&key("s"), Some(token("one", 60)), now()).await;
    cache.put(&key("s"), Some(token("two", 60)), now()).await;
    assert_eq!((mode(&folder), mode(&folder.join("tokens.json"))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    assert!(!format!("{cache:?}").contains("two"));
}

#[tokio::test]
async fn a_folder_of_others_a_link_and_a_file_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    fs::create_dir(path("open")).unwrap();
    fs::set_permissions(path("open"), fs::Permissions::from_mode(0o750)).unwrap();
    TokenCache::in_folder(path("good")).unwrap();
    symlink(path("good"), path("link")).unwrap();
    fs::write(path("file"), "").unwrap();
    for name in ["open", "link", "file", "file/below"] {
        let error = TokenCache::in_folder(path(name)).unwrap_err();
        assert_eq!(error.kind(), crate::AuthErrorKind::InvalidInput, "{name}");
        assert!(error.hint().unwrap().contains("chmod 700"));
    }
}

#[tokio::test]
async fn a_file_that_others_could_have_written_is_not_read_and_a_link_is_replaced_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    let cache = TokenCache::in_folder(&folder).unwrap();
    cache.put(&key("s"), Some(token("one", 60)), now()).await;
    let file = folder.join("tokens.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(cache.get(&key("s")).await.is_none());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(cache.get(&key("s")).await.is_some());

    let elsewhere = root.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    assert!(cache.get(&key("s")).await.is_none());
    cache.put(&key("s"), Some(token("two", 60)), now()).await;
    assert_eq!(fs::read(&elsewhere).unwrap(), before, "nothing is written through a link");
    fs::remove_file(&file).unwrap();
    fs::hard_link(&elsewhere, &file).unwrap();
    assert!(cache.get(&key("s")).await.is_none());

    // Opened to others after it was made.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    cache.put(&key("s"), Some(token("three", 60)), now()).await;
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_cache_counts_as_empty() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    let cache = TokenCache::in_folder(&folder).unwrap();
    for content in ["", "[]", "{", r#"{"version":2,"tokens":[{}]}"#, r#"{"version":1,"tokens":[1,{}]}"#] {
        let file = folder.join("tokens.json");
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(cache.get(&key("s")).await.is_none());
        cache.put(&key("s"), Some(token("one", 60)), now()).await;
        assert_eq!(read(&cache, &key("s")).await.as_deref(), Some("one"), "{content}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_lose_nothing() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("cache");
    let put = |number: usize| {
        let cache = TokenCache::in_folder(&folder).unwrap();
        async move { cache.put(&key(&number.to_string()), Some(token("one", 60)), now()).await }
    };
    futures::future::join_all((0..20).map(put)).await;
    let cache = TokenCache::in_folder(&folder).unwrap();
    for number in 0..20 {
        assert!(cache.get(&key(&number.to_string())).await.is_some(), "{number}");
    }
}
