//! Links: where they lead, how long they are good, and who makes new ones.

use std::time::Duration;

use azure_core::time::{OffsetDateTime, parse_rfc3339};
use url::Url;

use super::{access::Access, account::OwnAccount, blob::Blob, names::container_and_blob};
use crate::{BlobUri, Client, Error, ErrorKind};

/// A link with less than this left is not used any more.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// A container, or a blob in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whether it is in the caller's own account.
    own: bool,
    container: String,
    /// Empty for the container.
    blob: String,
    /// Whether links to the blob are links to its container with its name behind.
    by_container: bool,
}

impl Place {
    /// The blob of that name in this container.
    pub(crate) fn blob(self, name: &str) -> Self {
        Self { blob: name.to_owned(), by_container: true, ..self }
    }
}

/// The workspace's blobs: in the account that is linked to it, or in the caller's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Store<'a> {
    client: &'a Client,
    own: Option<&'a OwnAccount>,
}

impl<'a> Store<'a> {
    pub(crate) fn new(client: &'a Client, own: Option<&'a OwnAccount>) -> Self {
        Self { client, own }
    }

    /// The container for a new job, made if it is not there, and the link to it that goes into the job.
    pub(crate) async fn job_container(self, container: &str) -> Result<BlobUri, Error> {
        let Some(own) = self.own else { return self.client.storage().sas_uri(container, None).await };
        let pipeline = self.client.pipeline();
        own.create_container(pipeline.http(), container, pipeline.deadline()).await?;
        own.link(container, "", Access::Job, pipeline.http().clock().now())
    }

    /// The container of that name where new jobs' containers are.
    pub(crate) fn container(self, container: String) -> Place {
        Place { own: self.own.is_some(), container, blob: String::new(), by_container: false }
    }

    /// Where a link leads: the first part of the path is the container, the rest (slashes included) the blob.
    pub(crate) fn place(self, uri: &BlobUri) -> Option<Place> {
        let url = Url::parse(uri.expose()).ok()?;
        let below = self.own.and_then(|own| own.path_of(&url));
        let (container, blob) =
            container_and_blob(below.unwrap_or_else(|| url.path().trim_start_matches('/')))?;
        Some(Place { own: below.is_some(), container, blob, by_container: false })
    }

    /// Where a link to a blob leads.
    pub(crate) fn blob_place(self, uri: &BlobUri) -> Result<Place, Error> {
        let place = self.place(uri).filter(|place| !place.blob.is_empty());
        place.ok_or_else(|| {
            Error::new(ErrorKind::Results, format!("the link {uri} names no container and blob"))
        })
    }

    /// The place by a fresh link.
    pub(crate) async fn open(self, place: &Place, access: Access) -> Result<Blob<'a>, Error> {
        let named = if place.by_container { "" } else { place.blob.as_str() };
        let uri = match self.own {
            Some(own) if place.own => {
                own.link(&place.container, named, access, self.client.pipeline().http().clock().now())?
            }
            _ => {
                let blob = Some(named).filter(|name| !name.is_empty());
                self.client.storage().sas_uri(&place.container, blob).await?
            }
        };
        let opened = self.at(&uri)?;
        if place.by_container { opened.in_container(&place.blob) } else { Ok(opened) }
    }

    /// What a link opens. The link suffices: no credential of ours goes along.
    pub(crate) fn at(self, uri: &BlobUri) -> Result<Blob<'a>, Error> {
        let url = Url::parse(uri.expose()).map_err(|_| {
            Error::new(ErrorKind::MalformedAnswer, "the service gave a storage link that is no URL")
        })?;
        // The caller named its own account's address, which is http only on this machine.
        let named = self.own.is_some_and(|own| own.path_of(&url).is_some());
        let fine = match url.scheme() {
            "https" => true,
            "http" => named || self.client.address().endpoint().is_loopback() && is_loopback(&url),
            _ => false,
        };
        if !fine {
            let text = format!(
                "the storage link leads to {}, and https is needed",
                url.origin().ascii_serialization()
            );
            return Err(Error::new(ErrorKind::ForeignOrigin, text));
        }
        let pipeline = self.client.pipeline();
        Ok(Blob::new(pipeline.http(), url, pipeline.deadline()))
    }

    /// Whether the link's SAS is good for a while yet.
    pub(crate) fn is_fresh(self, uri: &BlobUri) -> bool {
        is_fresh(uri, self.client.pipeline().http().clock().now())
    }
}

/// A missing or unreadable expiry counts as none; a time without zone, or a date alone, is UTC.
fn is_fresh(uri: &BlobUri, now: OffsetDateTime) -> bool {
    let Ok(url) = Url::parse(uri.expose()) else { return false };
    let Some((_, expiry)) = url.query_pairs().find(|(key, _)| key == "se") else { return false };
    let spellings = [expiry.to_string(), format!("{expiry}Z"), format!("{expiry}T00:00:00Z")];
    let expiry = spellings.iter().find_map(|text| parse_rfc3339(text).ok());
    expiry.is_some_and(|expiry| expiry - now > MARGIN)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_fresh_until_five_minutes_before_its_expiry() {
        let now = parse_rfc3339("2026-02-03T04:00:00Z").unwrap();
        let fresh =
            |expiry: &str| is_fresh(&BlobUri::new(format!("https://s.example/c/b?se={expiry}&sig=x")), now);
        assert!(fresh("2026-02-03T04%3A05%3A01Z") && fresh("2026-02-03T04:05:01") && fresh("2026-02-04"));
        assert!(!fresh("2026-02-03T04:05:00Z") && !fresh("2026-02-03") && !fresh("soon") && !fresh(""));
        assert!(!is_fresh(&BlobUri::new("https://s.example/c/b"), now));
    }
}
