//! Connection strings of storage accounts, as the Azure portal shows them under "Access keys".

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::location::edits;
use crate::secret::Secret;
use crate::strict_url::StrictUrl;
use crate::text::Text;
use std::str::FromStr;
use url::Url;

/// A storage account of the caller's own, with its key: where blobs are, and the right to everything in them.
///
/// `DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=core.windows.net`, or `BlobEndpoint=…` in place of
/// protocol and suffix, or `UseDevelopmentStorage=true` for Azurite on this machine
/// (Microsoft Learn, "Configure Azure Storage connection strings"). Endpoints of queues, tables and files are passed over.
///
/// The key is overwritten when dropped and masked in `Debug`.
///
/// ```
/// use qws_config::StorageAccount;
///
/// let text = "DefaultEndpointsProtocol=https;AccountName=stcontoso;AccountKey=a2V5;EndpointSuffix=core.windows.net";
/// let account: StorageAccount = text.parse()?;
/// assert_eq!(account.blob_endpoint().as_str(), "https://stcontoso.blob.core.windows.net/");
/// assert!(!format!("{account:?}").contains("a2V5"));
///
/// let error = text.replace("AccountKey=a2V5;", "").parse::<StorageAccount>().unwrap_err();
/// assert!(error.to_string().contains("ends without `AccountKey` at byte"));
/// # Ok::<(), qws_config::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageAccount {
    name: Box<str>,
    key: Secret,
    blob_endpoint: Url,
}

impl StorageAccount {
    /// The account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account's key, in base64.
    #[must_use]
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// Where its containers are: https, or http on this machine. The path ends in `/`.
    #[must_use]
    pub fn blob_endpoint(&self) -> &Url {
        &self.blob_endpoint
    }

    /// Azurite's account, whose key is published
    /// (Microsoft Learn, "Use the Azurite emulator", section "Well-known storage account and key").
    fn development(whole: Text<'_>) -> Result<Self, ParseError> {
        const TEXT: &str = "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6\
            IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1";
        Self::read(Text::new(TEXT, whole.at))
    }

    fn read(whole: Text<'_>) -> Result<Self, ParseError> {
        let parts = Parts::split(whole)?;
        if let Some(development) = parts.get("UseDevelopmentStorage") {
            if !development.str.eq_ignore_ascii_case("true") {
                return Err(wrong(ParseErrorKind::Shape, development.at, "does not switch it on")
                    .expecting("`UseDevelopmentStorage=true`"));
            }
            return match parts.0.iter().find(|(name, _)| *name != "UseDevelopmentStorage") {
                None => Self::development(whole),
                Some((name, value)) => {
                    let found = format!("has `UseDevelopmentStorage` and `{name}`");
                    Err(wrong(ParseErrorKind::Conflict, value.at, found))
                }
            };
        }
        let missing = |name| {
            let error = wrong(ParseErrorKind::Missing, whole.end(), format!("ends without `{name}`"));
            match parts.get("SharedAccessSignature") {
                Some(_) => error
                    .with_hint("a shared access signature makes no links for jobs: take the account's key"),
                None => error,
            }
        };
        let name = parts.get("AccountName").ok_or_else(|| missing("AccountName"))?;
        let key = parts.get("AccountKey").ok_or_else(|| missing("AccountKey"))?;
        check(Part::StorageAccount, name, "lower-case ASCII letters and digits", |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
        })?;
        Ok(Self { name: name.str.into(), key: read_key(key)?, blob_endpoint: endpoint(&parts, name)? })
    }
}

/// The parts that are known, in the spelling of the portal, each at most once.
struct Parts<'a>(Vec<(&'static str, Text<'a>)>);

const KEYS: [&str; 17] = [
    "DefaultEndpointsProtocol",
    "AccountName",
    "AccountKey",
    "EndpointSuffix",
    "BlobEndpoint",
    "UseDevelopmentStorage",
    "SharedAccessSignature",
    "BlobSecondaryEndpoint",
    "QueueEndpoint",
    "QueueSecondaryEndpoint",
    "TableEndpoint",
    "TableSecondaryEndpoint",
    "FileEndpoint",
    "FileSecondaryEndpoint",
    "DfsEndpoint",
    "DfsSecondaryEndpoint",
    "WebEndpoint",
];
const EXPECTED: &str =
    "`DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=core.windows.net`";

