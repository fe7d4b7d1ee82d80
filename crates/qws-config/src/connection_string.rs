//! Connection strings, as the Azure portal and `az quantum workspace keys list` give them.

use crate::endpoint::Endpoint;
use crate::error::{ParseError, ParseErrorKind, Part};
use crate::location::{Location, edits};
use crate::names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
use crate::resource_id::ResourceId;
use crate::secret::Secret;
use crate::text::{Text, all, find};
use std::fmt::Write;
use std::str::FromStr;

/// A workspace, its endpoint, and how to sign in: an API key, or the tenant to get a token in.
///
/// `SubscriptionId=…;ResourceGroupName=…;WorkspaceName=…;ApiKey=…;QuantumEndpoint=…;`: parts in any order and case, white space
/// around them ignored, the last `;` optional, `TenantId=…` possible in place of `ApiKey=…`.
///
/// The key is overwritten when dropped and masked in `Debug`; the text comes back only from [`ConnectionString::reveal`].
///
/// ```
/// use qws_config::{ConnectionString, ParseErrorKind};
///
/// let text = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;\
///     WorkspaceName=contoso-ws;ApiKey=hunter2;QuantumEndpoint=https://eastus.quantum.azure.com/;";
/// let string: ConnectionString = text.parse()?;
/// assert_eq!(string.endpoint().to_string(), "https://eastus.quantum.azure.com/");
/// assert_eq!(string.reveal().expose(), text);
/// assert!(!format!("{string:?}").contains("hunter2"));
///
/// let error = text.replace("WorkspaceName", "Workspace").parse::<ConnectionString>().unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::Unknown);
/// assert_eq!(error.hint(), Some("did you mean `WorkspaceName`?"));
/// # Ok::<(), qws_config::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionString {
    resource_id: ResourceId,
    endpoint: Endpoint,
    api_key: Option<Secret>,
    tenant_id: Option<TenantId>,
}

/// The names of the parts, in the order in which the service prints them.
pub(crate) const KEYS: [&str; 6] =
    ["SubscriptionId", "ResourceGroupName", "WorkspaceName", "ApiKey", "TenantId", "QuantumEndpoint"];
pub(crate) const API_KEY: usize = 3;
const TENANT_ID: usize = 4;
const EXPECTED: &str = "`SubscriptionId=…;ResourceGroupName=…;WorkspaceName=…;ApiKey=…;QuantumEndpoint=…` (or `TenantId` for `ApiKey`)";

impl ConnectionString {
    /// Which workspace.
    #[must_use]
    pub fn resource_id(&self) -> &ResourceId {
        &self.resource_id
    }

    /// Where its data plane is: the only origin that the key may be sent to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The API key, unless the string names a tenant.
    #[must_use]
    pub fn api_key(&self) -> Option<&Secret> {
        self.api_key.as_ref()
    }

