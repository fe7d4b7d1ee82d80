//! Where the data of a job is: in the emulator's own storage, or behind a link that the client gave.

use std::fmt;

use url::{Host, Url};

use crate::route::BlobPath;
use crate::service::storage_sas;
use crate::state::Shared;

/// A container, or a blob in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the emulator's own storage; its signature is not needed to get there.
    Own(BlobPath),
    /// In another account, opened by the signature in the link.
    Elsewhere(Link),
}

/// An `http` or `https` link, as a rule with a signature, which its `Display` and `Debug` forms leave out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Link(Url);

impl Place {
    /// Reads the URI of a container or blob; `None` if it is neither.
    pub(crate) fn read(shared: &Shared, uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let path = BlobPath::parse(url.path())?;
        Some(if is_own(shared, &url) { Self::Own(path) } else { Self::Elsewhere(Link(url)) })
    }

    /// A container of the emulator's own storage by its name, or any container by its URI: what a seed file holds.
    pub(crate) fn named(shared: &Shared, name: &str) -> Option<Self> {
        if name.contains("://") { Self::read(shared, name) } else { Some(Self::own(name, "")) }
    }

    pub(crate) fn own(container: &str, blob: &str) -> Self {
        Self::Own(BlobPath { container: container.to_owned(), blob: blob.to_owned() })
    }

    /// The blob of this name in this container.
    pub(crate) fn blob(&self, name: &str) -> Self {
        match self {
            Self::Own(path) => Self::own(&path.container, name),
            Self::Elsewhere(Link(container)) => {
                let mut url = container.clone();
                if let Ok(mut path) = url.path_segments_mut() {
                    path.pop_if_empty().extend(name.split('/'));
                }
                Self::Elsewhere(Link(url))
            }
        }
    }

    /// The same, opened by the signature of its container if it has none: clients sign the container only.
    pub(crate) fn opened_by(self, container: &Self) -> Self {
        match (self, container) {
            (Self::Elsewhere(Link(mut blob)), Self::Elsewhere(Link(container)))
                if blob.query().is_none() && within(&blob, container) =>
            {
                blob.set_query(container.query());
                Self::Elsewhere(Link(blob))
            }
            (place, _) => place,
        }
    }

    /// The URI without a signature.
    pub(crate) fn uri(&self, shared: &Shared) -> String {
        match self {
            Self::Own(path) => storage_sas::uri(shared, &path.container, &path.blob),
            Self::Elsewhere(link) => link.to_string(),
        }
    }

    /// A link that opens it: to the emulator's own storage a new one, elsewhere with the client's own signature.
    pub(crate) fn link(&self, shared: &Shared, permissions: &str, disposition: &str) -> String {
        match self {
            Self::Own(path) => {
                storage_sas::link(shared, &path.container, &path.blob, permissions, disposition)
            }
            Self::Elsewhere(link) => link.0.to_string(),
        }
    }

    /// As [`Self::named`] reads it back.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Own(path) => path.container.clone(),
            Self::Elsewhere(link) => link.0.to_string(),
        }
    }
}

impl Link {
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// Whether the host is this machine by its name alone, without asking anybody.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().split(['?', '#']).next().unwrap_or_default())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address that is given out, or the storage port by another name of this machine.
fn is_own(shared: &Shared, url: &Url) -> bool {
    let given = Url::parse(&shared.addresses.storage).ok();
    let same = |given: Url| {
        given.host() == url.host() && given.port_or_known_default() == url.port_or_known_default()
    };
    given.is_some_and(same) || (is_loopback(url) && url.port() == Some(shared.addresses.storage_port))
}

fn within(blob: &Url, container: &Url) -> bool {
    let folder = container.path().trim_end_matches('/');
    blob.origin() == container.origin()
        && blob.path().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Place {
        Place::Elsewhere(Link(Url::parse(text).unwrap()))
    }

    #[test]
    fn a_blob_goes_into_the_path_and_the_signature_stays() {
        let container = link("http://127.0.0.1:10000/devstoreaccount1/job-1?sv=1&sig=a%2Bb");
        let blob = container.blob("dir/raw Output");
        let expected = "http://127.0.0.1:10000/devstoreaccount1/job-1/dir/raw%20Output?sv=1&sig=a%2Bb";
        assert_eq!(blob, link(expected));
        assert!(!format!("{blob:?}").contains("sig"), "{blob:?}");
    }

    #[test]
    fn the_containers_signature_opens_its_blobs_and_no_others() {
        let container = link("http://localhost:1/account/job-1?sig=x");
        let opened = |blob: &str| link(blob).opened_by(&container);
        let within = "http://localhost:1/account/job-1/inputData";
        assert_eq!(opened(within), link(&format!("{within}?sig=x")));
        let own_key = "http://localhost:1/account/job-1/inputData?sig=y";
        assert_eq!(opened(own_key), link(own_key));
        for other in ["http://localhost:1/account/job-10/inputData", "http://localhost:2/account/job-1/b"] {
            assert_eq!(opened(other), link(other));
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let on = |host: &str| match link(&format!("http://{host}/c")) {
            Place::Elsewhere(link) => link.is_loopback(),
            Place::Own(_) => false,
        };
        for here in ["127.0.0.1:10000", "127.8.8.8", "[::1]:1", "localhost", "account.blob.localhost:10000"] {
            assert!(on(here), "{here}");
        }
        for there in ["10.0.0.1", "localhost.example.com", "169.254.169.254", "account.blob.core.windows.net"]
        {
            assert!(!on(there), "{there}");
        }
    }
}
