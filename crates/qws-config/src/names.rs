//! The names that identify a workspace, each a type of its own so that none can stand in for another.

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::text::{Text, all};

/// Declares a text newtype. The type itself must give `fn read(Text<'_>) -> Result<Self, ParseError>`.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text, as it is sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::ParseError;

            /// Reads the text; white space around it is ignored.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::read($crate::text::Text::new(text, 0))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::ParseError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        $crate::serde_text::serde_text!($name, serialize);
    };
}
pub(crate) use text_newtype;

/// Equality for names that Azure compares without case: what was typed is kept, what is meant is compared.
macro_rules! caseless {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0 || folded(&self.0).eq(folded(&other.0))
            }
        }

        impl Eq for $name {}

        impl ::std::hash::Hash for $name {
            fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {
                folded(&self.0).for_each(|c| c.hash(state));
                // Ends the text, so that two names in a row cannot be cut elsewhere and hash alike.
                0xff_u8.hash(state);
            }
        }
    };
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

text_newtype! {
    /// The GUID of an Azure subscription, kept in lower case.
    ///
    /// Any case is accepted, as Azure and its Python client do (the service's specification asks for lower case, which is
    /// what is sent); braces and the form without hyphens are not.
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    SubscriptionId
}

impl SubscriptionId {
    #[inline]
    pub(crate) fn read(text: Text<'_>) -> Result<Self, ParseError> {
        match guid(text.str) {
            Ok(guid) => Ok(Self(guid)),
            Err(at) => Err(guid_error(text, at)),
        }
    }
}

const GUID: &str = "a GUID, 8-4-4-4-12 hexadecimal digits with hyphens";

const GUID_PATTERN: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// A GUID in lower case, or the offset where the text stops being one.
#[inline]
fn guid(text: &str) -> Result<Box<str>, usize> {
    let fits = |(pattern, byte): (u8, u8)| match pattern {
        b'-' => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let pairs = || GUID_PATTERN.bytes().zip(text.bytes());
    // As in `text::all`.
    if text.len() == GUID_PATTERN.len() && pairs().fold(true, |all, pair| all & fits(pair)) {
        return Ok(text.to_ascii_lowercase().into());
    }
    Err(pairs().position(|pair| !fits(pair)).unwrap_or(text.len().min(GUID_PATTERN.len())))
}

#[cold]
fn guid_error(text: Text<'_>, at: usize) -> ParseError {
    let part = Part::SubscriptionId;
    // Bytes are counted, so the first misfit may be the middle of a character only if it is the character's first byte.
    let error = match text.str[at..].chars().next() {
        None if at == 0 => return ParseError::empty(part, text.at, GUID),
        None => ParseError::new(part, ParseErrorKind::Length, text.at + at, "ends", GUID),
        Some(found) => ParseError::character(part, text.at + at, found, GUID),
    };
    if text.str.starts_with('{') {
        return error.with_hint("leave the braces out");
    }
    if text.str.len() == 32 && text.str.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return error.with_hint("put hyphens after 8, 12, 16 and 20 digits");
    }
    error
}

text_newtype! {
    /// The name of an Azure resource group; compared without case, printed as given.
    ///
    /// 1 to 90 characters: letters and digits of any script, `_`, `-`, `.`, `(` and `)`, without a dot at the end.
    /// "Letter" and "digit" are Unicode's `Alphabetic` and `Numeric` properties, a little wider than Azure's own rule (they take
    /// Roman numeral signs and some vowel signs); Azure has the last word on those.
    ResourceGroup
}
caseless!(ResourceGroup);

impl ResourceGroup {
    #[inline]
    pub(crate) fn read(text: Text<'_>) -> Result<Self, ParseError> {
        const EXPECTED: &str = "1 to 90 letters, digits, '_', '-', '.', '(', ')', and no '.' at the end";
        let part = Part::ResourceGroup;
        let fine = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '(' | ')');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=90).contains(&text.str.len()) && all(text.str.as_bytes(), plain) {
            return Ok(Self(text.str.into()));
        }
        if let Some((at, found)) = text.str.char_indices().find(|&(_, c)| !fine(c)) {
            return Err(ParseError::character(part, text.at + at, found, EXPECTED));
        }
        if text.str.is_empty() {
            return Err(ParseError::empty(part, text.at, EXPECTED));
        }
        if text.str.ends_with('.') {
            return Err(ParseError::character(part, text.end() - 1, '.', EXPECTED));
        }
        if let Some((at, _)) = text.str.char_indices().nth(90) {
            let found = format!("has {} characters", text.str.chars().count());
            return Err(ParseError::new(part, ParseErrorKind::Length, text.at + at, found, EXPECTED));
        }
        Ok(Self(text.str.into()))
    }
}

text_newtype! {
    /// The name of an Azure Quantum workspace; compared without case, printed as given.
    ///
    /// 2 to 54 characters: ASCII letters and digits, then also `-` and `_`. The service's specification (2 to 50, a letter
    /// first, underscores) and its Python client (2 to 54, a digit first, no underscore, no hyphen at the end) disagree; what either of them
    /// takes is taken here.
    WorkspaceName
}
caseless!(WorkspaceName);

