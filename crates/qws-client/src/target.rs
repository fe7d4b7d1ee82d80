use crate::{
    Error, ErrorKind, Operation, Program, SessionBuilder, Submission, TargetAvailability, TargetStatus,
    Workspace,
};

/// A machine or simulator of a workspace. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Target {
    workspace: Workspace,
    provider: String,
    status: TargetStatus,
}

impl Target {
    pub(crate) fn new(workspace: Workspace, provider: String, status: TargetStatus) -> Self {
        Self { workspace, provider, status }
    }

    /// The target's id, for example `ionq.simulator`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.status.id
    }

    /// The id of its provider, for example `ionq`.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// All that the service told of it when it was listed.
    #[must_use]
    pub fn status(&self) -> &TargetStatus {
        &self.status
    }

    /// Whether it took jobs when it was listed, with or without trouble.
    #[must_use]
    pub fn is_available(&self) -> bool {
        use TargetAvailability::{Available, Degraded};
        matches!(self.status.current_availability, Some(Available | Degraded))
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Begins a submission: nothing is sent until [`Submission::send`], and the job's id is there before that.
    pub fn submit(&self, program: Program) -> Submission {
        Submission::new(self, program)
    }

    /// Begins a session on this target: nothing is sent until [`SessionBuilder::open`].
    pub fn session(&self) -> SessionBuilder {
        SessionBuilder::new(self.clone())
    }
}

/// The error for a target that the workspace does not have, with the names that come nearest.
pub(crate) fn missing(wanted: &str, known: &[Target]) -> Error {
    let mut names: Vec<(usize, &str)> =
        known.iter().map(|target| (distance(wanted, target.id()), target.id())).collect();
    names.sort_unstable();
    let nearest: Vec<String> = names.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    let hint = match nearest.as_slice() {
        [] => "the workspace has no targets: add a provider in the portal".to_owned(),
        names => format!("the nearest of its {} targets: {}", known.len(), names.join(", ")),
    };
    Error::new(ErrorKind::TargetMissing, format!("the workspace has no target `{wanted}`"))
        .with_operation(Operation::ProvidersList)
        .with_hint(hint)
}

/// How many letters must be put in, taken out or changed to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(!left.eq_ignore_ascii_case(right));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_changes() {
        assert_eq!(distance("ionq.simulator", "IonQ.simulator"), 0);
        assert_eq!(distance("ionq.simulatr", "ionq.simulator"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