    /// The tenant to sign in to, unless the string holds a key.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&TenantId> {
        self.tenant_id.as_ref()
    }

    /// The region in the endpoint's host name; `None` for this machine.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.endpoint.location()
    }

    /// The whole text, key included, in the form that the service prints. It parses to an equal value.
    #[must_use]
    pub fn reveal(&self) -> Secret {
        let Self { resource_id, endpoint, .. } = self;
        let secret = self.api_key().map_or("", Secret::expose);
        let tenant = self.tenant_id().map_or("", TenantId::as_str);
        let values = [
            resource_id.subscription_id().as_str(),
            resource_id.resource_group().as_str(),
            resource_id.workspace_name().as_str(),
            secret,
            tenant,
            endpoint.as_url().as_str(),
        ];
        // Long enough from the start: growing would leave copies of the key behind.
        let mut text = String::with_capacity(
            KEYS.iter().zip(values).map(|(key, value)| key.len() + value.len() + 2).sum(),
        );
        for (key, value) in KEYS.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{key}={value};");
        }
        Secret::new(text)
    }

    /// Reads a connection string whose endpoint may also be at `host`, because the caller names it on purpose: a sovereign cloud, a
    /// private link, an emulator on another machine. The scheme must still be https.
    ///
    /// ```
    /// # use qws_config::ConnectionString;
    /// let text = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;\
    ///     WorkspaceName=contoso-ws;ApiKey=k1;QuantumEndpoint=https://emulator.contoso.example:8443/;";
    /// assert!(text.parse::<ConnectionString>().is_err());
    /// assert!(ConnectionString::parse_allowing_host(text, "emulator.contoso.example").is_ok());
    /// ```
    ///
    /// # Errors
    /// As for `FromStr`; any other host that is not the service's is refused.
    pub fn parse_allowing_host(text: &str, host: &str) -> Result<Self, ParseError> {
        Self::read(Text::new(text, 0), Some(host))
    }

    fn read(whole: Text<'_>, allowed: Option<&str>) -> Result<Self, ParseError> {
        let [subscription, group, workspace, key, tenant, endpoint] = split(whole)?;
        if let (Some(key), Some(tenant)) = (key, tenant) {
            let at = key.at.max(tenant.at);
            return Err(whole_error(ParseErrorKind::Conflict, at, "has both `ApiKey` and `TenantId`")
                .with_hint("keep `ApiKey` to sign in with the key, `TenantId` to sign in as yourself"));
        }
        let (Some(subscription), Some(group), Some(workspace), Some(endpoint), true) =
            (subscription, group, workspace, endpoint, key.or(tenant).is_some())
        else {
            let parts = [subscription, group, workspace, key.or(tenant), key.or(tenant), endpoint];
            return Err(missing(whole, parts));
        };
        Ok(Self {
            resource_id: ResourceId::new(
                SubscriptionId::read(subscription)?,
                ResourceGroup::read(group)?,
                WorkspaceName::read(workspace)?,
            ),
            endpoint: Endpoint::read(endpoint, allowed)?,
            api_key: key.map(read_key).transpose()?,
            tenant_id: tenant.map(TenantId::read).transpose()?,
        })
    }
}

/// The values of the known parts, each at most once.
#[inline]
fn split(whole: Text<'_>) -> Result<[Option<Text<'_>>; 6], ParseError> {
    if whole.str.is_empty() {
        return Err(ParseError::empty(Part::ConnectionString, whole.at, EXPECTED));
    }
    let mut values = [None; 6];
    let mut last = None;
    let mut start = 0;
    while start < whole.str.len() {
        let end = find(&whole.str[start..], b';').map_or(whole.str.len(), |length| start + length);
        let part = Text::new(&whole.str[start..end], whole.at + start);
        start = end + 1;
        if part.str.is_empty() {
            continue;
        }
        let Some((name, value)) = part.split_once(b'=') else { return Err(no_equals(whole, part)) };
        let Some(index) = KEYS.iter().position(|key| is_key(key, name.str)) else {
            return Err(unknown(name, last == Some(API_KEY)));
        };
        last = Some(index);
        if values[index].replace(value).is_some() {
            return Err(whole_error(
                ParseErrorKind::Duplicate,
                name.at,
                format!("repeats `{}`", KEYS[index]),
            ));
        }
        if value.str.is_empty() {
            let found = format!("has nothing after `{}=`", KEYS[index]);
            return Err(whole_error(ParseErrorKind::Empty, value.at, found));
        }
    }
    Ok(values)
}

/// As `eq_ignore_ascii_case`, but quick when the case is right, as it nearly always is.
#[inline]
fn is_key(key: &str, name: &str) -> bool {
    key == name || key.eq_ignore_ascii_case(name)
}

#[inline]
fn read_key(text: Text<'_>) -> Result<Secret, ParseError> {
    // The key travels in an HTTP header.
    if all(text.str.as_bytes(), |byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(text.str));
    }
    // Which character is wrong is not told: it is part of the key.
    let at = text.str.bytes().position(|byte| !byte.is_ascii_graphic()).unwrap_or_default();
    let found = "has a character that no key has";
    let expected = "visible ASCII characters without spaces";
    Err(ParseError::new(Part::ApiKey, ParseErrorKind::Character, text.at + at, found, expected))
}

fn whole_error(
    kind: ParseErrorKind,
    at: usize,
    found: impl Into<std::borrow::Cow<'static, str>>,
) -> ParseError {
    ParseError::new(Part::ConnectionString, kind, at, found, EXPECTED)
}

