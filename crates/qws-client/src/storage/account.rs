//! The caller's own storage account: links signed with its key, and containers made in it.

use std::{collections::BTreeMap, fmt, time::Duration};

use async_trait::async_trait;
use azure_core::{
    base64,
    time::{OffsetDateTime, to_rfc3339, to_rfc7231},
};
use bytes::Bytes;
use hmac_sha256::HMAC;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use qws_config::StorageAccount;
use qws_http::{Authorize, BoxError, Call, Http};
use url::Url;
use zeroize::Zeroizing;

use super::{access::Access, names::push};
use crate::{BlobUri, Error, ErrorKind, Operation, hint};

/// The version that links and requests are signed for: the first whose links are signed over the fields used here, so
/// every cloud and Azurite knows it.
const VERSION: &str = "2020-12-06";

const REFUSED: &str = "copy the connection string of the storage account anew (its keys may have been rotated), and see \
    that the account allows access by key and from this network";

const X_MS_VERSION: HeaderName = HeaderName::from_static("x-ms-version");
const X_MS_DATE: HeaderName = HeaderName::from_static("x-ms-date");

/// An account, with its key ready to sign.
pub(crate) struct OwnAccount {
    name: Box<str>,
    endpoint: Url,
    key: Zeroizing<Vec<u8>>,
}

impl OwnAccount {
    /// The account of a connection string.
    pub(crate) fn parse(connection_string: &str) -> Result<Self, Error> {
        let account: StorageAccount = connection_string.parse()?;
        let key = base64::decode(account.key().expose())
            .map_err(|_| Error::new(ErrorKind::InvalidInput, "the account key is no base64"))?;
        let endpoint = account.blob_endpoint().clone();
        Ok(Self { name: account.name().into(), endpoint, key: Zeroizing::new(key) })
    }

    /// What of the URL's path is below the account, if it is in this account.
    pub(super) fn path_of<'u>(&self, url: &'u Url) -> Option<&'u str> {
        let same_origin = self.endpoint.origin() == url.origin();
        url.path().strip_prefix(self.endpoint.path()).filter(|_| same_origin)
    }

    /// A link to a blob, or to a whole container (`blob` empty), for this much access from now on: a service SAS
    /// (Microsoft Learn, "Create a service SAS", section "Construct the signature string", version 2020-12-06).
    pub(super) fn link(
        &self,
        container: &str,
        blob: &str,
        access: Access,
        now: OffsetDateTime,
    ) -> Result<BlobUri, Error> {
        let expiry = to_rfc3339(&whole_seconds(now + access.lifetime()));
        let (slash, resource) = if blob.is_empty() { ("", "c") } else { ("/", "b") };
        let name = format!("/blob/{}/{container}{slash}{blob}", self.name);
        // Without it http is allowed too, as a storage emulator on this machine needs.
        let protocol = if self.endpoint.scheme() == "https" { "https" } else { "" };
        // In the order in which they are signed: permissions, start, expiry, resource, stored policy, addresses, protocol,
        // version, kind of resource, snapshot, encryption scope, and five headers of the answer.
        let fields = [
            access.permissions(),
            "",
            &expiry,
            &name,
            "",
            "",
            protocol,
            VERSION,
            resource,
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ];
        let signature = self.sign(&fields.join("\n"));
        let mut url = self.url(container)?;
        if !blob.is_empty() {
            push(&mut url, blob)?;
        }
        let mut query = url.query_pairs_mut();
        query.append_pair("se", &expiry).append_pair("sp", access.permissions());
        if !protocol.is_empty() {
            query.append_pair("spr", protocol);
        }
        query.append_pair("sv", VERSION).append_pair("sr", resource).append_pair("sig", &signature);
        drop(query);
        Ok(BlobUri::new(url))
    }

    /// Makes a container; one that is there already is as good.
    pub(super) async fn create_container(
        &self,
        http: &Http,
        container: &str,
        deadline: Option<Duration>,
    ) -> Result<(), Error> {
        const OPERATION: Operation = Operation::ContainerCreate;
        let mut url = self.url(container)?;
        url.set_query(Some("restype=container"));
        let request = http::Request::builder().method(Method::PUT).uri(url.as_str());
        let request = request
            .header(X_MS_VERSION, VERSION)
            .header(header::CONTENT_LENGTH, "0")
            .body(Bytes::new())
            .map_err(|_| {
                Error::new(ErrorKind::InvalidInput, "the blob endpoint cannot stand in a request")
            })?;
        let resource = format!("/{}{}\nrestype:container", self.name, url.path());
        let signer = SharedKey { account: self, http, resource };
        let call = Call::new(request).repeatable(true).deadline(deadline).authorize(&signer);
        let answer = http.send(call).await.map_err(|failure| Error::from_failure(OPERATION, failure))?;
        let (status, headers) = (answer.response.status(), answer.response.headers());
        let code = headers.get("x-ms-error-code").map(HeaderValue::as_bytes);
        match (status, code) {
            (StatusCode::CREATED, _) | (StatusCode::CONFLICT, Some(b"ContainerAlreadyExists")) => Ok(()),
            _ => {
                let error = hint::for_answer(OPERATION, status, headers, &[], false)
                    .with_attempts(answer.attempts, answer.elapsed);
                let ours = error.kind() == ErrorKind::StorageRefused;
                Err(if ours { error.with_hint(REFUSED) } else { error })
            }
        }
    }

    fn url(&self, container: &str) -> Result<Url, Error> {
        let mut url = self.endpoint.clone();
        push(&mut url, container)?;
        Ok(url)
    }

    fn sign(&self, text: &str) -> String {
        base64::encode(HMAC::mac(text, &*self.key))
    }
}

