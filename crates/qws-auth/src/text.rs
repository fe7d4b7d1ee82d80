//! What may be shown of text that others sent, and what may be put into command lines and forms.

use qws_config::Secret;

use crate::AuthError;

/// The longest text of another party that goes into an error, in characters.
const SHOWN_CHARACTERS: usize = 1024;

/// A run of token characters longer than this is taken for a secret. A GUID has 36.
const LONGEST_WORD: usize = 48;

/// Text as it may be shown: one line, at most 1 KiB, without the given secrets and without what looks like one.
pub(crate) fn shown(text: &str, secrets: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.expose().trim()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let token_like = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | '~');
    let mut out = String::new();
    for piece in one_line.split_inclusive(|c| !token_like(c)) {
        let word = piece.trim_end_matches(|c| !token_like(c));
        if word.len() > LONGEST_WORD || (word.starts_with("eyJ") && word.len() > 16) {
            out.push_str("***");
            out.push_str(&piece[word.len()..]);
        } else {
            out.push_str(piece);
        }
    }
    let words: Vec<&str> = out.split_whitespace().collect();
    words.join(" ").chars().take(SHOWN_CHARACTERS).collect()
}

/// A GUID, as client ids and object ids are, in lower case.
pub(crate) fn guid(what: &str, text: &str) -> Result<String, AuthError> {
    let text = text.trim();
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if text.len() == 36 && text.bytes().enumerate().all(fits) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(AuthError::invalid(format!("the {what} must be a GUID, 8-4-4-4-12 hexadecimal digits with hyphens")))
}

/// A scope that may stand in a command line: ASCII letters, digits and `_-.:/`, no `-` at the start.
pub(crate) fn command_line_scope(scope: &str) -> Result<&str, AuthError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    if scope.is_empty() || scope.starts_with('-') || !scope.chars().all(fine) {
        return Err(AuthError::invalid(
            "the scope holds a character other than ASCII letters, digits, '_', '-', '.', ':' and '/'",
        ));
    }
    Ok(scope)
}

/// The resource of a scope, for services that know resources only: a final `/.default` is cut.
pub(crate) fn resource(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_what_looks_like_one_are_not_shown() {
        let secret = Secret::new("hunter2\n");
        let jwt = format!("eyJ{}", "a".repeat(20));
        let text = format!("bad\r\nsecret 'hunter2', token {jwt}, {}", "x".repeat(60));
        assert_eq!(shown(&text, &[&secret]), "bad secret '***', token ***, ***");
        let plain = "app 11111111-2222-3333-4444-555555555555 at https://login.microsoftonline.com/x";
        assert_eq!(shown(plain, &[]), plain);
        assert_eq!(shown(&"ab ".repeat(5000), &[]).len(), 1024);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_it_stays_short_on_one_line_and_without_the_secret(
            before in ".{0,200}", secret in "[a-z0-9/+]{4,60}", after in ".{0,2000}",
        ) {
            let out = shown(&format!("{before}{secret}{after}"), &[&Secret::new(secret.as_str())]);
            proptest::prop_assert!(!out.contains(&secret));
            proptest::prop_assert!(out.chars().count() <= 1024 && !out.chars().any(char::is_control));
        }
    }

    #[test]
    fn resources_are_scopes_without_their_last_part() {
        assert_eq!(resource("https://quantum.microsoft.com/.default"), "https://quantum.microsoft.com");
        assert_eq!(resource("https://x//.default"), "https://x/");
        assert_eq!(resource("https://x"), "https://x");
    }

    #[test]
    fn command_lines_take_plain_scopes_only() {
        assert!(command_line_scope("https://quantum.microsoft.com/.default").is_ok());
        for bad in ["", "-x", "a b", "a;b", "a\"b", "é", "a\nb", "a&b", "a%PATH%"] {
            assert!(command_line_scope(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn guids_are_checked() {
        assert_eq!(
            guid("client id", " 1111AAAA-2222-3333-4444-555555555555 ").unwrap(),
            "1111aaaa-2222-3333-4444-555555555555"
        );
        assert!(guid("client id", "my-app").unwrap_err().to_string().starts_with("the client id must be"));
    }
}
