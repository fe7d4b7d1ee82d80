//! Azure regions.

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::names::text_newtype;
use crate::text::Text;

text_newtype! {
    /// An Azure region in its canonical form: `East US` and `eastus` are both `eastus`.
    ///
    /// Spaces are dropped and letters made lower case; what is left must be ASCII letters and digits, since it becomes part of a
    /// host name. Regions come and go, so none is refused for being unknown; see [`Location::near_miss`].
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    Location
}

/// The regions that the service's Python client 3.13.0 lists. Used for hints only.
const KNOWN: [&str; 57] = [
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "centraluseuap",
    "chilecentral",
    "eastasia",
    "eastus",
    "eastus2",
    "eastus2euap",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
    "westus3",
];

/// A host name's label has at most 63 characters, and `-v2` may follow the region.
const LONGEST: usize = 60;
const EXPECTED: &str = "a region such as `eastus` or `East US`: ASCII letters, digits and spaces";

impl Location {
    pub(crate) fn read(text: Text<'_>) -> Result<Self, ParseError> {
        let part = Part::Location;
        if let Some((at, found)) =
            text.str.char_indices().find(|(_, c)| !(c.is_ascii_alphanumeric() || *c == ' '))
        {
            return Err(ParseError::character(part, text.at + at, found, EXPECTED));
        }
        if text.str.is_empty() {
            return Err(ParseError::empty(part, text.at, EXPECTED));
        }
        let canonical: Box<str> =
            text.str.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect::<String>().into();
        if canonical.len() > LONGEST {
            let found = format!("has {} letters and digits", canonical.len());
            return Err(ParseError::new(part, ParseErrorKind::Length, text.end(), found, "at most 60"));
        }
        Ok(Self(canonical))
    }

    /// A region taken from a host name: already lower case letters and digits.
    #[inline]
    pub(crate) fn canonical(region: &str) -> Self {
        Self(region.into())
    }

    /// The known region that this one is probably a misspelling of; `None` if it is known, or like none of them.
    ///
    /// ```
    /// # use qws_config::Location;
    /// assert_eq!("eatsus".parse::<Location>()?.near_miss(), Some("eastus"));
    /// assert_eq!("East US".parse::<Location>()?.near_miss(), None);
    /// assert_eq!("mars".parse::<Location>()?.near_miss(), None);
    /// # Ok::<(), qws_config::ParseError>(())
    /// ```
    #[must_use]
    pub fn near_miss(&self) -> Option<&'static str> {
        let (distance, nearest) = KNOWN.iter().map(|known| (edits(&self.0, known), *known)).min()?;
        (distance > 0 && distance <= 2 && self.0.len() > 4).then_some(nearest)
    }
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to make `a` into `b`.
pub(crate) fn edits(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(text: &str) -> Location {
        text.parse().unwrap()
    }

    #[test]
    fn display_names_and_codes_are_the_same_region() {
        assert_eq!(location("East US 2"), location("eastus2"));
        assert_eq!(location(" EAST us ").as_str(), "eastus");
    }

    #[test]
    fn unknown_regions_are_taken_but_nothing_that_could_change_a_host_name() {
        assert_eq!(location("Mars North").as_str(), "marsnorth");
        for (text, at) in
            [("east-us", 4), ("east\tus", 4), ("a.evil", 1), ("örebro", 0), (" x/y", 2), ("  ", 2)]
        {
            assert_eq!(text.parse::<Location>().unwrap_err().at(), Some(at), "{text:?}");
        }
    }

    #[test]
    fn a_misspelling_finds_its_region() {
        for (typed, meant) in
            [("eastsu", "eastus"), ("westeurop", "westeurope"), ("northeuorpe", "northeurope")]
        {
            assert_eq!(location(typed).near_miss(), Some(meant));
        }
        assert!(KNOWN.iter().all(|known| location(known).near_miss().is_none()));
    }

    #[test]
    fn edits_count_single_slips() {
        for (a, b, count) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abc", "abd", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(a, b), count, "{a} {b}");
        }
    }
}
