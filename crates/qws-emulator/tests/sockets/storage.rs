use http::Method;

use super::client::{blob, container, put_blob, send};
use super::still;

#[tokio::test]
async fn a_blob_is_written_once_read_in_ranges_and_listed() {
    let emulator = still().start().await.unwrap();
    let container = container(&emulator, "job-1").await;
    let uri = blob(&container, "dir/in put.json");
    let uri = uri.replace(' ', "%20");
    let created = put_blob(&uri, "0123456789").await;
    assert_eq!((created.status, created.header("x-ms-version")), (201, "2026-04-06"));
    let again = put_blob(&uri, "else").await;
    assert_eq!((again.status, again.header("x-ms-error-code")), (409, "BlobAlreadyExists"));
    assert!(again.text().contains("<Code>BlobAlreadyExists</Code>"));

    let range = async |range| send(Method::GET, &uri, &[("range", range)], "").await.unwrap();
    let part = range("bytes=2-4").await;
    assert_eq!(
        (part.status, part.text().as_str(), part.header("content-range")),
        (206, "234", "bytes 2-4/10")
    );
    assert_eq!(part.header("etag"), created.header("etag"));
    let rest = range("bytes=8-100").await;
    assert_eq!((rest.text().as_str(), rest.header("content-range")), ("89", "bytes 8-9/10"));
    assert_eq!(range("bytes=10-20").await.status, 416);
    let head = send(Method::HEAD, &uri, &[], "").await.unwrap();
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "10", 0));

    let list = send(Method::GET, &format!("{container}&restype=container&comp=list"), &[], "").await.unwrap();
    assert!(list.text().contains("<Name>dir/in put.json</Name>"), "{}", list.text());
    assert!(list.text().contains("<NextMarker />"));
}

#[tokio::test]
async fn an_empty_blob_has_no_range() {
    let emulator = still().start().await.unwrap();
    let uri = blob(&container(&emulator, "job-1").await, "empty");
    put_blob(&uri, "").await;
    let ranged = send(Method::GET, &uri, &[("x-ms-range", "bytes=0-33554431")], "").await.unwrap();
    assert_eq!((ranged.status, ranged.header("x-ms-error-code")), (416, "InvalidRange"));
    assert_eq!(send(Method::GET, &uri, &[], "").await.unwrap().status, 200);
}

#[tokio::test]
async fn blocks_make_a_blob() {
    let emulator = still().start().await.unwrap();
    let uri = blob(&container(&emulator, "job-1").await, "big");
    for (id, content) in [("QUFB", "first "), ("QkJC", "second")] {
        let block = format!("{uri}&comp=block&blockid={id}");
        assert_eq!(send(Method::PUT, &block, &[], content).await.unwrap().status, 201);
    }
    assert_eq!(send(Method::GET, &uri, &[], "").await.unwrap().status, 404, "not committed yet");
    let list = "<?xml version=\"1.0\"?><BlockList><Latest>QUFB</Latest><Latest>QkJC</Latest></BlockList>";
    let headers = [("x-ms-blob-content-type", "text/plain"), ("x-ms-meta-origin", "test")];
    let committed = send(Method::PUT, &format!("{uri}&comp=blocklist"), &headers, list).await.unwrap();
    assert_eq!(committed.status, 201);
    let blob = send(Method::GET, &uri, &[], "").await.unwrap();
    assert_eq!(blob.text(), "first second");
    assert_eq!((blob.header("content-type"), blob.header("x-ms-meta-origin")), ("text/plain", "test"));
}