impl<'a> Parts<'a> {
    fn split(whole: Text<'a>) -> Result<Self, ParseError> {
        if whole.str.is_empty() {
            return Err(ParseError::empty(Part::StorageConnectionString, whole.at, EXPECTED));
        }
        let mut parts = Self(Vec::new());
        let mut at = whole.at;
        for piece in whole.str.split(';') {
            let part = Text::new(piece, at);
            at += piece.len() + 1;
            if part.str.is_empty() {
                continue;
            }
            let Some((name, value)) = part.split_once(b'=') else {
                // It may be a piece of a key, so it is not repeated.
                return Err(wrong(ParseErrorKind::Shape, part.at, "has a part without `=`"));
            };
            let Some(key) = KEYS.iter().find(|key| key.eq_ignore_ascii_case(name.str)) else {
                return Err(unknown(name));
            };
            if parts.get(key).is_some() {
                return Err(wrong(ParseErrorKind::Duplicate, name.at, format!("repeats `{key}`")));
            }
            if value.str.is_empty() {
                return Err(wrong(ParseErrorKind::Empty, value.at, format!("has nothing after `{key}=`")));
            }
            parts.0.push((key, value));
        }
        Ok(parts)
    }

    fn get(&self, name: &str) -> Option<Text<'a>> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

/// `BlobEndpoint`, or what protocol, name and suffix make; in both cases https, or http to this machine.
fn endpoint(parts: &Parts<'_>, name: Text<'_>) -> Result<Url, ParseError> {
    const EXPECTED: &str = "a URL such as `https://stcontoso.blob.core.windows.net/`";
    if let Some(text) = parts.get("BlobEndpoint") {
        let read = StrictUrl::read(Part::BlobEndpoint, text);
        let mut url = read
            .map_err(|error| match error.kind() {
                ParseErrorKind::Shape => error.expecting(EXPECTED),
                _ => error,
            })?
            .url;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        return Ok(url);
    }
    if let Some(protocol) = parts.get("DefaultEndpointsProtocol")
        && !protocol.str.eq_ignore_ascii_case("https")
    {
        let error = wrong(ParseErrorKind::Scheme, protocol.at, "does not use https");
        return Err(error
            .expecting("`DefaultEndpointsProtocol=https`; http only to this machine, by `BlobEndpoint=`"));
    }
    let suffix = parts.get("EndpointSuffix").unwrap_or(Text::new("core.windows.net", name.at));
    check(Part::BlobEndpoint, suffix, "a domain name such as `core.windows.net`", |c| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '.')
    })?;
    let url = Url::parse(&format!("https://{}.blob.{}/", name.str, suffix.str));
    url.map_err(|_| {
        ParseError::new(Part::BlobEndpoint, ParseErrorKind::Shape, suffix.at, "is no URL", EXPECTED)
    })
}

fn check(
    part: Part,
    text: Text<'_>,
    expected: &'static str,
    fine: impl Fn(char) -> bool,
) -> Result<(), ParseError> {
    match text.str.char_indices().find(|(_, c)| !fine(*c)) {
        None => Ok(()),
        Some((at, found)) => Err(ParseError::character(part, text.at + at, found, expected)),
    }
}

/// Which character is wrong is not told: it is part of the key.
fn read_key(text: Text<'_>) -> Result<Secret, ParseError> {
    let expected = "base64, as the portal shows it";
    let wrong = |kind, at, found: &'static str| {
        ParseError::new(Part::AccountKey, kind, text.at + at, found, expected)
    };
    let digits = text.str.trim_end_matches('=');
    let odd = digits.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'));
    if let Some(at) = odd {
        // A byte of a longer character may be the odd one; the place is where that character begins.
        let at = (0..=at).rev().find(|&at| text.str.is_char_boundary(at)).unwrap_or_default();
        return Err(wrong(ParseErrorKind::Character, at, "has a character that no key has"));
    }
    if !text.str.len().is_multiple_of(4) || text.str.len() - digits.len() > 2 || digits.is_empty() {
        return Err(wrong(ParseErrorKind::Length, text.str.len(), "is cut off or too long"));
    }
    Ok(Secret::new(text.str))
}

fn wrong(kind: ParseErrorKind, at: usize, found: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(Part::StorageConnectionString, kind, at, found, EXPECTED)
}

/// The name itself is not repeated: it may be a piece of a key.
#[cold]
fn unknown(name: Text<'_>) -> ParseError {
    let error = wrong(ParseErrorKind::Unknown, name.at, "has an unknown part");
    if name.str.len() > 40 {
        return error;
    }
    if name.str.starts_with(['"', '\'']) {
        return error.with_hint("leave out the quotation marks");
    }
    if crate::connection_string::KEYS.iter().any(|key| key.eq_ignore_ascii_case(name.str)) {
        return error
            .with_hint("this looks like the connection string of a workspace, not of a storage account");
    }
    let typed = name.str.to_ascii_lowercase();
    match KEYS.iter().find(|key| edits(&typed, &key.to_ascii_lowercase()) <= 2) {
        Some(key) => error.with_hint(format!("did you mean `{key}`?")),
        None => error,
    }
}

impl FromStr for StorageAccount {
    type Err = ParseError;

    /// Reads a connection string. The caller's copy is the caller's to overwrite.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(Text::new(text, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "DefaultEndpointsProtocol=https;AccountName=stcontoso;AccountKey=aHVudGVyMg==;EndpointSuffix=core.windows.net";