/// Signs one request with the account's key, anew for each attempt: the date may be 15 minutes old at most
/// (Microsoft Learn, "Authorize with Shared Key", Blob service, version 2015-02-21 and later).
///
/// A link that we could sign ourselves opens a container but cannot make one, hence this.
struct SharedKey<'a> {
    account: &'a OwnAccount,
    http: &'a Http,
    /// Account, path and query in their canonical form.
    resource: String,
}

#[async_trait]
impl Authorize for SharedKey<'_> {
    async fn authorize(&self, headers: &mut HeaderMap) -> Result<(), BoxError> {
        headers.insert(X_MS_DATE, HeaderValue::try_from(to_rfc7231(&self.http.clock().now()))?);
        // PUT, eleven headers that this request does not have (a length of 0 counts as none), Microsoft's own by name,
        // and what is asked for.
        let mut text = format!("PUT{}", "\n".repeat(12));
        let own: BTreeMap<&str, &str> = headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?.trim())))
            .collect();
        for (name, value) in own {
            text.extend([name, ":", value, "\n"]);
        }
        let signature = self.account.sign(&(text + &self.resource));
        let mut value = HeaderValue::try_from(format!("SharedKey {}:{signature}", self.account.name))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }
}

fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}

impl fmt::Debug for OwnAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnAccount")
            .field("name", &self.name)
            .field("endpoint", &self.endpoint.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use azure_core::time::parse_rfc3339;
    use qws_http::{ManualClock, MockTransport, ResponseBody};

    use super::*;

    const KEY: &str = "a2V5";

    fn account(rest: &str) -> OwnAccount {
        OwnAccount::parse(&format!("AccountKey={KEY};{rest}")).unwrap()
    }

    fn now() -> OffsetDateTime {
        parse_rfc3339("2026-02-03T04:05:06.7Z").unwrap()
    }

    /// The same links as azure-storage-blob 12.31 for Python makes of the same key, version and times.
    #[test]
    fn links_are_signed_as_the_official_client_does() {
        let link = |account: &OwnAccount, blob, access| {
            account.link("job-1", blob, access, now()).unwrap().expose().to_owned()
        };
        let cloud = account("AccountName=stcontoso");
        assert_eq!(
            link(&cloud, "", Access::Job),
            "https://stcontoso.blob.core.windows.net/job-1?se=2026-02-17T04%3A05%3A06Z&sp=racw&spr=https&\
             sv=2020-12-06&sr=c&sig=oudM2V9JII42mA5sLXkVTRfc7nR1RqSmkeIHqJhmPjY%3D"
        );
        let local =
            account("AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1");
        let listed = local.sign(
            "l\n\n2026-02-17T04:05:06Z\n/blob/devstoreaccount1/job-1\n\n\n\n2020-12-06\nc\n\n\n\n\n\n\n",
        );
        assert_eq!(listed, "W5dfw6BCD4y6dP1Zxq3B6M+iEXU+TaGM5vSp4R9dAS8=");
        let blob = link(&local, "raw/out put", Access::Read);
        let start = "http://127.0.0.1:10000/devstoreaccount1/job-1/raw%2Fout%20put?se=2026-02-04T04%3A05%3A06Z&sp=r&sv=";
        assert!(blob.starts_with(start) && blob.contains("&sr=b&sig="), "{blob}");
    }

    #[tokio::test]
    async fn making_a_container_is_signed_as_the_official_client_does_and_may_find_it_there() {
        for (rest, signature) in [
            ("AccountName=stcontoso", "stcontoso:zUoMA5f0eAAVRQ76jdXnDTD0pmKspCjSTtofgjNmcxQ="),
            (
                "AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1",
                "devstoreaccount1:l71AFwsUcDKtCBJ40qoEhxJvLQ9197hxBmDe+EVkkhA=",
            ),
        ] {
            let account = account(rest);
            let clock = Arc::new(ManualClock::skipping(now()));
            let http = Http::new(Arc::new(MockTransport::new())).with_clock(clock);
            let resource =
                format!("/{}{}\nrestype:container", account.name, account.url("job-1").unwrap().path());
            let mut headers = HeaderMap::new();
            headers.insert(X_MS_VERSION, VERSION.parse().unwrap());
            headers.insert("x-ms-client-request-id", "abc".parse().unwrap());
            let signer = SharedKey { account: &account, http: &http, resource };
            signer.authorize(&mut headers).await.unwrap();
            assert_eq!(headers["authorization"], format!("SharedKey {signature}"));
            assert!(headers["authorization"].is_sensitive());
        }
        for (status, code, made) in [
            (201, "", true),
            (409, "ContainerAlreadyExists", true),
            (409, "ContainerBeingDeleted", false),
            (403, "AuthenticationFailed", false),
        ] {
            let mut transport = MockTransport::new();
            transport.expect_send().times(1).returning(move |request| {
                assert_eq!(request.uri(), "https://st.blob.core.windows.net/job-1?restype=container");
                let answer = http::Response::builder().status(status).header("x-ms-error-code", code);
                Ok(answer.body(ResponseBody::empty()).unwrap())
            });
            let http = Http::new(Arc::new(transport));
            let answer = account("AccountName=st").create_container(&http, "job-1", None).await;
            assert_eq!(answer.is_ok(), made, "{answer:?}");
        }
    }

    #[test]
    fn the_key_is_not_shown_and_a_broken_one_is_told() {
        let shown = format!("{:?}", account("AccountName=st"));
        assert!(shown.contains("st") && !shown.contains(KEY) && !shown.contains("107"), "{shown}");
        let error = OwnAccount::parse("AccountName=st;AccountKey=a2V=").unwrap_err();
        assert_eq!(error.to_string(), "the account key is no base64");
    }

    #[test]
    fn a_url_is_in_the_account_by_origin_and_path() {
        let account = account("AccountName=a;BlobEndpoint=https://store.example/a");
        let path = |text: &str| account.path_of(&Url::parse(text).unwrap()).map(str::to_owned);
        assert_eq!(path("https://store.example:443/a/job-1/in").as_deref(), Some("job-1/in"));
        for other in
            ["https://store.example/ab/c", "https://store.example:444/a/c", "http://store.example/a/c"]
        {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