#[tokio::test]
async fn links_end_and_open_nothing_else() {
    let emulator = still().start().await.unwrap();
    let container = container(&emulator, "job-1").await;
    let uri = blob(&container, "b");
    put_blob(&uri, "x").await;
    let code = async |method, uri: String| {
        let answer = send(method, &uri, &[], "").await.unwrap();
        format!("{} {}", answer.status, answer.header("x-ms-error-code"))
    };
    assert_eq!(code(Method::GET, uri.replace("job-1", "job-2")).await, "403 AuthenticationFailed");
    assert_eq!(
        code(Method::GET, uri.split('?').next().unwrap().to_owned()).await,
        "401 NoAuthenticationInformation"
    );
    assert_eq!(code(Method::DELETE, uri.clone()).await, "403 AuthorizationPermissionMismatch");
    assert_eq!(code(Method::GET, uri.clone()).await, "200 ");
    emulator.expire_sas();
    assert_eq!(code(Method::GET, uri.clone()).await, "403 AuthenticationFailed");
    let fresh = blob(&super::client::container(&emulator, "job-1").await, "b");
    assert_eq!(code(Method::GET, fresh.clone()).await, "200 ");
    emulator.clock().advance(std::time::Duration::from_hours(24));
    assert_eq!(code(Method::GET, fresh).await, "403 AuthenticationFailed");
}

#[tokio::test]
async fn a_missing_container_is_said_in_xml() {
    let emulator = still().start().await.unwrap();
    let answer = super::client::call(
        &emulator,
        Method::POST,
        "storage/sasUri",
        r#"{"containerName":"nobody","blobName":"b"}"#,
    )
    .await
    .unwrap();
    let uri = answer.json()["sasUri"].as_str().unwrap().to_owned();
    assert!(uri.contains("/nobody/b?") && uri.contains("sr=b"), "{uri}");
    let upload = put_blob(&uri, "x").await;
    assert_eq!((upload.status, upload.header("x-ms-error-code")), (404, "ContainerNotFound"));
}

#[tokio::test]
async fn a_signature_with_the_accounts_key_is_checked_in_every_part() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::Mac as _;

    let emulator = still().start().await.unwrap();
    let connection = emulator.storage_connection_string();
    let part = |name: &str| {
        let parts = connection.split(';').find_map(|part| part.strip_prefix(&format!("{name}=")));
        parts.unwrap().to_owned()
    };
    let (account, key) = (part("AccountName"), STANDARD.decode(part("AccountKey")).unwrap());
    assert_eq!(part("BlobEndpoint"), emulator.storage_endpoint());
    // `Tue, 03 Feb 2026 04:05:06 GMT`
    let dated = |ago: std::time::Duration| {
        let at = emulator.clock().now() - ago;
        let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
        let (hour, minute, second) = at.to_hms();
        let (day, year) = (at.day(), at.year());
        format!("{weekday:.3}, {day:02} {month:.3} {year} {hour:02}:{minute:02}:{second:02} GMT")
    };
    // The text is written out by hand, as the documentation has it.
    let create = async |container: &str, signed: &str, date: &str| {
        let text = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2024-11-04\n/{account}/{signed}\nrestype:container"
        );
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(text.as_bytes());
        let authorization = format!("SharedKey {account}:{}", STANDARD.encode(mac.finalize().into_bytes()));
        let headers = [
            ("x-ms-date", date),
            ("x-ms-version", "2024-11-04"),
            ("authorization", authorization.as_str()),
            ("content-length", "0"),
        ];
        let url = format!("{}{container}?restype=container", emulator.storage_endpoint());
        send(Method::PUT, &url, &headers, "").await.unwrap()
    };
    let now = dated(std::time::Duration::ZERO);
    assert_eq!(create("mine", "mine", &now).await.status, 201);
    let other = create("mine", "other", &now).await;
    assert_eq!((other.status, other.header("x-ms-error-code")), (403, "AuthenticationFailed"));
    let old = create("late", "late", &dated(std::time::Duration::from_mins(16))).await;
    assert_eq!(old.status, 403);
    assert!(old.text().contains("too old"), "{}", old.text());
    emulator.expire_sas();
    assert_eq!(create("later", "later", &now).await.status, 403, "the key is another now");
}