    fn refused(text: &str) -> ParseError {
        let error = text.parse::<StorageAccount>().unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("aHVudGVy"), "{error}");
        error
    }

    #[test]
    fn parts_stand_in_any_order_and_case_and_the_suffix_names_the_cloud() {
        let account: StorageAccount = TEXT.parse().unwrap();
        assert_eq!((account.name(), account.key().expose()), ("stcontoso", "aHVudGVyMg=="));
        assert!(!format!("{account:?}").contains("aHVudGVy"));
        let mut parts: Vec<&str> = TEXT.split(';').collect();
        parts.reverse();
        for text in [parts.join(" ;\n"), format!("{TEXT};"), TEXT.replace("AccountName", "accountname")] {
            assert_eq!(text.parse::<StorageAccount>().unwrap(), account, "{text}");
        }
        let elsewhere: StorageAccount = TEXT.replace("windows.net", "chinacloudapi.cn").parse().unwrap();
        assert_eq!(elsewhere.blob_endpoint().as_str(), "https://stcontoso.blob.core.chinacloudapi.cn/");
        let short: StorageAccount = "AccountName=a;AccountKey=aHVudGVyMg==".parse().unwrap();
        assert_eq!(short.blob_endpoint().as_str(), "https://a.blob.core.windows.net/");
    }

    #[test]
    fn a_blob_endpoint_counts_more_and_may_be_on_this_machine() {
        let text = "DefaultEndpointsProtocol=http;AccountName=a1;AccountKey=aHVudGVyMg==;\
            BlobEndpoint=http://127.0.0.1:10000/a1;QueueEndpoint=http://127.0.0.1:10001/a1;";
        let account: StorageAccount = text.parse().unwrap();
        assert_eq!(account.blob_endpoint().as_str(), "http://127.0.0.1:10000/a1/");
        let error = refused(&text.replace("127.0.0.1", "store.example"));
        assert_eq!((error.part(), error.kind()), (Part::BlobEndpoint, ParseErrorKind::Scheme));
    }

    #[test]
    fn the_development_account_is_azurites() {
        let account: StorageAccount = " useDevelopmentStorage=True; ".parse().unwrap();
        assert_eq!(account.name(), "devstoreaccount1");
        assert_eq!(account.blob_endpoint().as_str(), "http://127.0.0.1:10000/devstoreaccount1/");
        assert_eq!(refused("UseDevelopmentStorage=no").at(), Some(22));
        assert_eq!(refused("UseDevelopmentStorage=true;AccountName=a").kind(), ParseErrorKind::Conflict);
    }

    #[test]
    fn every_mistake_has_its_own_message_and_place() {
        use ParseErrorKind::{Character, Duplicate, Empty, Length, Missing, Scheme, Shape, Unknown};
        let swap = |from: &str, to: &str| TEXT.replace(from, to);
        for (text, kind, at) in [
            (" ".to_owned(), Empty, 1),
            (swap("AccountName=stcontoso;", ""), Missing, 86),
            (swap("=https", "=http"), Scheme, 25),
            (swap("stcontoso", "stContoso"), Character, 45),
            (swap("Mg==", "M!g="), Character, 73),
            (swap("Mg==", "Mg="), Length, 75),
            (swap("core.", "core/"), Character, 96),
            (swap("EndpointSuffix", "AccountKey"), Duplicate, 77),
            (swap("aHVudGVyMg==", ""), Empty, 64),
            ("aHVudGVyMg".to_owned(), Shape, 0),
            (swap("EndpointSuffix", "aHVudGVy"), Unknown, 77),
        ] {
            let error = refused(&text);
            assert_eq!((error.kind(), error.at()), (kind, Some(at)), "{text}: {error}");
        }
        assert_eq!(
            refused("AccountName=a").to_string(),
            format!("storage connection string ends without `AccountKey` at byte 13; expected {EXPECTED}")
        );
    }

    #[test]
    fn hints_are_given_where_the_mistake_is_known() {
        let hint = |text: &str| refused(text).hint().map(str::to_owned).unwrap_or_default();
        assert_eq!(hint("AcountKey=aHVudGVyMg=="), "did you mean `AccountKey`?");
        assert_eq!(hint(&format!("\"{TEXT}\"")), "leave out the quotation marks");
        assert!(hint("SubscriptionId=x").contains("of a workspace"));
        assert!(hint("AccountName=a;SharedAccessSignature=sig").contains("account's key"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_place_is_inside_it(text in "(?s)([A-Za-z]{0,14}=?[^;]{0,8};){0,6}|.{0,80}") {
            if let Err(error) = text.parse::<StorageAccount>() {
                prop_assert!(text.is_char_boundary(error.at().unwrap()), "{error}");
            }
        }
    }
}
