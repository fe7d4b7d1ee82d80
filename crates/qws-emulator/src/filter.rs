//! The `OData` filters that clients of Azure Quantum write: comparisons, `startswith`, `and`, `or`, `not`, parentheses.

use std::cmp::Ordering;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What can be filtered on and ordered by; the names are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    Name,
    ItemType,
    JobType,
    ProviderId,
    Target,
    State,
    CreationTime,
}

impl Property {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Name" => Self::Name,
            "ItemType" => Self::ItemType,
            "JobType" => Self::JobType,
            "ProviderId" => Self::ProviderId,
            "Target" => Self::Target,
            "State" => Self::State,
            "CreationTime" => Self::CreationTime,
            _ => return None,
        })
    }
}

/// The properties of one job or session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) item_type: &'a str,
    /// Empty for sessions.
    pub(crate) job_type: &'a str,
    pub(crate) provider_id: &'a str,
    pub(crate) target: &'a str,
    pub(crate) state: &'a str,
    pub(crate) created: OffsetDateTime,
}

impl<'a> Row<'a> {
    fn text(&self, property: Property) -> &'a str {
        match property {
            Property::Name => self.name,
            Property::ItemType => self.item_type,
            Property::JobType => self.job_type,
            Property::ProviderId => self.provider_id,
            Property::Target => self.target,
            Property::State => self.state,
            Property::CreationTime => "",
        }
    }

    /// How two rows compare by one property.
    pub(crate) fn compare(&self, other: &Self, property: Property) -> Ordering {
        match property {
            Property::CreationTime => self.created.cmp(&other.created),
            _ => self.text(property).cmp(other.text(property)),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Text { property: Property, operator: Operator, value: String },
    Created { operator: Operator, at: OffsetDateTime },
    StartsWith { property: Property, prefix: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
        }
    }
}

impl Filter {
    /// Reads a filter; the error says at which byte it stops making sense.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let filter = parser.or()?;
        parser.skip();
        if parser.at < text.len() { Err(parser.error("the end or `and`/`or`")) } else { Ok(filter) }
    }

    pub(crate) fn matches(&self, row: &Row<'_>) -> bool {
        match self {
            Self::And(left, right) => left.matches(row) && right.matches(row),
            Self::Or(left, right) => left.matches(row) || right.matches(row),
            Self::Not(inner) => !inner.matches(row),
            Self::Text { property, operator, value } => {
                operator.holds(row.text(*property).cmp(value.as_str()))
            }
            Self::Created { operator, at } => operator.holds(row.created.cmp(at)),
            Self::StartsWith { property, prefix } => row.text(*property).starts_with(prefix.as_str()),
        }
    }
}