#[cold]
fn missing(whole: Text<'_>, parts: [Option<Text<'_>>; 6]) -> ParseError {
    let absent = |index: &usize| parts[*index].is_none() && *index != TENANT_ID;
    let name = |index| {
        if index == API_KEY { "`ApiKey` (or `TenantId`)".to_owned() } else { format!("`{}`", KEYS[index]) }
    };
    let names: Vec<String> = (0..KEYS.len()).filter(absent).map(name).collect();
    whole_error(ParseErrorKind::Missing, whole.end(), format!("ends without {}", names.join(", ")))
}

/// A part without `=` may be the second half of a key with a `;` in it, so it is not repeated.
#[cold]
fn no_equals(whole: Text<'_>, part: Text<'_>) -> ParseError {
    let error = whole_error(ParseErrorKind::Shape, part.at, "has a part without `=`");
    if whole.str.trim_start_matches('/').to_ascii_lowercase().starts_with("subscriptions/") {
        return error.with_hint("this looks like a resource id; pass it as one");
    }
    error
}

/// Names that are seen in other connection strings of Azure, so they may be shown.
const FOREIGN: [&str; 9] = [
    "DefaultEndpointsProtocol",
    "AccountName",
    "AccountKey",
    "BlobEndpoint",
    "EndpointSuffix",
    "SharedAccessSignature",
    "SharedAccessKeyName",
    "SharedAccessKey",
    "HostName",
];

/// Whether an unknown name can be repeated. Text that ran out of a key stands right after it, or still has `ApiKey` in front.
fn is_harmless(name: &str, follows_key: bool) -> bool {
    let name = name.as_bytes();
    let start = String::from_utf8_lossy(&name[..name.len().min(6)]).to_ascii_lowercase();
    !follows_key
        && (1..=24).contains(&name.len())
        && name.iter().all(u8::is_ascii_alphabetic)
        && edits(&start, "apikey") > 2
}

#[cold]
fn unknown(name: Text<'_>, follows_key: bool) -> ParseError {
    let foreign = FOREIGN.iter().find(|known| known.eq_ignore_ascii_case(name.str));
    let found = if foreign.is_some() || is_harmless(name.str, follows_key) {
        format!("has the unknown part `{}`", name.str)
    } else {
        "has an unknown part".to_owned()
    };
    let error = whole_error(ParseErrorKind::Unknown, name.at, found);
    if foreign.is_some() {
        return error
            .with_hint("this looks like the connection string of another Azure service, not of a workspace");
    }
    if name.str.starts_with(['"', '\'']) {
        return error.with_hint("leave out the quotation marks");
    }
    if name.str.len() > 40 {
        return error;
    }
    let typed = name.str.to_ascii_lowercase();
    let meant = KEYS.iter().find(|key| {
        let key = key.to_ascii_lowercase();
        typed.len() >= 5 && (key.starts_with(&typed) || typed.starts_with(&key) || key.ends_with(&typed))
            || edits(&typed, &key) <= 2
    });
    match meant {
        Some(key) => error.with_hint(format!("did you mean `{key}`?")),
        None => error,
    }
}

impl FromStr for ConnectionString {
    type Err = ParseError;

    /// Reads the text. The caller's copy is the caller's to overwrite.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(Text::new(text, 0), None)
    }
}

