//! Texts that only have to be harmless where they are sent.

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::text::Text;

/// An identifier without spaces, such as a client id.
pub(crate) fn token(part: Part, text: &str) -> Result<Box<str>, ParseError> {
    checked(part, Text::new(text, 0), "1 to 255 visible ASCII characters without spaces", |c| {
        c.is_ascii_graphic()
    })
}

/// One line of printable ASCII, such as what a program calls itself.
pub(crate) fn line(part: Part, text: &str) -> Result<Box<str>, ParseError> {
    checked(part, Text::new(text, 0), "1 to 255 printable ASCII characters", |c| {
        c.is_ascii_graphic() || c == ' '
    })
}

/// A token scope, such as `https://quantum.microsoft.com/.default`. Some credentials pass it on a command line.
pub(crate) fn scope(part: Part, text: &str) -> Result<Box<str>, ParseError> {
    let text = Text::new(text, 0);
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    match text.str.strip_prefix('-') {
        Some(_) => Err(ParseError::character(part, text.at, '-', "a letter or digit first")),
        None => checked(part, text, "1 to 255 ASCII letters, digits, '_', '-', '.', ':', '/'", fine),
    }
}

fn checked(
    part: Part,
    text: Text<'_>,
    expected: &'static str,
    fine: impl Fn(char) -> bool,
) -> Result<Box<str>, ParseError> {
    if let Some((at, found)) = text.str.char_indices().find(|&(_, c)| !fine(c)) {
        return Err(ParseError::character(part, text.at + at, found, expected));
    }
    match text.str.len() {
        0 => Err(ParseError::empty(part, text.at, expected)),
        1..=255 => Ok(text.str.into()),
        length => {
            let found = format!("has {length} characters");
            Err(ParseError::new(part, ParseErrorKind::Length, text.at + 255, found, expected))
        }
    }
}
