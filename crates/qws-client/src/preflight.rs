//! What can be known about a submission before it is paid for.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind, Operation, Quota, Submission, Target, TargetAvailability,
    programs::{FORMATS_AS_OF, known_formats},
    target,
};

/// More shots than this are likely a slip.
const MANY_SHOTS: u64 = 1_000_000;

/// Something that is looked at before a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The workspace has the target, and so its provider.
    Target,
    /// The target takes jobs now.
    Availability,
    /// The target's provider takes the program's format, as far as we know its formats.
    Format,
    /// The program looks like what its format says.
    Program,
    /// The number of shots makes sense.
    Shots,
    /// The workspace's quota for the provider is not used up. V1 workspaces only.
    Quota,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// The job may well run.
    Warning,
    /// The job will be refused, or fail.
    Error,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, on one line.
    pub message: String,
}

/// A look at a submission before it is sent; from [`Submission::preflight`]. It sends nothing that costs: it lists the
/// workspace's targets and quotas.
#[derive(Debug)]
#[must_use = "nothing is looked at until `run` is called"]
pub struct Preflight<'a> {
    submission: &'a Submission,
    without: BTreeSet<Check>,
}

impl<'a> Preflight<'a> {
    pub(crate) fn new(submission: &'a Submission) -> Self {
        Self { submission, without: BTreeSet::new() }
    }

    /// Leaves a check out.
    pub fn without(mut self, check: Check) -> Self {
        self.without.insert(check);
        self
    }

    /// Looks, and tells everything that was found; nothing is the good outcome.
    ///
    /// # Errors
    /// Only where the service cannot be asked.
    pub async fn run(self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        if self.wants(Check::Target) || self.wants(Check::Availability) {
            let targets = self.submission.workspace().targets().await?;
            findings.extend(self.target(&targets));
        }
        if self.wants(Check::Quota) {
            let quotas = self.submission.workspace().quotas().list().collect().await;
            match quotas {
                Ok(quotas) => findings.extend(quotas.iter().filter_map(|quota| self.quota(quota))),
                // Not every kind of workspace, and not every role, has this list.
                Err(error) if error.status().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        findings.extend([self.format(), self.program(), self.shots()].into_iter().flatten());
        findings.retain(|finding| self.wants(finding.check));
        Ok(findings)
    }

    /// Looks, and fails with the first finding that is an error.
    ///
    /// # Errors
    /// [`ErrorKind::TargetMissing`], [`ErrorKind::TargetUnavailable`], [`ErrorKind::QuotaExceeded`] or
    /// [`ErrorKind::InvalidInput`], by what was found.
    pub async fn check(self) -> Result<(), Error> {
        let submission = self.submission;
        let found = self.run().await?.into_iter().find(|finding| finding.severity == Severity::Error);
        let Some(finding) = found else { return Ok(()) };
        let kind = match finding.check {
            Check::Target => ErrorKind::TargetMissing,
            Check::Availability => ErrorKind::TargetUnavailable,
            Check::Quota => ErrorKind::QuotaExceeded,
            Check::Format | Check::Program | Check::Shots => ErrorKind::InvalidInput,
        };
        Err(Error::new(kind, finding.message).with_operation(Operation::Submit).with_job(submission.id()))
    }

    fn wants(&self, check: Check) -> bool {
        !self.without.contains(&check)
    }

    fn target(&self, targets: &[Target]) -> Option<Finding> {
        let id = self.submission.target();
        let Some(found) = targets.iter().find(|target| target.id().eq_ignore_ascii_case(id)) else {
            let error = target::missing(id, targets);
            return finding(
                Check::Target,
                Severity::Error,
                format!("{error}; {}", error.hint().unwrap_or_default()),
            );
        };
        match &found.status().current_availability {
            Some(TargetAvailability::Available) => None,
            Some(TargetAvailability::Degraded) => finding(
                Check::Availability,
                Severity::Warning,
                format!("`{id}` is degraded: its queue may be longer"),
            ),
            other => {
                let now = other.as_ref().map_or("unknown", TargetAvailability::as_str);
                let severity = match other {
                    Some(TargetAvailability::Unavailable) => Severity::Error,
                    _ => Severity::Warning,
                };
                finding(Check::Availability, severity, format!("the availability of `{id}` is `{now}`"))
            }
        }
    }

    fn quota(&self, quota: &Quota) -> Option<Finding> {
        if !quota.provider_id.as_deref()?.eq_ignore_ascii_case(self.submission.provider()) {
            return None;
        }
        let (limit, used) = (quota.limit?, quota.utilization.unwrap_or(0.0) + quota.holds.unwrap_or(0.0));
        let name = quota.dimension.as_deref().unwrap_or("(unnamed)");
        if limit > 0.0 && used >= limit {
            return finding(
                Check::Quota,
                Severity::Error,
                format!("the quota `{name}` is used up: {used} of {limit}"),
            );
        }
        None
    }

    fn format(&self) -> Option<Finding> {
        let (provider, format) = (self.submission.provider(), self.submission.program().input_format());
        let known = known_formats(provider)?;
        if known.contains(&format) {
            return None;
        }
        let known = known.join(", ");
        let text = format!(
            "targets of `{provider}` are not known to take `{format}` (known as of {FORMATS_AS_OF}: {known})"
        );
        finding(Check::Format, Severity::Warning, text)
    }

    fn program(&self) -> Option<Finding> {
        let program = self.submission.program();
        if let Some(problem) = program.problem() {
            return finding(Check::Program, Severity::Error, problem.to_owned());
        }
        let bytes = program.bytes();
        if bytes.is_empty() {
            return finding(Check::Program, Severity::Error, "the program is empty".to_owned());
        }
        let bitcode = bytes.starts_with(b"BC\xC0\xDE") || bytes.starts_with(&[0xDE, 0xC0, 0x17, 0x0B]);
        if program.input_format() == "qir.v1" && program.encoding().is_none() && !bitcode {
            let text = "the QIR is text, and targets of the service take bitcode (the emulator takes text)";
            return finding(Check::Program, Severity::Warning, text.to_owned());
        }
        self.shape()
    }

    /// What a program built by hand may lack: an entry point, or being JSON.
    fn shape(&self) -> Option<Finding> {
        let program = self.submission.program();
        let plain = program.encoding().is_none();
        match program.input_format() {
            "qir.v1"
                if ["entryPoint", "items"].iter().all(|name| !program.parameters().contains_key(*name)) =>
            {
                let text = "the QIR runs from no entry point: set `entryPoint`, or `items` for several runs";
                finding(Check::Program, Severity::Error, text.to_owned())
            }
            format @ ("ionq.circuit.v1" | "pasqal.pulser.v1") if plain => {
                let object = serde_json::from_slice::<Map<String, Value>>(program.bytes());
                let error = object.err()?;
                let text = format!("`{format}` is a JSON object, and the program is none: {error}");
                finding(Check::Program, Severity::Error, text)
            }
            _ => None,
        }
    }

    fn shots(&self) -> Option<Finding> {
        match self.submission.shots_asked() {
            Some(0) => finding(Check::Shots, Severity::Error, "0 shots give no result".to_owned()),
            Some(shots) if shots > MANY_SHOTS => finding(
                Check::Shots,
                Severity::Warning,
                format!("{shots} shots are unusually many, and cost accordingly"),
            ),
            _ => None,
        }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "every caller gives an option")]
fn finding(check: Check, severity: Severity, message: String) -> Option<Finding> {
    Some(Finding { check, severity, message })
}
