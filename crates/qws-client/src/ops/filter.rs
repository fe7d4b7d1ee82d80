use std::fmt;

use azure_core::time::OffsetDateTime;

use crate::{ItemType, JobType};

/// Which items of a list are wanted. Conditions on different properties must all hold; of several values for one
/// property any will do.
///
/// Values are escaped, so that none of them can change the meaning of the filter. The service knows: for jobs all but
/// the item type; for sessions provider, target, status and time; for the jobs of a session name and status.
///
/// ```
/// use qws_client::Filter;
///
/// let filter = Filter::new().name_starts_with("o'hara").status("Succeeded").status("Failed");
/// assert_eq!(
///     filter.to_string(),
///     "startswith(Name, 'o''hara') and (State eq 'Succeeded' or State eq 'Failed')",
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct Filter {
    name_prefix: Option<String>,
    item_types: Vec<String>,
    job_types: Vec<String>,
    providers: Vec<String>,
    targets: Vec<String>,
    states: Vec<String>,
    created_after: Option<OffsetDateTime>,
    created_before: Option<OffsetDateTime>,
}

impl Filter {
    /// A filter that lets everything through.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names that begin so; a plain prefix, no pattern.
    pub fn name_starts_with(mut self, prefix: impl Into<String>) -> Self {
        self.name_prefix = Some(prefix.into());
        self
    }

    /// Items of this type.
    pub fn item_type(mut self, value: &ItemType) -> Self {
        self.item_types.push(value.as_str().to_owned());
        self
    }

    /// Jobs of this type.
    pub fn job_type(mut self, value: &JobType) -> Self {
        self.job_types.push(value.as_str().to_owned());
        self
    }

    /// Items of this provider, by id.
    pub fn provider(mut self, id: impl Into<String>) -> Self {
        self.providers.push(id.into());
        self
    }

    /// Items for this target, by id.
    pub fn target(mut self, id: impl Into<String>) -> Self {
        self.targets.push(id.into());
        self
    }

    /// Items in this state, by its text on the wire, for example `Succeeded`.
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.states.push(status.into());
        self
    }

    /// Items made on this day (UTC) or later. The service compares days: the time of day is dropped.
    pub fn created_after(mut self, time: OffsetDateTime) -> Self {
        self.created_after = Some(time);
        self
    }

    /// Items made on this day (UTC) or earlier. The service compares days: the time of day is dropped.
    pub fn created_before(mut self, time: OffsetDateTime) -> Self {
        self.created_before = Some(time);
        self
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any_of = |property: &str, values: &[String]| {
            let each: Vec<String> =
                values.iter().map(|value| format!("{property} eq '{}'", escaped(value))).collect();
            (!each.is_empty()).then(|| format!("({})", each.join(" or ")))
        };
        let name = self.name_prefix.as_ref().map(|prefix| format!("startswith(Name, '{}')", escaped(prefix)));
        let day = |operator, time: Option<OffsetDateTime>| {
            let date = time?.to_utc().date();
            let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
            Some(format!("CreationTime {operator} {year:04}-{month:02}-{day:02}"))
        };
        let terms = [
            name,
            any_of("ItemType", &self.item_types),
            any_of("JobType", &self.job_types),
            any_of("ProviderId", &self.providers),
            any_of("Target", &self.targets),
            any_of("State", &self.states),
            day("ge", self.created_after),
            day("le", self.created_before),
        ];
        f.write_str(&terms.into_iter().flatten().collect::<Vec<_>>().join(" and "))
    }
}

/// A value inside quotes: quotes are doubled (`OData` 4.01, ABNF rule `SQUOTE-in-string`).
fn escaped(value: &str) -> String {
    value.replace('\'', "''")
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Property {
    /// The name.
    Name,
    /// Job or session.
    ItemType,
    /// The type of job.
    JobType,
    /// The provider.
    ProviderId,
    /// The target.
    Target,
    /// The state.
    State,
    /// When it was made.
    CreationTime,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Order {
    property: Property,
    descending: bool,
}

impl Order {
    /// Smallest, earliest, first in the alphabet first.
    pub fn ascending(property: Property) -> Self {
        Self { property, descending: false }
    }

    /// The other way round.
    pub fn descending(property: Property) -> Self {
        Self { property, descending: true }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "desc" } else { "asc" };
        write!(f, "{:?} {direction}", self.property)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_in_the_services_order() {
        let time = azure_core::time::parse_rfc3339("2026-01-02T23:30:00-05:00").unwrap();
        let filter = Filter::new()
            .created_before(time)
            .status("Waiting")
            .target("ionq.simulator")
            .provider("ionq")
            .job_type(&JobType::QuantumComputing)
            .item_type(&ItemType::Job)
            .name_starts_with("x");
        assert_eq!(
            filter.to_string(),
            "startswith(Name, 'x') and (ItemType eq 'Job') and (JobType eq 'QuantumComputing') and \
             (ProviderId eq 'ionq') and (Target eq 'ionq.simulator') and (State eq 'Waiting') and \
             CreationTime le 2026-01-03"
        );
        assert_eq!(Filter::new().to_string(), "");
    }

    #[test]
    fn no_value_can_leave_its_quotes() {
        let text = Filter::new().provider("x' or 'a' eq 'a").to_string();
        assert_eq!(text, "(ProviderId eq 'x'' or ''a'' eq ''a')");
        let inside = text.strip_prefix("(ProviderId eq '").and_then(|rest| rest.strip_suffix("')")).unwrap();
        assert!(!inside.replace("''", "").contains('\''), "every quote inside is doubled");
    }

    #[test]
    fn orders_are_named_as_the_service_does() {
        assert_eq!(Order::descending(Property::CreationTime).to_string(), "CreationTime desc");
        assert_eq!(Order::ascending(Property::ProviderId).to_string(), "ProviderId asc");
    }
}
