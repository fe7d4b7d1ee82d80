use serde::{Deserialize, Serialize, Serializer};

use super::{Priority, null_as_default};

/// A change to a job, as a JSON merge patch ([RFC 7396]): what is set is replaced, what is cleared is removed, and
/// what is not named stays. Tags are replaced as a whole.
///
/// [RFC 7396]: https://www.rfc-editor.org/rfc/rfc7396
///
/// ```
/// use qws_client::JobUpdate;
///
/// let update = JobUpdate::new().name("second try").clear_priority();
/// # let _ = update;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[must_use]
pub struct JobUpdate {
    #[serde(skip_serializing_if = "Change::is_none")]
    priority: Change<Priority>,
    #[serde(skip_serializing_if = "Change::is_none")]
    name: Change<String>,
    #[serde(skip_serializing_if = "Change::is_none")]
    tags: Change<Vec<String>>,
}

/// A field of a merge patch.
#[derive(Debug, Clone, Default, PartialEq)]
enum Change<T> {
    /// Absent: stays.
    #[default]
    None,
    /// Null: is removed.
    Clear,
    /// A value: is replaced.
    Set(T),
}

impl<T> Change<T> {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => serializer.serialize_some(value),
            Self::None | Self::Clear => serializer.serialize_none(),
        }
    }
}

impl JobUpdate {
    /// A change of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it another name; an empty one counts as given.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Change::Set(name.into());
        self
    }

    /// Gives it another priority.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Change::Set(priority);
        self
    }

    /// Takes its priority away.
    pub fn clear_priority(mut self) -> Self {
        self.priority = Change::Clear;
        self
    }

    /// Gives it these tags in place of all others; none are an empty list.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = Change::Set(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Takes its tags away.
    pub fn clear_tags(mut self) -> Self {
        self.tags = Change::Clear;
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the service answers to an update: the three fields as they are now.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobUpdateResponse {
    /// The name.
    pub name: Option<String>,
    /// The priority.
    pub priority: Option<Priority>,
    /// The tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_empty_are_three_things() {
        let json = |update: &JobUpdate| serde_json::to_string(update).unwrap();
        assert_eq!(json(&JobUpdate::new()), "{}");
        assert_eq!(json(&JobUpdate::new().clear_tags().name("")), r#"{"name":"","tags":null}"#);
        let tags: [&str; 0] = [];
        assert_eq!(
            json(&JobUpdate::new().tags(tags).priority(Priority::High)),
            r#"{"priority":"High","tags":[]}"#
        );
    }
}
