//! Shared access signatures: made and checked as Azure Storage defines them for a service SAS.
//!
//! The string to sign is the one of version 2020-12-06 and later
//! (Microsoft Learn, "Create a service SAS", section "Construct the signature string").

use std::net::IpAddr;
use std::sync::RwLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded;

use super::{Permit, StorageError};
use crate::clock;
use crate::route::{BlobPath, Operation};

/// The version a link is made for.
pub(super) const VERSION: &str = "2024-11-04";

/// The fields that are signed, in the order in which they are, except the resource's name which comes after `se`.
const SIGNED_AFTER_RESOURCE: [&str; 12] =
    ["si", "sip", "spr", "sv", "sr", "snapshot", "ses", "rscc", "rscd", "rsce", "rscl", "rsct"];

/// The keys of the storage account.
pub(crate) struct SasKeys {
    account: String,
    /// The key that links are signed with now, and those whose links count as expired.
    keys: RwLock<(String, Vec<String>)>,
}

/// What a link shall allow.
#[derive(Clone, Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) container: &'a str,
    /// Empty for the container as a whole.
    pub(crate) blob: &'a str,
    pub(crate) permissions: &'a str,
    pub(crate) start: OffsetDateTime,
    pub(crate) expiry: OffsetDateTime,
    /// `Content-Disposition` of the answer; empty for none.
    pub(crate) disposition: &'a str,
}

/// The query of a link, decoded.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

/// The headers that a link may set, with the field that does.
const OVERRIDES: [(&str, &str); 5] = [
    ("rscc", "cache-control"),
    ("rscd", "content-disposition"),
    ("rsce", "content-encoding"),
    ("rscl", "content-language"),
    ("rsct", "content-type"),
];

impl Fields {
    pub(super) fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The value of a field; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether the link is made for this version or a later one; versions are dates.
    pub(super) fn is_from(&self, version: &str) -> bool {
        self.get("sv") >= version
    }

    /// Whether the link's time has come and has not gone.
    pub(super) fn allow_time(&self, now: OffsetDateTime) -> Result<(), StorageError> {
        let (start, expiry) = (self.get("st"), self.get("se"));
        let begun = start.is_empty() || parse_time(start).is_some_and(|start| start <= now);
        if begun && parse_time(expiry).is_some_and(|expiry| expiry > now) {
            return Ok(());
        }
        Err(StorageError::authentication_failed(&format!(
            "Signature not valid in the specified time frame: Start [{start}] - Expiry [{expiry}] - Current [{}]",
            clock::http_date(now)
        )))
    }

    /// Whether the link gives one of these permissions; with `c` and not `w` among them, for new blobs only.
    pub(super) fn allow(&self, needed: &str) -> Result<Permit, StorageError> {
        let given = self.get("sp");
        if !given.contains(|permission| needed.contains(permission)) {
            return Err(StorageError::permission_mismatch());
        }
        let present = |(field, header): (&str, &'static str)| {
            Some(self.get(field)).filter(|value| !value.is_empty()).map(|value| (header, value.to_owned()))
        };
        let overrides = OVERRIDES.into_iter().filter_map(present).collect();
        Ok(Permit { overrides, new_only: needed.contains('w') && !given.contains('w') })
    }

    /// Whether the link may be used over this connection.
    pub(super) fn allow_connection(&self, secure: bool, peer: IpAddr) -> Result<(), StorageError> {
        if self.get("spr") == "https" && !secure {
            let message = "This request is not authorized to perform this operation using this protocol.";
            return Err(StorageError::forbidden("AuthorizationProtocolMismatch", message));
        }
        let range = self.get("sip");
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let within = match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&peer),
            _ => range.is_empty(),
        };
        if within {
            return Ok(());
        }
        let message = "This request is not authorized to perform this operation using this source IP.";
        Err(StorageError::forbidden("AuthorizationSourceIPMismatch", message))
    }
}

impl SasKeys {
    pub(crate) fn new(account: &str, key: String) -> Self {
        Self { account: account.to_owned(), keys: RwLock::new((key, Vec::new())) }
    }

