//! Words, numbers and signs of OpenQASM 2.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Name(&'a str),
    Number(f64),
    Text(&'a str),
    Sign(char),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Number(number) => write!(f, "`{number}`"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Sign(sign) => write!(f, "`{sign}`"),
            Self::End => f.write_str("the end of the program"),
        }
    }
}

pub(crate) struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    peeked: Option<Token<'a>>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, peeked: None }
    }

    /// The line that the last token stands on, from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    pub(crate) fn next(&mut self) -> Result<Token<'a>, String> {
        if let Some(token) = self.peeked.take() {
            return Ok(token);
        }
        self.skip();
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.cut(|c| c.is_ascii_alphanumeric() || c == '_');
            return Ok(Token::Name(name));
        }
        if first.is_ascii_digit() || first == '.' {
            return self.number();
        }
        self.rest = &self.rest[first.len_utf8()..];
        if first != '"' {
            return Ok(Token::Sign(first));
        }
        let end = self.rest.find('"').ok_or("a text is not closed")?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(Token::Text(text))
    }

    pub(crate) fn peek(&mut self) -> Result<Token<'a>, String> {
        let token = self.next()?;
        self.peeked = Some(token);
        Ok(token)
    }

    /// Takes the sign if it comes next.
    pub(crate) fn take(&mut self, sign: char) -> Result<bool, String> {
        let found = self.peek()? == Token::Sign(sign);
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    pub(crate) fn expect(&mut self, sign: char) -> Result<(), String> {
        match self.next()? {
            Token::Sign(found) if found == sign => Ok(()),
            other => Err(format!("expected `{sign}`, found {other}")),
        }
    }

    pub(crate) fn expect_name(&mut self, wanted: &str) -> Result<(), String> {
        match self.next()? {
            Token::Name(name) if name == wanted => Ok(()),
            other => Err(format!("expected `{wanted}`, found {other}")),
        }
    }

    pub(crate) fn name(&mut self) -> Result<&'a str, String> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            other => Err(format!("expected a name, found {other}")),
        }
    }

    pub(crate) fn name_or_end(&mut self) -> Result<Option<&'a str>, String> {
        match self.peek()? {
            Token::End => Ok(None),
            _ => self.name().map(Some),
        }
    }

    pub(crate) fn integer(&mut self) -> Result<usize, String> {
        let token = self.next()?;
        let whole = match token {
            // Larger numbers would be no exact integers.
            Token::Number(number) if number.fract() == 0.0 && number < 9e15 => {
                number.to_string().parse().ok()
            }
            _ => None,
        };
        whole.ok_or_else(|| format!("expected a whole number, found {token}"))
    }

    fn number(&mut self) -> Result<Token<'a>, String> {
        let start = self.rest;
        self.cut(|c| c.is_ascii_digit() || c == '.');
        if self.rest.starts_with(['e', 'E']) {
            self.rest = &self.rest[1..];
            if self.rest.starts_with(['+', '-']) {
                self.rest = &self.rest[1..];
            }
            self.cut(|c| c.is_ascii_digit());
        }
        let text = &start[..start.len() - self.rest.len()];
        text.parse().map(Token::Number).map_err(|_| format!("`{text}` is no number"))
    }

    fn cut(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            self.line += self.rest[..self.rest.len() - trimmed.len()].matches('\n').count();
            self.rest = trimmed;
            if !self.rest.starts_with("//") {
                return;
            }
            self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
        }
    }
}
