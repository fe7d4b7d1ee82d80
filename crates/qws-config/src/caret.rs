//! The place of an error, shown in the text it is about, without what must not be shown.

use crate::connection_string::{API_KEY, KEYS};
use crate::error::{ParseError, Part};

/// Text that stands for something that is not shown.
const HIDDEN: &str = "…";
/// Characters shown on each side of the place.
const AROUND: usize = 60;

impl ParseError {
    /// The message, the text with a caret under the place, and the hint: lines for a terminal.
    ///
    /// Of a connection string only the names of its parts and the value at fault are shown, of an API key nothing. `text` is the text that was parsed.
    ///
    /// ```
    /// use qws_config::ConnectionString;
    ///
    /// let text = "WorkspaceName=my ws;ApiKey=hunter2;SubscriptionId=11111111-2222-3333-4444-555555555555;\
    ///     ResourceGroupName=contoso-rg;QuantumEndpoint=https://eastus.quantum.azure.com/";
    /// let error = text.parse::<ConnectionString>().unwrap_err();
    /// assert_eq!(
    ///     error.render(text),
    ///     "workspace name has ' ' at byte 16; expected ASCII letters, digits, inner '-' and '_'\n\
    ///      \x20 WorkspaceName=my ws;ApiKey=…;SubscriptionId=…;ResourceGroupName=…;QuantumEnd…\n\
    ///      \x20                 ^"
    /// );
    /// ```
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let line = Line::new(text, self.at().unwrap_or_default(), self.part());
        let mut out = format!("{self}\n  {}", line.render());
        if let Some(hint) = self.hint() {
            out.push_str("\nhint: ");
            out.push_str(hint);
        }
        out
    }
}

/// One line of text and the character in it to point at.
struct Line {
    shown: Vec<char>,
    caret: usize,
}

impl Line {
    fn new(text: &str, at: usize, part: Part) -> Self {
        let mut line = Self { shown: Vec::new(), caret: 0 };
        if !text.contains([';', '=']) {
            let whole = part != Part::ConnectionString && harmless(text);
            line.push(text, 0, at, whole);
            return line;
        }
        let mut start = 0;
        for piece in text.split_inclusive(';') {
            let body = piece.strip_suffix(';').unwrap_or(piece);
            match body.split_once('=') {
                None => line.push(body, start, at, body.trim().is_empty()),
                Some((name, value)) => {
                    let key = KEYS.iter().position(|key| key.eq_ignore_ascii_case(name.trim()));
                    let value_at = start + name.len() + 1;
                    let at_fault = (value_at..=value_at + value.len()).contains(&at);
                    line.push(name, start, at, key.is_some());
                    line.shown.push('=');
                    line.push(
                        value,
                        value_at,
                        at,
                        at_fault && key.is_some_and(|key| key != API_KEY) && harmless(value),
                    );
                }
            }
            line.shown.extend(piece[body.len()..].chars());
            start += piece.len();
        }
        line
    }

    /// Adds a piece that begins at byte `start` of the text, or what stands for it.
    fn push(&mut self, piece: &str, start: usize, at: usize, show: bool) {
        let begin = self.shown.len();
        if show {
            self.shown
                .extend(piece.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }));
        } else {
            self.shown.extend(HIDDEN.chars());
        }
        if (start..=start + piece.len()).contains(&at) {
            let before = piece.get(..at - start).map_or(0, |before| before.chars().count());
            self.caret = if show { begin + before } else { begin };
        }
    }

    fn render(&self) -> String {
        let from = self.caret.saturating_sub(AROUND);
        let to = (self.caret + AROUND).min(self.shown.len());
        let mut out = String::new();
        let mut columns = 0;
        if from > 0 {
            out.push_str(HIDDEN);
            columns += 1;
        }
        out.extend(&self.shown[from..to]);
        if to < self.shown.len() {
            out.push_str(HIDDEN);
        }
        columns +=
            self.shown[from..self.caret].iter().map(|c| if is_wide(*c) { 2 } else { 1 }).sum::<usize>();
        format!("{out}\n  {:columns$}^", "")
    }
}

/// A value with these in it may be several that ran together, or hold a password.
fn harmless(value: &str) -> bool {
    !value.contains(['=', ';', '@'])
}

/// Whether a terminal gives the character two columns: Chinese, Japanese and Korean writing, roughly.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{1f64f}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use crate::{ConnectionString, Endpoint, ResourceGroup};

    fn place<T: std::str::FromStr<Err = crate::ParseError> + std::fmt::Debug>(text: &str) -> String {
        let error = text.parse::<T>().unwrap_err();
        error.render(text).lines().skip(1).take(2).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_caret_stands_under_the_mistake() {
        assert_eq!(place::<ResourceGroup>("rg/1"), "  rg/1\n    ^");
        assert_eq!(place::<ResourceGroup>("組/1"), "  組/1\n    ^");
        assert_eq!(place::<ResourceGroup>("a\tb"), "  a\u{fffd}b\n   ^");
        assert_eq!(place::<ConnectionString>("ApiKey=k;apikey=k"), "  ApiKey=…;apikey=…\n           ^");
        assert_eq!(place::<ConnectionString>("ApiKey=k"), "  ApiKey=…\n         ^");
    }

    #[test]
    fn nothing_that_could_be_a_key_is_shown() {
        for text in [
            "ApiKey=hun ter2",
            "ApiKey=x;hunter2",
            "ApiKey=x;hunter2=x",
            "hunter2",
            "WorkspaceName=x ApiKey=hunter2",
        ] {
            let error = text.parse::<ConnectionString>().unwrap_err();
            assert!(!error.render(text).contains("ter2"), "{}", error.render(text));
        }
        assert!(!place::<Endpoint>("https://me:hunter2@eastus.quantum.azure.com").contains("hunter2"));
    }

    #[test]
    fn long_text_is_cut_around_the_mistake() {
        let text = format!("{}/{}", "a".repeat(500), "b".repeat(500));
        let shown = place::<ResourceGroup>(&text);
        assert_eq!(shown.lines().next().unwrap().chars().count(), 2 + 1 + 60 + 60 + 1);
        assert_eq!(shown.lines().nth(1).unwrap().chars().count(), 2 + 1 + 60 + 1);
    }
}