    /// The query of a link, without `?`.
    pub(crate) fn issue(&self, grant: &Grant<'_>) -> String {
        let (start, expiry) = (clock::sas(grant.start), clock::sas(grant.expiry));
        let mut fields = vec![
            ("sv", VERSION),
            ("st", &start),
            ("se", &expiry),
            ("sr", if grant.blob.is_empty() { "c" } else { "b" }),
            ("sp", grant.permissions),
        ];
        if !grant.disposition.is_empty() {
            fields.push(("rscd", grant.disposition));
        }
        let text = self.string_to_sign(grant.container, grant.blob, |name| {
            Some(fields.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value))
        });
        let signature = self.signature(&text);
        fields.push(("sig", &signature));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }

    /// Checks a link to a container or blob for an operation on `path`.
    pub(super) fn check(
        &self,
        path: &BlobPath,
        fields: &Fields,
        operation: Operation,
        now: OffsetDateTime,
    ) -> Result<Permit, StorageError> {
        // A link to a blob (`sr=b`) is signed with the blob's name, so it fits no other.
        let signed_blob = if fields.get("sr") == "b" { path.blob.as_str() } else { "" };
        let text = self.string_to_sign(&path.container, signed_blob, |name| {
            // Encryption scopes came later than the rest.
            if name == "ses" && !fields.is_from("2020-12-06") { None } else { Some(fields.get(name)) }
        });
        self.verify(fields, &text)?;
        fields.allow_time(now)?;
        fields.allow(match operation {
            Operation::BlobPut | Operation::BlockPut | Operation::BlockListPut => "cw",
            Operation::BlobMetadataPut | Operation::BlobPropertiesPut => "w",
            Operation::BlobDelete => "d",
            Operation::BlobsList => "l",
            Operation::BlobGet | Operation::BlobHead | Operation::BlockListGet => "r",
            // Such links are for what is in a container; the rest takes the account's key or a link to the account.
            _ => "",
        })
    }

    /// Checks a signature against the account's key.
    pub(super) fn verify(&self, fields: &Fields, text: &str) -> Result<(), StorageError> {
        let signature = fields.get("sig");
        if signature.is_empty() {
            return Err(StorageError::no_authentication());
        }
        let keys = self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if hmac(&keys.0, text) == signature {
            return Ok(());
        }
        if keys.1.iter().any(|key| hmac(key, text) == signature) {
            return Err(StorageError::authentication_failed(
                "Signature not valid in the specified time frame: the link was ended.",
            ));
        }
        Err(StorageError::authentication_failed("Signature did not match."))
    }

    /// Makes every link issued so far count as expired.
    pub(crate) fn expire_all(&self, new_key: String) {
        let mut keys = self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let old = std::mem::replace(&mut keys.0, new_key);
        keys.1.push(old);
    }

    fn string_to_sign<'a>(
        &self,
        container: &str,
        blob: &str,
        field: impl Fn(&str) -> Option<&'a str>,
    ) -> String {
        let separator = if blob.is_empty() { "" } else { "/" };
        let resource = format!("/blob/{}/{container}{separator}{blob}", self.account);
        let [permissions, start, expiry] = ["sp", "st", "se"].map(|name| field(name).unwrap_or_default());
        let mut text = format!("{permissions}\n{start}\n{expiry}\n{resource}");
        for value in SIGNED_AFTER_RESOURCE.into_iter().filter_map(field) {
            text.push('\n');
            text.push_str(value);
        }
        text
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    /// A text signed with the account's key.
    pub(super) fn signature(&self, text: &str) -> String {
        hmac(&self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner).0, text)
    }

    /// What storage clients need to connect with the account's key.
    pub(crate) fn connection_string(&self, endpoint: &str) -> String {
        let key = &self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner).0;
        let scheme = endpoint.split("://").next().unwrap_or_default();
        format!(
            "DefaultEndpointsProtocol={scheme};AccountName={};AccountKey={key};BlobEndpoint={endpoint};",
            self.account
        )
    }
}