/// Parentheses within parentheses; a limit, because they are read by recursion.
const MAX_DEPTH: usize = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.term()?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("filter is nested more than {MAX_DEPTH} deep at byte {}", self.at));
        }
        let term = if self.word("not") {
            Filter::Not(Box::new(self.term()?))
        } else if self.sign('(') {
            let inner = self.or()?;
            self.expect(')')?;
            inner
        } else if self.word("startswith") {
            self.expect('(')?;
            let property = self.property()?;
            self.expect(',')?;
            let prefix = self.quoted()?;
            self.expect(')')?;
            Filter::StartsWith { property, prefix }
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(term)
    }

    fn comparison(&mut self) -> Result<Filter, String> {
        let property = self.property()?;
        let operators = [
            ("eq", Operator::Eq),
            ("ne", Operator::Ne),
            ("gt", Operator::Gt),
            ("ge", Operator::Ge),
            ("lt", Operator::Lt),
            ("le", Operator::Le),
        ];
        let operator = operators.into_iter().find(|(word, _)| self.word(word)).map(|(_, operator)| operator);
        let operator = operator.ok_or_else(|| self.error("eq, ne, gt, ge, lt or le"))?;
        if property != Property::CreationTime {
            return Ok(Filter::Text { property, operator, value: self.quoted()? });
        }
        self.skip();
        let start = self.at;
        let date = self.run(|c| !c.is_whitespace() && c != ')' && c != '\'');
        // A date alone means its first moment.
        let whole = if date.len() == 10 { format!("{date}T00:00:00Z") } else { date.to_owned() };
        let at = OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| {
            self.at = start;
            self.error("a date such as 2026-01-02, without quotes")
        })?;
        Ok(Filter::Created { operator, at })
    }

    fn property(&mut self) -> Result<Property, String> {
        self.skip();
        let start = self.at;
        let name = self.run(|c| c.is_ascii_alphanumeric());
        Property::parse(name).ok_or_else(|| {
            self.at = start;
            self.error("Name, ItemType, JobType, ProviderId, Target, State or CreationTime")
        })
    }

    /// A text in single quotes; a quote within is doubled.
    fn quoted(&mut self) -> Result<String, String> {
        self.skip();
        if !self.sign('\'') {
            return Err(self.error("a text in single quotes"));
        }
        let mut value = String::new();
        loop {
            value.push_str(self.run(|c| c != '\''));
            if self.at == self.text.len() {
                return Err(self.error("a closing quote"));
            }
            self.at += 1;
            if !self.text[self.at..].starts_with('\'') {
                return Ok(value);
            }
            value.push('\'');
            self.at += 1;
        }
    }

    fn run(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let run = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        self.at += run.len();
        run
    }

    fn skip(&mut self) {
        self.run(char::is_whitespace);
    }

    /// Takes a whole word.
    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let rest = &self.text[self.at..];
        let found = rest
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
        if found {
            self.at += word.len();
        }
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        self.skip();
        let found = self.text[self.at..].starts_with(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.sign(sign) { Ok(()) } else { Err(self.error(&format!("`{sign}`"))) }
    }

    fn error(&self, expected: &str) -> String {
        format!("expected {expected} at byte {} of the filter", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row<'static> {
        Row {
            name: "O'Brien's bell",
            item_type: "Job",
            job_type: "QuantumComputing",
            provider_id: "ionq",
            target: "ionq.simulator",
            state: "Succeeded",
            created: OffsetDateTime::parse("2026-02-03T04:05:06Z", &Rfc3339).unwrap(),
        }
    }

    fn matches(text: &str) -> bool {
        Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).matches(&row())
    }

    #[test]
    fn the_filters_of_the_python_client_are_understood() {
        assert!(matches(
            "startswith(Name, 'O''Brien') and (JobType eq 'QuantumComputing' or JobType eq 'Optimization') and \
             (ProviderId eq 'ionq') and (Target eq 'ionq.simulator') and (State eq 'Succeeded' or State eq 'Failed') \
             and CreationTime ge 2026-01-02 and CreationTime le 2026-03-04"
        ));
        assert!(!matches("(State eq 'Failed')"));
        assert!(!matches("(ItemType eq 'Session')"));
        assert!(!matches("CreationTime le 2026-02-03"), "a date is its first moment");
        assert!(matches("CreationTime ge 2026-02-03 and CreationTime lt 2026-02-03T04:05:07Z"));
    }

    #[test]
    fn and_binds_before_or_and_not_before_both() {
        assert!(matches("State eq 'Succeeded' or State eq 'x' and Name eq 'x'"));
        assert!(!matches("(State eq 'Succeeded' or State eq 'x') and Name eq 'x'"));
        assert!(matches("not State eq 'x' and not (State eq 'y')"));
        assert!(matches("Target ne 'x'"));
    }

    #[test]
    fn what_makes_no_sense_is_located() {
        for (text, expected) in [
            (
                "Status eq 'x'",
                "expected Name, ItemType, JobType, ProviderId, Target, State or CreationTime at byte 0 of the filter",
            ),
            ("State eq x", "expected a text in single quotes at byte 9 of the filter"),
            ("State is 'x'", "expected eq, ne, gt, ge, lt or le at byte 6 of the filter"),
            ("State eq 'O'Brien'", "expected the end or `and`/`or` at byte 12 of the filter"),
            ("State eq 'x", "expected a closing quote at byte 11 of the filter"),
            ("(State eq 'x'", "expected `)` at byte 13 of the filter"),
            (
                "CreationTime ge '2026-01-02'",
                "expected a date such as 2026-01-02, without quotes at byte 16 of the filter",
            ),
        ] {
            assert_eq!(Filter::parse(text).unwrap_err(), expected, "{text}");
        }
        assert!(Filter::parse(&"(".repeat(1000)).unwrap_err().contains("nested"));
    }
}