impl WorkspaceName {
    #[inline]
    pub(crate) fn read(text: Text<'_>) -> Result<Self, ParseError> {
        const CHARACTERS: &str = "ASCII letters, digits, inner '-' and '_'";
        const LENGTH: &str = "2 to 54 ASCII letters, digits, '-' and '_'";
        let part = Part::WorkspaceName;
        let fine =
            |(at, byte): (usize, u8)| byte.is_ascii_alphanumeric() || at > 0 && matches!(byte, b'-' | b'_');
        if let Some(at) = text.str.bytes().enumerate().position(|pair| !fine(pair)) {
            let found = text.str[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            return Err(ParseError::character(part, text.at + at, found, CHARACTERS));
        }
        match text.str.len() {
            0 => Err(ParseError::empty(part, text.at, LENGTH)),
            2..=54 => Ok(Self(text.str.into())),
            length => {
                let (at, s) = if length == 1 { (text.end(), "") } else { (text.at + 54, "s") };
                Err(ParseError::new(
                    part,
                    ParseErrorKind::Length,
                    at,
                    format!("has {length} character{s}"),
                    LENGTH,
                ))
            }
        }
    }
}

text_newtype! {
    /// A Microsoft Entra tenant: its GUID or one of its domain names, kept in lower case.
    ///
    /// ASCII letters, digits, `-` and `.` only, since the text goes into a URL path and into command lines; so no `-` or `.` at
    /// the start and no `..`. At most 253 characters, the length of a domain name.
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    TenantId
}

impl TenantId {
    pub(crate) fn read(text: Text<'_>) -> Result<Self, ParseError> {
        const EXPECTED: &str = "the tenant's GUID or domain name: ASCII letters, digits, inner '-' and '.'";
        let part = Part::TenantId;
        let bytes = text.str.as_bytes();
        let fine = |at: usize| match bytes[at] {
            b'-' => at > 0,
            b'.' => at > 0 && bytes[at - 1] != b'.' && at + 1 < bytes.len(),
            byte => byte.is_ascii_alphanumeric(),
        };
        if let Some(at) = (0..bytes.len()).find(|&at| !fine(at)) {
            let found = text.str[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            return Err(ParseError::character(part, text.at + at, found, EXPECTED));
        }
        match bytes.len() {
            0 => Err(ParseError::empty(part, text.at, EXPECTED)),
            1..=253 => Ok(Self(text.str.to_ascii_lowercase().into())),
            length => {
                let found = format!("has {length} characters");
                Err(ParseError::new(part, ParseErrorKind::Length, text.at + 253, found, EXPECTED))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: std::str::FromStr<Err = ParseError> + std::fmt::Debug>(
        text: &str,
    ) -> (String, Option<usize>) {
        let error = text.parse::<T>().unwrap_err();
        (error.to_string(), error.at())
    }

    #[test]
    fn subscription_ids_are_guids_of_any_case_kept_in_lower_case() {
        let id: SubscriptionId = " ABCDEFAB-2222-3333-4444-555555555555\n".parse().unwrap();
        assert_eq!(id.as_str(), "abcdefab-2222-3333-4444-555555555555");
        assert_eq!(id, "abcdefab-2222-3333-4444-555555555555".parse().unwrap());
    }

    #[test]
    fn a_bad_subscription_id_is_located_and_its_remedy_named() {
        assert_eq!(
            refused::<SubscriptionId>("").0,
            format!("subscription id is empty at byte 0; expected {GUID}")
        );
        assert_eq!(
            refused::<SubscriptionId>("abc").0,
            format!("subscription id ends at byte 3; expected {GUID}")
        );
        assert_eq!(
            refused::<SubscriptionId>(" 11é").0,
            format!("subscription id has 'é' at byte 3; expected {GUID}")
        );
        let braces = "{11111111-2222-3333-4444-555555555555}".parse::<SubscriptionId>().unwrap_err();
        assert_eq!(braces.hint(), Some("leave the braces out"));
        let plain = "11111111222233334444555555555555".parse::<SubscriptionId>().unwrap_err();
        assert_eq!(plain.hint(), Some("put hyphens after 8, 12, 16 and 20 digits"));
        assert_eq!(refused::<SubscriptionId>("11111111-2222-3333-4444-5555555555556").1, Some(36));
    }

    #[test]
    fn names_are_compared_as_azure_does_and_printed_as_given() {
        let (a, b) =
            ("Contoso-RG".parse::<ResourceGroup>().unwrap(), "contoso-rg".parse::<ResourceGroup>().unwrap());
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "Contoso-RG");
        assert_eq!(std::collections::HashSet::from([a, b]).len(), 1);
        assert_eq!("ÉTÉ".parse::<ResourceGroup>().unwrap(), "été".parse().unwrap());
        assert_ne!("ws1".parse::<WorkspaceName>().unwrap(), "ws2".parse().unwrap());
    }

    #[test]
    fn lengths_are_checked_in_characters() {
        assert!("組".repeat(90).parse::<ResourceGroup>().is_ok());
        let (text, at) = refused::<ResourceGroup>(&"組".repeat(91));
        assert!(text.starts_with("resource group has 91 characters at byte 270;"), "{text}");
        assert_eq!(at, Some(270));
        assert!("a".repeat(54).parse::<WorkspaceName>().is_ok());
        assert_eq!(refused::<WorkspaceName>(&"a".repeat(55)).1, Some(54));
        assert_eq!(
            refused::<WorkspaceName>("a").0,
            "workspace name has 1 character at byte 1; expected 2 to 54 ASCII letters, digits, '-' and '_'"
        );
    }

    #[test]
    fn tenants_cannot_climb_out_of_a_path_or_pose_as_an_option() {
        for (text, at) in [("..", 0), (".", 0), ("-x", 0), ("a..b", 2), ("a.", 1), ("a/b", 1), ("tenánt", 3)]
        {
            assert_eq!(refused::<TenantId>(text).1, Some(at), "{text}");
        }
        assert_eq!(
            "Contoso.onmicrosoft.com".parse::<TenantId>().unwrap().as_str(),
            "contoso.onmicrosoft.com"
        );
    }
}