fn hmac(key: &str, text: &str) -> String {
    let key = STANDARD.decode(key).unwrap_or_default();
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key length fits HMAC");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

impl std::fmt::Debug for SasKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SasKeys").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Seconds, minutes or the date alone may stand in `st` and `se`, always UTC.
fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        17 => format!("{}:00Z", text.strip_suffix('Z')?),
        _ => text.to_owned(),
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keys() -> SasKeys {
        SasKeys::new("stqws", STANDARD.encode("a key"))
    }

    fn grant<'a>(blob: &'a str, permissions: &'a str) -> Grant<'a> {
        Grant {
            container: "job-1",
            blob,
            permissions,
            start: OffsetDateTime::UNIX_EPOCH,
            expiry: OffsetDateTime::UNIX_EPOCH + Duration::from_mins(1),
            disposition: "attachment; filename=a+b.json",
        }
    }

    fn check(
        keys: &SasKeys,
        path: &str,
        query: &str,
        operation: Operation,
        now: OffsetDateTime,
    ) -> Result<Permit, StorageError> {
        keys.check(&BlobPath::parse(path).unwrap(), &Fields::read(query), operation, now)
    }

    fn code(result: Result<Permit, StorageError>) -> &'static str {
        result.map_or_else(|error| error.code, |_| "allowed")
    }

    /// Signed by hand with `openssl dgst -sha256 -mac HMAC`, so that maker and checker cannot share one mistake.
    #[test]
    fn the_signature_is_the_one_azure_defines() {
        let keys = SasKeys::new("stqws", STANDARD.encode("key"));
        let query = keys.issue(&Grant { disposition: "", ..grant("inputData", "r") });
        let signature = form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "sig")
            .map(|(_, value)| value.into_owned());
        assert_eq!(signature.as_deref(), Some(EXPECTED_SIGNATURE));
    }

    const EXPECTED_SIGNATURE: &str = "A/fqIZH/13ggoNvZZjSlOjn1HZuJR0WxHDNumb1+kSk=";

    #[test]
    fn a_link_is_good_for_its_resource_its_time_and_its_permissions() {
        let (keys, now) = (keys(), OffsetDateTime::UNIX_EPOCH);
        let blob = keys.issue(&grant("dir/in", "rw"));
        assert_eq!(code(check(&keys, "/job-1/dir/in", &blob, Operation::BlobGet, now)), "allowed");
        assert_eq!(code(check(&keys, "/job-1/dir%2Fin", &blob, Operation::BlobPut, now)), "allowed");
        assert_eq!(
            code(check(&keys, "/job-1/dir/in", &blob, Operation::BlobDelete, now)),
            "AuthorizationPermissionMismatch"
        );
        for other in ["/job-1/out", "/job-2/dir/in", "/job-1"] {
            assert_eq!(
                code(check(&keys, other, &blob, Operation::BlobGet, now)),
                "AuthenticationFailed",
                "{other}"
            );
        }
        let container = keys.issue(&grant("", "racwl"));
        assert_eq!(code(check(&keys, "/job-1/any", &container, Operation::BlobPut, now)), "allowed");
        assert_eq!(
            code(check(&keys, "/job-2/any", &container, Operation::BlobPut, now)),
            "AuthenticationFailed"
        );
        let late = now + Duration::from_mins(1);
        let expired = check(&keys, "/job-1/any", &container, Operation::BlobPut, late).unwrap_err();
        assert!(expired.detail.is_some_and(|detail| detail.contains("time frame")));
        assert_eq!(
            code(check(&keys, "/job-1/any", "sv=1", Operation::BlobPut, now)),
            "NoAuthenticationInformation"
        );
    }

    #[test]
    fn a_changed_field_breaks_the_signature() {
        let (keys, now) = (keys(), OffsetDateTime::UNIX_EPOCH);
        let link = keys.issue(&grant("", "rl"));
        for (from, to) in [("sp=rl", "sp=rwl"), ("1970-01-01T00%3A01", "1970-01-02T00%3A01"), ("a%2Bb", "c")]
        {
            let forged = link.replacen(from, to, 1);
            assert_ne!(forged, link, "{from} is in {link}");
            assert_eq!(
                code(check(&keys, "/job-1/x", &forged, Operation::BlobGet, now)),
                "AuthenticationFailed",
                "{from}"
            );
        }
    }

    #[test]
    fn expiring_all_links_spares_new_ones() {
        let (keys, now) = (keys(), OffsetDateTime::UNIX_EPOCH);
        let old = keys.issue(&grant("", "r"));
        keys.expire_all(STANDARD.encode("another key"));
        let new = keys.issue(&grant("", "r"));
        let refused = check(&keys, "/job-1/x", &old, Operation::BlobGet, now).unwrap_err();
        assert!(refused.detail.is_some_and(|detail| detail.contains("time frame")));
        assert_eq!(code(check(&keys, "/job-1/x", &new, Operation::BlobGet, now)), "allowed");
    }

    #[test]
    fn times_may_be_short() {
        let expected = Some(OffsetDateTime::UNIX_EPOCH);
        for text in ["1970-01-01", "1970-01-01T00:00Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
        assert_eq!(parse_time("soon"), None);
    }
}