crate::serde_text::serde_text!(ConnectionString);

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;\
                        WorkspaceName=contoso-ws;ApiKey=hunter2;QuantumEndpoint=https://eastus.quantum.azure.com/;";

    fn refused(text: &str) -> ParseError {
        let error = text.parse::<ConnectionString>().unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("hunter2"), "{error}");
        error
    }

    #[test]
    fn order_case_white_space_and_the_last_semicolon_do_not_matter() {
        let string: ConnectionString = TEXT.parse().unwrap();
        let mut parts: Vec<&str> = TEXT.trim_end_matches(';').split(';').collect();
        parts.reverse();
        for text in [parts.join(" ;\n "), TEXT.replace("ApiKey=", "APIKEY = "), format!("\u{a0}{TEXT}\n")] {
            assert_eq!(text.parse::<ConnectionString>().unwrap(), string, "{text}");
        }
    }

    #[test]
    fn a_key_may_hold_equals_signs_and_comes_back_only_on_request() {
        let string: ConnectionString = TEXT.replace("hunter2", "a+b/c==").parse().unwrap();
        assert_eq!(string.api_key().unwrap().expose(), "a+b/c==");
        assert_eq!(string.reveal().expose(), TEXT.replace("hunter2", "a+b/c=="));
        assert!(!format!("{string:?}").contains("a+b"));
    }

    #[test]
    fn a_tenant_may_stand_for_the_key() {
        let text = TEXT.replace("ApiKey=hunter2", "TenantId=contoso.example");
        let string: ConnectionString = text.parse().unwrap();
        assert_eq!((string.api_key(), string.tenant_id().unwrap().as_str()), (None, "contoso.example"));
        assert_eq!(string.reveal().expose(), text);
        assert_eq!(refused(&format!("{TEXT}TenantId=contoso.example")).kind(), ParseErrorKind::Conflict);
    }

    #[test]
    fn every_mistake_has_its_own_message_and_place() {
        let expect = |text: &str, message: &str| {
            assert_eq!(
                refused(text).to_string(),
                format!("connection string {message}; expected {EXPECTED}")
            );
        };
        expect(" ", "is empty at byte 1");
        expect(&TEXT.replace("WorkspaceName=contoso-ws;", ""), "ends without `WorkspaceName` at byte 146");
        expect(
            "ApiKey=hunter2",
            "ends without `SubscriptionId`, `ResourceGroupName`, `WorkspaceName`, `QuantumEndpoint` at byte 14",
        );
        expect("ApiKey=hunter2;apikey=hunter2", "repeats `ApiKey` at byte 15");
        expect("ApiKey=;", "has nothing after `ApiKey=` at byte 7");
        expect("ApiKey=x;hunter2;", "has a part without `=` at byte 9");
        expect("ApiKey=x;hunter2=;", "has an unknown part at byte 9");
        expect("AccountKey=hunter2", "has the unknown part `AccountKey` at byte 0");
        expect("Extra=hunter2", "has the unknown part `Extra` at byte 0");
        expect("SubscriptionId=x;Workspace=y", "has the unknown part `Workspace` at byte 17");
    }

    #[test]
    fn an_unknown_part_that_may_have_been_cut_from_a_key_is_not_named() {
        for text in [
            "ApiKey=x;hunterkey=",
            "ApiKeyhunterkey=",
            "ApKeyhunterkey=",
            "hunter_key=",
            "hunterkeyhunterkeyhunterkey=",
        ] {
            let error = refused(text);
            assert!(
                error.to_string().starts_with("connection string has an unknown part at byte"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_bad_value_is_located_in_the_whole_text() {
        let error = refused(&TEXT.replace("contoso-rg", "contoso rg"));
        assert_eq!((error.part(), error.at()), (Part::ResourceGroup, Some(77)));
        let error = refused(&TEXT.replace("hunter2", "hunter2 hunter2"));
        assert_eq!((error.part(), error.at()), (Part::ApiKey, Some(120)));
        let error = refused(&TEXT.replace("https", "http"));
        assert_eq!((error.part(), error.at()), (Part::Endpoint, Some(137)));
    }

    #[test]
    fn only_the_host_that_is_named_is_allowed_beside_the_services_own() {
        let at = |host: &str| TEXT.replace("https://eastus.quantum.azure.com", host);
        let read = |text: &str| ConnectionString::parse_allowing_host(text, "q.contoso.example");
        assert_eq!(
            read(&at("https://Q.contoso.example:8443")).unwrap().endpoint().to_string(),
            "https://q.contoso.example:8443/"
        );
        assert!(read(TEXT).is_ok());
        for host in [
            "http://q.contoso.example",
            "https://x.contoso.example",
            "https://q.contoso.example.evil.example",
        ] {
            assert!(read(&at(host)).is_err(), "{host}");
        }
    }

    #[test]
    fn a_misspelt_part_finds_its_name() {
        for (name, meant) in [
            ("Workspace", "WorkspaceName"),
            ("ResourceGroup", "ResourceGroupName"),
            ("Endpoint", "QuantumEndpoint"),
            ("ApiKy", "ApiKey"),
        ] {
            assert_eq!(refused(&format!("{name}=x")).hint(), Some(&*format!("did you mean `{meant}`?")));
        }
        assert_eq!(refused(&format!("\"{TEXT}\"")).hint(), Some("leave out the quotation marks"));
    }
}
